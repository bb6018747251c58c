#!/usr/bin/env bash
# Formatting, clippy with and without features, and who may use whom.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo fmt --all --check
cargo clippy --workspace --all-targets --all-features --quiet -- -D warnings
cargo clippy --no-default-features --lib --quiet -- -D warnings
scripts/layers.sh
