#!/usr/bin/env bash
# All tests of the workspace, on a machine where nothing was prepared: the example's own, those of the features that are off by default,
# and then unit, integration, compile-error and documentation tests, among them those that build crates outside of the workspace
# as a new user would.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
cargo test --example code_search
cargo test -p perf-runtime --features regex --lib matching
cargo test -p perf-runtime --features memcached,redis,disk --lib remote
cargo test --features memcached --test cached_tiered
cargo test --features memcached,redis,disk --test cached_backend
cargo test -p perfkit-ui-tests --features backends
cargo test -p perf-runtime --features memcached,redis,disk --test memcached --test redis --test disk
cargo test --features all-sites --test never_called --test profiled_shapes --test profiled_meaning --test cached_shapes --test pooled_shapes
# By itself, or the command line tool switches its features on.
cargo test -p perf-bench --lib
cargo test -p perf-bench --features bench,criterion
cargo test --workspace --exclude perfkit-peers "$@"
