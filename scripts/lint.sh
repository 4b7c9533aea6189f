#!/bin/sh
# lint.sh - the checks that look at text alone; test.sh and .pre-commit-config.yaml run them.
#
#   sh scripts/lint.sh clang-format|ruff|ruff-format|mypy|page|docs|architecture [VENV]
#   sh scripts/lint.sh format [VENV]      formats all C, Python and TypeScript in place
#
# VENV is one that test.sh has made, with the pinned versions of scripts/setup.sh; without it the
# first .venv-* that there is.
set -eu
cd "$(dirname "$0")/.."

what=${1:?usage: lint.sh clang-format|ruff|ruff-format|mypy|page|docs|architecture|format [VENV]}
venv=${2:-}
if [ -z "$venv" ]; then
    for venv in .venv-*; do
        [ ! -x "$venv/bin/clang-format" ] || break
    done
fi
[ -x "$venv/bin/clang-format" ] || {
    echo "lint.sh: no environment with the tools; make one: sh -c '. scripts/setup.sh; make_venv python3 test lint'" >&2
    exit 1
}

# c_files COMMAND...: runs it on all C of ours
c_files() {
    find lib cli ext tests bench examples -name '*.[ch]' -exec "$@" {} +
}

# in_web COMMAND...: npm with it, in web/, with the packages of the lock file
in_web() {
    [ web/node_modules/.package-lock.json -nt web/package-lock.json ] ||
        (cd web && npm ci --no-audit --no-fund --silent)
    (cd web && npm --silent "$@")
}

case $what in
    clang-format) c_files "$venv/bin/clang-format" --dry-run -Werror --ferror-limit=1 ;;
    ruff) "$venv/bin/ruff" check . ;;
    ruff-format) "$venv/bin/ruff" format --check . ;;
    mypy) "$venv/bin/mypy" ;;
    page) in_web run check && in_web test ;;
    docs) "$venv/bin/mkdocs" build --strict --quiet ;;
    architecture) "$venv/bin/python" -m pytest -q -p no:cacheprovider tests/test_architecture.py ;;
    format)
        c_files "$venv/bin/clang-format" -i
        "$venv/bin/ruff" format .
        in_web run format
        ;;
    *)
        echo "lint.sh: no such check: $what" >&2
        exit 2
        ;;
esac
