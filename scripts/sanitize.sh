#!/usr/bin/env bash
# The tests that exercise `unsafe` code, under AddressSanitizer (a nightly toolchain) and under valgrind.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
host=$(rustc -vV | sed -n 's/host: //p')

# The tests that run the code in `profile/link.rs`, `profile/future.rs`, `memory/alloc.rs`, `clock/tsc.rs` and `cache/shard/{node,table,limbo,lock}.rs`, `cache/{readers,registry}.rs` and `cache/store/glance.rs`, with threads that come and go, and the handlers at the
# end of the process.
tests=(--test profiled_accuracy --test profiled_edges --test profiled_allocator --test profiled_model --test memory --test profiled_shapes --test environment --test attributes_together
    --test cached --test cached_threads --test cached_bounds --test cached_refreshes --test cached_async)

rustup toolchain list | grep -q '^nightly' || rustup toolchain install nightly --profile minimal
# Leak detection is off: trees are leaked on purpose, and stay reachable.
RUSTFLAGS="-Zsanitizer=address -Cforce-frame-pointers=yes" ASAN_OPTIONS=detect_leaks=0 \
    cargo +nightly test --quiet --target "$host" --target-dir target/asan -p perf-runtime --lib
RUSTFLAGS="-Zsanitizer=address -Cforce-frame-pointers=yes" ASAN_OPTIONS=detect_leaks=0 \
    cargo +nightly test --quiet --target "$host" --target-dir target/asan -p perfkit "${tests[@]}"

# Valgrind runs a program thirty times slower, and one thread at a time: times mean nothing there, so the accuracy tests stay out.
export RUST_BACKTRACE=0
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind --quiet --error-exitcode=99 --leak-check=no --fair-sched=yes"
cargo test --quiet -p perf-runtime --lib -- profile cache::key::text cache::shard::table cache::readers
cargo test --quiet -p perfkit --test profiled_shapes --test memory --test cached
