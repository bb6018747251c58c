#!/usr/bin/env bash
# Every published crate packages, and builds from its package alone.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo package --workspace --exclude perfkit-ui-tests --exclude perfkit-peers --quiet "$@"
ls target/package/*.crate
