//! Fifty benchmarks of about a microsecond, as ordinary tests.

perfkit_trust::fifty!(perfkit::benchmark);
