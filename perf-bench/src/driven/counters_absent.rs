//! `--counters` in a program that was built without the feature `perf-event`, or for another system than Linux: a word about that.

use std::process::ExitCode;

use crate::harness::arguments::Format;
use crate::harness::program::FAILED;
use crate::registry::entry::Case;

#[inline]
pub(crate) fn count_all(_: impl IntoIterator<Item = Case>, _: Format) -> ExitCode {
    eprintln!(
        "error: the processor's counters are read on Linux and with perfkit's feature `perf-event`: \
         `cargo bench --bench TARGET --features perfkit/perf-event -- --counters`"
    );
    ExitCode::from(FAILED)
}
