//! The ten pieces of work of known difference, for perfkit.

use perfkit::Bencher;
use perfkit_trust::ten;

macro_rules! benchmarks {
    ($($name:ident)*) => {$(
        #[perfkit::benchmark]
        fn $name(bencher: &mut Bencher) {
            bencher.iter(ten::$name());
        }
    )*};
}

benchmarks! { hash sort allocate chase parse tree arithmetic text matrix branch }

perfkit::bench_main!();
