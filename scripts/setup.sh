#!/usr/bin/env bash
# Installs what the other scripts need and this machine lacks: a C linker, git, valgrind, Python, memcached, redis, cargo-nextest.
# Does nothing where all is there. Needs cargo (https://rustup.rs) and, for the rest, Debian's apt-get.
set -euo pipefail

if ! command -v cargo >/dev/null; then
    echo "setup: no cargo; install Rust from https://rustup.rs first" >&2
    exit 1
fi

packages=()
command -v cc >/dev/null || packages+=(build-essential)
# Comparisons check out other revisions.
command -v git >/dev/null || packages+=(git)
command -v valgrind >/dev/null || packages+=(valgrind libc6-dbg)
# Reads the profiles that are written for it.
command -v python3 >/dev/null || packages+=(python3)
# Tests start servers of their own.
command -v memcached >/dev/null || packages+=(memcached)
command -v redis-server >/dev/null || packages+=(redis-server)
if [ ${#packages[@]} -gt 0 ]; then
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    # Debian's packages start the services they bring, which nobody needs here, and where there is no init system that fails. A policy that says no
    # keeps them from it, unless the machine has a policy already.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap '$sudo rm -f $policy' EXIT
        printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
        $sudo chmod +x $policy
    fi
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi

# The tests run real `cargo nextest` on crates of their own.
command -v cargo-nextest >/dev/null || cargo install --quiet --locked cargo-nextest
