use perfkit::{Bencher, benchmark};

#[benchmark(bytes = 10)]
fn counts_itself(bencher: &mut Bencher) {
    bencher.iter(|| 1);
}

#[benchmark(items = "ten")]
fn no_number() {}

#[benchmark(args = ["a"], bytes = |text| text)]
fn no_number_of_an_input(text: &str) -> usize {
    text.len()
}

#[benchmark(items = 0, target_throughput = 10_000)]
fn no_items() {}

#[benchmark(bytes = 0_u64)]
fn no_bytes() {}

#[benchmark(threads = [])]
fn on_no_threads() {}

#[benchmark(target_throughput = 0)]
fn never() {}

#[benchmark(target_throughput = 100, target_ms = 1)]
fn two_targets() {}

#[benchmark(group = "-x", teardown = "stop")]
fn group_for_no_list() {}

fn main() {}
