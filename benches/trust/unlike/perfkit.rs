//! The ten under perfkit.

mod work;

perfkit::bench_main!();
