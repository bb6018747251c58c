//! `#[benchmark]` where neither `std` nor any name of the prelude is there.
#![no_std]
#![no_implicit_prelude]
#![deny(warnings, clippy::all, clippy::pedantic)]

#[::perfkit::benchmark(target_ms = 1000)]
fn nothing() {}

#[::perfkit::benchmark(args = [1, 2], setup = |n| n + 1, validate = |n: &u64| *n > 0, ignore = "not always")]
fn by_value(n: u64) -> u64 {
    n
}

#[::perfkit::benchmark(args = ["a"])]
fn by_reference(text: &str) -> ::core::str::Chars<'_> {
    text.chars()
}

#[::perfkit::benchmark(setup = || [1, 2])]
fn by_mutable_reference(numbers: &mut [u32; 2]) -> &mut u32 {
    &mut numbers[0]
}

#[::perfkit::benchmark]
fn with_a_bencher(bencher: &mut ::perfkit::Bencher) {
    bencher.iter(|| 1);
}
