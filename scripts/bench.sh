#!/usr/bin/env bash
# What perfkit costs, how right it is, and what does not grow: beside other profilers where they do the same. With `--quick`: just long enough to see that it works.
set -euo pipefail
cd "$(dirname "$0")/.."
for bench in profiler_cost profiler_accuracy cache_remote; do
    echo "== $bench"
    cargo bench -p perfkit-peers --quiet --bench "$bench" -- "$@"
done
echo "== bounds"
cargo bench --quiet --bench bounds -- "$@"
