#!/usr/bin/env bash
# The profiler's own tests under miri, for machines that have it: `rustup +nightly component add miri`.
# Under miri the clock is the system's, and no constructor runs before `main`.
set -euo pipefail
cd "$(dirname "$0")/.."
MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-ignore-leaks" cargo +nightly miri test -p perf-runtime --lib profile
MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-ignore-leaks" cargo +nightly miri test -p perfkit --test profiled_shapes
