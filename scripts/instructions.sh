#!/usr/bin/env bash
# Instructions per call, counted by callgrind, beside those in benches/instructions.tsv. Fails where a call takes 5 % more than there.
# Counts repeat exactly for one compiler, so that a regression shows that no clock on a shared machine would. `--update` writes the table anew:
# after an improvement, after a new compiler, or with the reason in the commit.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
table=benches/instructions.tsv
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

program=$(cargo bench --bench instructions --no-run --message-format=json 2>"$work/log" |
    sed -n 's/.*"name":"instructions".*"executable":"\([^"]*\)".*/\1/p') || { cat "$work/log" >&2; exit 1; }
[ -x "$program" ] || { echo "instructions: cargo built no program" >&2; exit 1; }

# count CASE CALLS: instructions of the whole program.
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

"$program" >"$work/cases"
while IFS=$'\t' read -r case _; do
    # A cache draws its hashes' seed, and what is sampled automatically goes by the clock, which moves both by some percent: the least of five
    # counts.
    times=1
    case $case in cached* | *automatically) times=5 ;; esac
    for _ in $(seq $times); do
        # Multiples of the calls that all cases make in a run, and of the buffer that durations go through.
        few=$(count "$case" 64640)
        many=$(count "$case" 193920)
        echo "$few $many"
    done | awk -v name="$case" '
        { calls = ($2 - $1) / 129280 }
        NR == 1 || calls < least { least = calls }
        END { printf "%s\t%.1f\n", name, least }'
done <"$work/cases" >"$work/now"

compiler=$(rustc --version)
if [ "${1:-}" = --update ]; then
    { printf '# Instructions per call (scripts/instructions.sh), by %s on %s.\n' "$compiler" "$(uname -m)"; cat "$work/now"; } >"$table"
    cat "$table"
    exit
fi
grep -q "$compiler" "$table" || echo "instructions: $table is of another compiler than $compiler"
printf '%-34s %8s %8s %7s\n' call before now change
join -t $'\t' -a 1 -a 2 -o 0,1.2,2.2 -e - <(grep -v '^#' "$table" | sort -t $'\t' -k 1,1) <(sort -t $'\t' -k 1,1 "$work/now") | awk -F '\t' '
    $2 == "-" || $3 == "-" { printf "%-34s %8s %8s\n", $1, $2, $3; wrong = wrong "\n  " $1 " is in one table only"; next }
    { change = 100 * ($3 - $2) / $2; printf "%-34s %8.1f %8.1f %+6.1f%%\n", $1, $2, $3, change }
    change > 5 { wrong = wrong "\n  " $1 " takes more than 5 % more" }
    END { if (wrong) { print "instructions:" wrong "\n`scripts/instructions.sh --update` takes the new figures, if they are meant." > "/dev/stderr"; exit 1 } }'
