#!/usr/bin/env bash
# Installs what the other scripts need and this machine lacks: a C linker, valgrind, Python, cargo-nextest.
# Does nothing where all is there. Needs cargo (https://rustup.rs) and, for the rest, Debian's apt-get.
set -euo pipefail

if ! command -v cargo >/dev/null; then
    echo "setup: no cargo; install Rust from https://rustup.rs first" >&2
    exit 1
fi

packages=()
command -v cc >/dev/null || packages+=(build-essential)
command -v valgrind >/dev/null || packages+=(valgrind libc6-dbg)
# Reads the profiles that are written for it.
command -v python3 >/dev/null || packages+=(python3)
if [ ${#packages[@]} -gt 0 ]; then
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi

# The tests run real `cargo nextest` on crates of their own.
command -v cargo-nextest >/dev/null || cargo install --quiet --locked cargo-nextest
