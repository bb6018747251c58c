#!/usr/bin/env bash
# Models of the concurrent code under a model checker (shuttle), which tries thousands of schedules of each.
# PERFKIT_SCHEDULES sets how many. One model at a time: statics are shared.
set -euo pipefail
cd "$(dirname "$0")/.."
RUSTFLAGS="--cfg shuttle" cargo test --quiet --target-dir target/shuttle -p perf-runtime --lib models -- --test-threads 1
