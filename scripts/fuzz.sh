#!/bin/sh
# fuzz.sh - builds the fuzz targets with clang and runs each for some seconds.
#
#   sh scripts/fuzz.sh SECONDS [TARGET...]      such as: sh scripts/fuzz.sh 60 reader merge
#
# Without a TARGET all of them run. Each starts from tests/fuzz/corpus/ and the golden profiles;
# what it finds on the way is kept in build-test/fuzz-corpus/TARGET, so that the next run goes on
# from there. A crash, a leak, an undefined operation, 10 seconds for one input or 512 MB of memory
# is a finding: the input is kept in build-test/fuzz-findings/, and the exit status is 1. See
# tests/fuzz/README.md for what to do with one.
#
# FUZZ_FRESH=1 forgets what earlier runs have found.
set -eu
cd "$(dirname "$0")/.."

usage() {
    echo 'usage: sh scripts/fuzz.sh SECONDS [TARGET...]' >&2
    exit 2
}

[ $# -gt 0 ] || usage
seconds=$1
shift
case $seconds in *[!0-9]* | '' | 0) usage ;; esac

build=build-test/fuzz
findings=build-test/fuzz-findings
mkdir -p build-test "$findings"
[ -z "${FUZZ_FRESH:-}" ] || rm -rf build-test/fuzz-corpus

again=
[ ! -d "$build" ] || again=--reconfigure
CC=clang meson setup $again "$build" --werror --buildtype=debugoptimized -Dfuzzers=true \
    -Dextensions=false -Dprogram=false >build-test/fuzz.log 2>&1 &&
    ninja -C "$build" >>build-test/fuzz.log 2>&1 || { cat build-test/fuzz.log; exit 1; }

if [ $# -eq 0 ]; then
    for program in "$build"/tests/fuzz/fuzz_*; do
        [ ! -f "$program" ] || set -- "$@" "${program##*/fuzz_}"
    done
fi

# seeds TARGET: folders with inputs to start from
seeds() {
    case $1 in
        chunks | condition) echo "tests/fuzz/corpus/$1" ;;
        *) echo tests/fuzz/corpus/profiles "$golden" ;;
    esac
}

# The golden folders hold more than profiles.
golden=build-test/fuzz-golden
mkdir -p "$golden"
for file in tests/golden/*/*.out; do
    folder=${file%/*}
    cp "$file" "$golden/${folder##*/}-${file##*/}"
done
# Memory that was freed is held back so that its use is seen: not so much that it looks like a leak.
export ASAN_OPTIONS=quarantine_size_mb=32

# fuzz TARGET
fuzz() {
    program=$build/tests/fuzz/fuzz_$1
    log=build-test/fuzz-$1.log
    own=build-test/fuzz-corpus/$1
    mkdir -p "$own"
    verdict='no finding'
    status=0
    # shellcheck disable=SC2046  # a list
    "$program" -max_total_time="$seconds" -timeout=100 -rss_limit_mb=512 -malloc_limit_mb=512 \
        -max_len=16384 -dict=tests/fuzz/nytprof.dict -artifact_prefix="$findings/$1-" \
        -print_final_stats=1 "$own" $(seeds "$1") >"$log" 2>&1 ||
        { verdict="A FINDING, see $log"; status=1; }
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "fuzz $1: ${count:-?} executions in $seconds s, $verdict"
    return $status
}

for target; do
    [ -x "$build/tests/fuzz/fuzz_$target" ] ||
        { echo "fuzz.sh: there is no target '$target'" >&2; exit 2; }
done

# Two at a time: the time is what they are given.
failed=no
while [ $# -gt 0 ]; do
    fuzz "$1" &
    other=$!
    [ $# -eq 1 ] || { shift; fuzz "$1" || failed=yes; }
    wait "$other" || failed=yes
    shift
done
[ "$failed" = no ]
