#!/bin/sh
# test.sh - builds everything and runs every test.
#
#   sh test.sh                      all of it
#   sh test.sh --quick              without the slow tests
#   sh test.sh --only "3.12 3.13"   on these CPythons alone (the first one gets the full set)
#
# The full set runs on the machine's own python3, the quick set on every other CPython from
# 3.10 on that is found: python3.N on PATH and pyenv's; less what is the same on each of them
# (see ONCE in tests/conftest.py). What is missing is installed with apt-get if we are root;
# otherwise it is named, and that is a failure. Everything made here lies in .venv-*/ and
# build-test/.
#
# What takes seconds comes first. The environments of the other Pythons are built meanwhile;
# with ccache each file of C is compiled once for all that compile it alike. The summary tells
# how long each step took.
set -eu
cd "$(dirname "$0")"
export UBSAN_OPTIONS=halt_on_error=1

. scripts/setup.sh

quick=no
only=
while [ $# -gt 0 ]; do
    case $1 in
        --quick) quick=yes ;;
        --only) only=${2:?--only needs versions}; shift ;;
        *) echo "usage: sh test.sh [--quick] [--only VERSIONS]" >&2; exit 2 ;;
    esac
    shift
done

results=build-test/results
failed=no

now() {
    date +%s
}

# note OUTCOME WHAT BEGAN: one line of the final summary
note() {
    seconds=$(($(now) - $3))
    printf '%-7s %5s s  %s\n' "$1" "$seconds" "$2" >>"$results"
    echo "$1 after $seconds s: $2"
    [ "$1" = ok ] || failed=yes
}

# check WHAT COMMAND...: runs it; its failure is noted, and the other checks still run
check() {
    what=$1
    began=$(now)
    shift
    say "$what"
    if "$@"; then note ok "$what" "$began"; else note FAILED "$what" "$began"; fi
}

# environments PYTHON...: one after the other, in the background; `set_up` tells how it went
environments() {
    for python; do
        log=build-test/environment-$(version_of "$python")
        rm -f "$log.ok"
        ! make_venv "$python" test >"$log.log" 2>&1 || : >"$log.ok"
    done
}

set_up() {          # VERSION
    log=build-test/environment-$1
    [ -f "$log.ok" ] || { cat "$log.log"; return 1; }
}

# c_tests BUILD_FOLDER [meson options]
c_tests() {
    folder=$1
    shift
    [ ! -d "$folder" ] || set -- --reconfigure "$@"
    "$main_venv/bin/meson" setup "$@" "$folder" --werror \
        -Dtests=true -Dextensions=false -Dprogram=true >build-test/meson.log 2>&1 ||
        { cat build-test/meson.log; return 1; }
    "$main_venv/bin/ninja" -C "$folder" || return 1
    "$main_venv/bin/python" scripts/run_c_tests.py "$folder/tests/c"
}

fuzz() {
    PATH=$PWD/$main_venv/bin:$PATH sh scripts/fuzz.sh 5
}

coverage() {
    sh scripts/coverage.sh "$main_venv" >build-test/coverage.txt
}

run_pytest() {      # VENV [pytest options]
    venv=$1
    shift
    NYTPROF_BIN=$PWD/build-test/c/cli/nytprof "$venv/bin/python" -m pytest -q -p no:cacheprovider \
        --strict-skips "$@" tests
}

# python_tests VENV [WHICH]: in two processes; then those that must not run so
python_tests() {
    which=${2:+ and $2}
    outcome=0
    run_pytest "$1" -n 2 --dist worksteal -m "not alone$which" || outcome=1
    run_pytest "$1" -m "alone$which" || outcome=1
    return $outcome
}

mkdir -p build-test
: >"$results"
all_began=$(now)

need_packages build test
pythons=$(find_pythons "$only")
[ -n "$pythons" ] || { echo 'test.sh: no CPython from 3.10 on found' >&2; exit 1; }
main_python=${pythons%% *}
main_venv=$(venv_of "$main_python")

main_version=$(version_of "$main_python")
others=${pythons#"$main_python"}

began=$(now)
say "Python $main_version: environment and build"
make_venv "$main_python" test real consumers lint coverage package page
get_consumers
note ok "Python $main_version: environment and build" "$began"

check 'clang-format' sh scripts/lint.sh clang-format "$main_venv"
check 'ruff' sh scripts/lint.sh ruff "$main_venv"
check 'ruff format' sh scripts/lint.sh ruff-format "$main_venv"
check 'mypy --strict' sh scripts/lint.sh mypy "$main_venv"
check 'page' sh scripts/lint.sh page "$main_venv"
check 'docs' sh scripts/lint.sh docs "$main_venv"
check 'C tests' c_tests build-test/c

# shellcheck disable=SC2086  # a list
environments $others &
builder=$!
check 'fuzzing, some seconds each' fuzz
check 'tracer in C under ASan and UBSan' sh scripts/sanitize.sh asan "$main_venv" --strict-skips \
    -k 'not [py]' tests/test_tracer_*.py
check 'C tests under ASan and UBSan' c_tests build-test/c-sanitized \
    --buildtype=debugoptimized -Db_sanitize=address,undefined
wait "$builder"

if [ "$quick" = yes ]; then
    check "Python $main_version, quick tests" python_tests "$main_venv" 'not slow'
else
    check "Python $main_version, all tests" python_tests "$main_venv"
fi
for python in $others; do
    version=$(version_of "$python")
    check "Python $version: environment and build" set_up "$version"
    [ ! -f "build-test/environment-$version.ok" ] ||
        check "Python $version, quick tests" python_tests "$(venv_of "$python")" \
            'not slow and not once'
done

check 'what the tests reach' coverage

say 'Summary'
cat "$results" build-test/coverage.txt
echo "All in all $(($(now) - all_began)) s"
[ "$failed" = no ]
