#!/usr/bin/env bash
# All tests of the workspace, on a machine where nothing was prepared: unit, integration, compile-error and documentation tests,
# the example's own, and those that build crates outside of the workspace as a new user would.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
cargo test --workspace --exclude perfkit-peers --all-features "$@"
cargo test --example code_search --quiet
