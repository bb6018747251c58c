//! The ten pieces of work of known difference, for tango, which compares two programs as well.

use perfkit_trust::ten;
use tango_bench::{Benchmark, benchmark_fn, tango_benchmarks};

fn all() -> Vec<Benchmark> {
    macro_rules! benchmarks {
        ($($name:ident)*) => { vec![$(benchmark_fn(stringify!($name), |bencher| bencher.iter(ten::$name()))),*] };
    }
    benchmarks! { hash sort allocate chase parse tree arithmetic text matrix branch }
}

tango_benchmarks!(all());
