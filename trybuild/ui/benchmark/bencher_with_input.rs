use perfkit::{Bencher, benchmark};

#[benchmark(setup = || 1, validate = |n| *n == 1)]
fn a(bencher: &mut Bencher) {
    bencher.iter(|| 1);
}

fn main() {}
