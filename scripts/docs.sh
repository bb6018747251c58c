#!/usr/bin/env bash
# The documentation, without a warning.
set -euo pipefail
cd "$(dirname "$0")/.."
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --exclude perfkit-peers --no-deps --all-features --quiet
