//! Fifty benchmarks of about a microsecond.
#![allow(missing_docs, reason = "a program")]

perfkit_trust::fifty!(perfkit::benchmark);
perfkit::bench_main!();
