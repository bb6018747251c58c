#!/usr/bin/env bash
# Every published crate packages, and builds from its package alone.
set -euo pipefail
cd "$(dirname "$0")/.."
# Cargo unpacks what it has packed into its home, by the folder that the package is in, and does not look whether that has changed since. So each
# run has a folder of its own, and takes away what was unpacked.
work=$(mktemp -d)
unpacked=${CARGO_HOME:-$HOME/.cargo}/registry/src
list() { find "$unpacked" -maxdepth 1 -name '-*' 2>/dev/null | sort; }
list >"$work/before"
clean() {
    list | comm -13 "$work/before" - | xargs -r rm -rf --
    rm -rf "$work"
}
trap clean EXIT
cargo package --workspace --exclude perfkit-ui-tests --exclude perfkit-peers --exclude perfkit-annotate --exclude perfkit-trust --quiet --target-dir "$work" "$@"
ls "$work"/package/*.crate | xargs -n 1 basename
