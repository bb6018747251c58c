#!/usr/bin/env bash
# What a user's clean build pays: crates and processor time of a new crate that depends on perfkit, beside one that depends
# on `cached` (and, with `--all`, on `hotpath`). Fails above 24 crates or 60 % of the time of `cached`.
set -euo pipefail
# A crate from the registry is not compiled incrementally, and one given by its path is no dearer for its users when they have it from there.
export CARGO_INCREMENTAL=0
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# create NAME DEPENDENCY-LINE: a crate that depends on one other.
create() {
    mkdir -p "$work/$1/src"
    printf '[package]\nname = "cost-of-%s"\nversion = "0.1.0"\nedition = "2024"\n\n[workspace]\n\n[dependencies]\n%s\n' "$1" "$2" >"$work/$1/Cargo.toml"
    printf 'fn main() {}\n' >"$work/$1/src/main.rs"
    (cd "$work/$1" && cargo fetch --quiet)
}

# crates NAME: how many it is built of, itself apart.
crates() {
    (cd "$work/$1" && cargo tree --edges normal,build --prefix none --target "$(rustc -vV | sed -n 's/host: //p')") |
        sed 's/ (\*)//; s/ (.*//' | sort -u | grep -vc '^cost-of-'
}

# build NAME: builds it from nothing, and notes the processor seconds where they are the least so far. Noise only adds.
declare -A least
build() {
    local seconds
    rm -rf "$work/$1/target"
    seconds=$( { TIMEFORMAT='%U %S'; time cargo build --quiet --manifest-path "$work/$1/Cargo.toml" --target-dir "$work/$1/target" >/dev/null 2>"$work/log"; } 2>&1 | awk '{print $1 + $2}')
    least[$1]=$(awk "BEGIN { known = \"${least[$1]:-}\"; print known == \"\" || $seconds < known + 0 ? $seconds : known }")
}

share() { awk "BEGIN { printf \"%.0f\", 100 * ${least[perfkit]} / ${least[cached]} }"; }

create perfkit "perfkit = { path = \"$root\" }"
create cached 'cached = "4.1.0"'
names=(perfkit cached)
if [ "${1:-}" = --all ]; then
    create hotpath 'hotpath = { version = "0.30.3", features = ["hotpath"] }'
    names+=(hotpath)
fi
# In turn, because a machine that others use is slower at one time than at another; and until the least of each is known well enough.
for round in 1 2 3 4 5 6; do
    for name in "${names[@]}"; do build "$name"; done
    if [ "$round" -ge 2 ] && [ "$(share)" -le 60 ]; then break; fi
done
printf '%-10s %7s %12s\n' crate crates 'CPU seconds'
for name in "${names[@]}"; do printf '%-10s %7s %12s\n' "$name" "$(crates "$name")" "${least[$name]}"; done
if [ "$(crates perfkit)" -gt 24 ]; then
    echo "build cost: $(crates perfkit) crates are more than 24" >&2
    exit 1
fi
echo "$(share) % of cached"
if [ "$(share)" -gt 60 ]; then
    echo "build cost: more than 60 % of the processor time of cached" >&2
    exit 1
fi
