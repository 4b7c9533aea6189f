#!/bin/sh
# coverage.sh - how much of the C and of the Python tests reach, as information.
#
#   sh scripts/coverage.sh VENV
#
# Of C: the C tests, and the Python tests below on a build that counts (gcov). Of Python: what the
# same tests run in their own process; what runs in processes that they start is not seen, and in
# those that are profiled nothing else may be traced. Lists of lines: build-test/coverage/*.txt.
set -eu
cd "$(dirname "$0")/.."

venv=${1:?usage: coverage.sh VENV}
python=$venv/bin/python
build=build-test/coverage
site=$PWD/$build/site
packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
tests='tests/test_golden.py tests/test_writer_*.py tests/test_reader.py tests/test_convert.py
    tests/test_diff.py tests/test_merge.py tests/test_settings.py'

again=
[ ! -d "$build" ] || again=--reconfigure
mkdir -p build-test
rm -rf "$site"
"$venv/bin/meson" setup $again "$build" --buildtype=debugoptimized -Db_coverage=true -Db_lundef=false \
    -Dtests=true "--prefix=$PWD/$build/prefix" "-Dpython.purelibdir=$site" \
    "-Dpython.platlibdir=$site" >"$build.log" 2>&1 &&
    PATH=$PWD/$venv/bin:$PATH "$venv/bin/ninja" -C "$build" >>"$build.log" 2>&1 &&
    "$venv/bin/meson" install -C "$build" --no-rebuild >>"$build.log" 2>&1 ||
    { tail -40 "$build.log"; exit 1; }
find "$build" -name '*.gcda' -delete
# Nor may anything of files count that have moved since the last build.
"$venv/bin/ninja" -C "$build" -t cleandead >>"$build.log"
find "$build" -name '*.gcno' | while read -r notes; do
    [ -f "${notes%.gcno}.o" ] || rm "$notes"
done

c_tests() {
    for program in "$build"/tests/c/test_*; do
        case $program in
            *.p | *_tiny | *test_hostile) ;;    # they reach what others do, and take a minute here
            *) "$program" >>"$build.log" 2>&1 ||
                { echo "coverage: ${program##*/} failed"; failed=yes; } ;;
        esac
    done
}

run_pytest() {      # WHAT PYTHON_OPTIONS...
    what=$1
    shift
    PYTHONPATH=$site:$packages NYTPROF_BIN=$PWD/$build/cli/nytprof COVERAGE_FILE=$build/python.data \
        "$python" -m "$@" -q -p no:cacheprovider -m 'not slow' >"$build-$what.log" 2>&1 ||
        { echo "coverage: a test of $what failed, see $build-$what.log"; return 1; }
}

# At the same time: the package under test is the one that counts, and the tracer is tested
# without coverage of Python.
# shellcheck disable=SC2086  # a list
run_pytest reading coverage run --source="$site/pynytprof" -m pytest $tests &
reading=$!
failed=no
c_tests
run_pytest tracing pytest -k 'not [py]' tests/test_tracer_*.py tests/test_blocks.py || failed=yes
wait "$reading" || failed=yes

"$venv/bin/gcovr" --root . --filter 'lib/' --filter 'cli/' --filter 'ext/' \
    --gcov-ignore-parse-errors=all --merge-mode-functions=separate --txt "$build/c.txt" --txt-summary "$build" 2>>"$build.log" |
    sed -n 's/^\(lines\|branches\): */C \1: /p'
COVERAGE_FILE=$build/python.data "$venv/bin/coverage" report >"$build/python.txt"
sed -n 's/^TOTAL .* \([0-9]*%\)$/Python lines, without what runs in other processes: \1/p' "$build/python.txt"
[ "$failed" = no ]
