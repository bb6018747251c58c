#!/usr/bin/env bash
# What a profiled call costs beside other profilers. With `--quick`: just long enough to see that it works.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo bench -p perfkit-peers --quiet -- "$@"
