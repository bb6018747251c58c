#!/usr/bin/env bash
# What perfkit costs, how right it is, how often its caches hit, and what does not grow: beside others where they do the same. With `--quick`: just long enough to see that it works.
set -euo pipefail
cd "$(dirname "$0")/.."
for bench in profiler_cost profiler_accuracy cache_speed cache_memory cache_hit_ratio cache_remote; do
    echo "== $bench"
    cargo bench -p perfkit-peers --quiet --bench "$bench" -- "$@"
done
echo "== bounds"
cargo bench --quiet --bench bounds -- "$@"
echo "== cache_soak"
cargo bench --quiet --bench cache_soak -- "$@"
echo "== trust"
# What has to build more programs, those of others among them, takes minutes.
sections=()
[ "${1:-}" != --quick ] || sections=(measuring targets quick)
cargo run --quiet --release -p perfkit-trust -- "$@" "${sections[@]}"
