use perfkit::benchmark;

#[benchmark(target_ms = 0)]
fn a() {}

#[benchmark(target_us = -5)]
fn b() {}

#[benchmark(target_ns = "100")]
fn c() {}

#[benchmark(target_ms = 1e300)]
fn d() {}

#[benchmark(target_ms)]
fn e() {}

fn main() {}
