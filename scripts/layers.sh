#!/usr/bin/env bash
# Holds the arrows of ARCHITECTURE.md: who may `use` whom. Prints each line that breaks one.
set -euo pipefail
cd "$(dirname "$0")/.."
broken=0

# forbid WHERE WHAT WHY: no line of code (comments apart) under WHERE may match WHAT.
forbid() {
    local found
    found=$(grep -rnE --include='*.rs' "$2" $1 | grep -vE '^[^:]+:[0-9]+: *(//|\*)' || true)
    if [ -n "$found" ]; then
        printf '%s\n%s\n\n' "layers: $3" "$found" >&2
        broken=1
    fi
}

runtime=perf-runtime/src
collect="$runtime/clock $runtime/site.rs $runtime/profile $runtime/memory $runtime/cache $runtime/pool"
forbid "$collect" 'crate::(show|session)\b' "what collects never calls what shows"
forbid "$runtime/snapshot" 'crate::(clock|sync|profile|memory|cache|pool|session)\b' "snapshots are plain data: no clocks, no locks, no collectors"
forbid "$runtime/show" 'crate::(clock|sync|profile|memory|cache|pool|session)\b|Instant::now' "showing is pure: from a report to bytes"
forbid "$runtime/cache" 'crate::(profile|pool)\b' "caches do not know profiles or pools"
forbid "$runtime/pool" 'crate::(profile|cache)\b' "pools do not know profiles or caches"
forbid "$runtime/profile" 'crate::(cache|pool)\b' "profiles do not know caches or pools"
forbid "$(find $runtime -name '*.rs' ! -name sync.rs | tr '\n' ' ')" 'use (std|core)::sync::atomic|use parking_lot' "sync.rs alone names the synchronisation primitives"
forbid "$runtime" 'perf_macros|perf_bench' "the runtime knows neither the macros nor the harness"
forbid perf-bench/src 'perf_macros' "the harness does not know the macros"
forbid "perf-bench/src/stats perf-bench/src/judge" 'crate::(run|harness|show|driven|suite)\b|Instant::now' "statistics and judges take figures: they neither measure nor print"
forbid perf-bench/src/show 'crate::(harness|driven|suite)\b|Instant::now' "showing is pure: from outcomes to text"
forbid perf-bench/src/measure 'crate::(harness|show|suite)\b' "measuring neither judges the command line nor prints"
forbid cargo-perfkit/src 'perf_macros|perf_bench([^:]|::([^r]|r[^e]))' "the command line knows programs and what they saved, not the harness in them"
forbid "cargo-perfkit/src/verdict.rs cargo-perfkit/src/student.rs" 'Instant|std::(process|env|fs|thread)' "judging launches is pure"
forbid perf-macros/src 'perf_runtime|perf_bench' "expansions name only perfkit::__private"

# The facade has names only.
if grep -nE '^\s*(pub )?(fn|impl|static|struct|enum|trait)\b' src/lib.rs; then
    echo "layers: the facade has logic" >&2
    broken=1
fi
# The folders' own files have docs, `mod` and `pub use`.
for file in $(find $runtime perf-bench/src -name mod.rs; echo $runtime/lib.rs perf-bench/src/lib.rs); do
    case $file in */clock/mod.rs | */snapshot/mod.rs) continue ;; esac
    if grep -nE '^(pub(\(.*\))? )?(fn|impl|static|trait)\b' "$file" /dev/null; then
        echo "layers: logic in a file that only lists its modules" >&2
        broken=1
    fi
done
exit $broken
