#!/usr/bin/env bash
# Puts `#[profiled]` on every function of well-known crates that can have it, and runs their own tests: the same tests have to give the same
# results, with the same warnings, and calls have to be counted. Nobody thinks beforehand of all that Rust lets people write.
#
# Cargo fetches the crates, in the versions below. Nothing of theirs is ever committed, and nothing of their code is changed but for the attributes,
# which `perfkit-annotate` writes in.
#
#   scripts/real_crates.sh [--all] [CRATE…]
#
# Without names, those that are done in some minutes; `--all` takes the long ones, too. PERFKIT_REAL_CRATES=functions annotates function by function
# instead of whole blocks; `both` does one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
root=$PWD
work=${CARGO_TARGET_DIR:-$root/target}/real-crates
modes=${PERFKIT_REAL_CRATES:-blocks}
[ "$modes" != both ] || modes="blocks functions"

# Crate, version, and what `cargo test` gets. All have their tests in their packages on crates.io. Documentation tests are left out (`--tests`) where they
# are hundreds: they call what the other tests call, and each is linked by itself. Skipped are, in `httparse`, millions of requests,
# which take minutes without optimisation; in `once_cell`, a test that starts an example which cargo has not built.
short() {
    cat <<'END'
semver 1.0.28
itoa 1.0.19
fnv 1.0.7
hex 0.4.3
either 1.19.0
heck 0.5.0
humantime 2.4.0
percent-encoding 2.3.2
arrayvec 0.7.8
slab 0.4.12
smallvec 1.16.6
lru 0.19.1 --tests
fixedbitset 0.5.9
num-traits 0.2.19 --tests
indexmap 2.14.2 --tests
textwrap 0.16.4 --tests
url 2.5.8 --tests
strsim 0.11.1 --tests
httparse 1.10.1 --tests -- --skip test_all_utf8_char_in_paths
event-listener 5.4.2
tokio-util 0.7.20 --features full --tests
END
}

long() {
    cat <<'END'
bytes 1.12.2
http 1.5.0
once_cell 1.21.4 --tests -- --skip sync_once_cell::reentrant_init
async-channel 2.5.0
futures-lite 2.6.1
unicode-segmentation 1.13.3
async-lock 3.5.0
itertools 0.15.0 --tests
num-bigint 0.5.1 --tests
petgraph 0.8.3 --tests
hashbrown 0.17.2 --tests
ryu 1.0.23 --tests
END
}

if [ "${1:-}" = --all ]; then
    shift
    list=$(short; long)
else
    list=$(short)
fi
if [ $# -gt 0 ]; then
    list=$(for name in "$@"; do { short; long; } | grep "^$name " || { echo "real_crates: no $name here" >&2; exit 1; }; done)
fi

# Debugging information is a third of the time, and what is compiled here is compiled once.
export CARGO_TARGET_DIR=$work/target CARGO_PROFILE_DEV_DEBUG=false CARGO_INCREMENTAL=0
for old in fetched plain blocks functions; do rm -rf "${work:?}/$old"; done
mkdir -p "$work/fetched/src"
: >"$work/fetched/src/lib.rs"
{
    printf '[package]\nname = "fetched"\nversion = "0.1.0"\nedition = "2024"\n\n[workspace]\n\n[dependencies]\n'
    while read -r name version _; do printf '%s = "=%s"\n' "$name" "$version"; done <<<"$list"
} >"$work/fetched/Cargo.toml"
(cd "$work/fetched" && cargo vendor --quiet --versioned-dirs >/dev/null)
cargo build --quiet -p perfkit-annotate

# unpack NAME VERSION KIND: a copy that is a workspace of its own, without benchmarks, whose harnesses would take longer to build than all the rest.
unpack() {
    local to=$work/$3/$1
    mkdir -p "$work/$3"
    cp -r "$work/fetched/vendor/$1-$2" "$to"
    rm -rf "$to/Cargo.lock" "$to/benches"
    awk '/^\[/ { left_out = /^\[\[bench\]\]/ || /^\[dev-dependencies\.(criterion|bencher)\]/ } !left_out' "$work/fetched/vendor/$1-$2/Cargo.toml" >"$to/Cargo.toml"
    printf '\n[workspace]\n' >>"$to/Cargo.toml"
}

# tests NAME KIND ARGUMENTS…: runs them, and writes what came of each into a file `results` beside them.
tests() {
    local in=$work/$2/$1 status=0
    shift 2
    (cd "$in" && cargo test --no-fail-fast "$@") >"$in/log" 2>&1 || status=$?
    awk -v status=$status '
        /^ *(Running|Doc-tests) / { sub(/^ */, ""); sub(/ \(.*/, ""); target = $0 }
        /^test .* \.\.\. / || /^test result: / { sub(/; finished in .*/, ""); print target ": " $0 }
        # Of the crate itself: those of its dependencies are not shown.
        /^warning: .* generated [0-9]+ warning/ { sub(/ \(run .*/, ""); print }
        END { print "exit status " status }' "$in/log" | sort >"$in/results"
    return $status
}

# counted FOLDER: how many functions were called, and how often, by the reports in it.
counted() {
    python3 - "$1" <<'END'
import json, pathlib, sys
calls = {}
for path in pathlib.Path(sys.argv[1]).iterdir():
    for row in json.loads(path.read_text())["functions"]:
        place = row["file"], row["line"], row["column"]
        calls[place] = calls.get(place, 0) + row["calls"]
print(sum(1 for number in calls.values() if number), sum(calls.values()))
END
}

failed=0
wrong() {
    echo "real_crates: $1" >&2
    failed=1
}
crates=0
printf '%-22s %-10s %9s %6s %9s %14s %7s\n' crate attributes functions tests measured calls seconds
while read -r name version arguments; do
    read -ra arguments <<<"$arguments"
    crates=$((crates + 1))
    for kind in $modes; do
        start=$SECONDS
        unpack "$name" "$version" "$kind"
        in=$work/$kind/$name
        printf '\n[dependencies.perfkit]\npath = "%s"\n' "$root" >>"$in/Cargo.toml"
        # A build script has other dependencies than what it is for.
        functions=$(find "$in" -name '*.rs' ! -path "$in/build.rs" -print0 | xargs -0 "$CARGO_TARGET_DIR/debug/perfkit-annotate" "$kind" | awk '{ sum += $1 } END { print sum }')
        if [ ! -e "$work/plain/$name" ]; then
            unpack "$name" "$version" plain
            # The same versions for both.
            (cd "$in" && cargo generate-lockfile --quiet)
            cp "$in/Cargo.lock" "$work/plain/$name/"
            tests "$name" plain "${arguments[@]}" || wrong "the tests of $name fail as they are: $work/plain/$name/log"
        fi
        cp "$work/plain/$name/Cargo.lock" "$in/"
        mkdir "$in/reports"
        PERFKIT="json=$in/reports/%p.json" tests "$name" "$kind" "${arguments[@]}" || wrong "the tests of $name fail with the attributes: $in/log"
        diff -u --label "$name as it is" --label "$name with the attributes" "$work/plain/$name/results" "$in/results" >&2 || wrong "$name is not the same with the attributes"
        read -r measured calls <<<"$(counted "$in/reports")"
        [ "$measured" -gt 0 ] || wrong "no function of $name was measured"
        printf '%-22s %-10s %9d %6d %9d %14d %7d\n' "$name" "$kind" "$functions" "$(grep -c ' \.\.\. ok$' "$in/results")" "$measured" "$calls" $((SECONDS - start))
    done
done <<<"$list"
exit $failed
