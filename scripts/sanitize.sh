#!/bin/sh
# sanitize.sh - the extensions' tests under tools that find what a test can't see.
#
#   sh scripts/sanitize.sh asan VENV [pytest options]         ASan, UBSan, LeakSanitizer
#   sh scripts/sanitize.sh debug VENV PYTHON [pytest options] a debug build of CPython
#   sh scripts/sanitize.sh restarts VENV [PYTHON]             10,000 starts and stops: does it leak?
#
# VENV is one that test.sh has made, PYTHON a debug build of the same version (Debian:
# python3-dbg). Builds lie in build-test/.
set -eu
cd "$(dirname "$0")/.."

how=${1:?usage: sanitize.sh asan|debug|restarts VENV ...}
venv=${2:?the virtual environment}
shift 2
python=$venv/bin/python
packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
case $how in
    debug | restarts) [ $# -eq 0 ] || { python=$1; shift; } ;;
esac
build=build-test/$how
site=$PWD/$build/site

# build_extensions [meson options]: the package for $python, into $site
build_extensions() {
    [ ! -d "$build" ] || set -- --reconfigure "$@"
    PYTHONPATH=$packages "$python" -m mesonbuild.mesonmain setup "$@" "$build" --werror \
        --buildtype=debugoptimized -Db_ndebug=false -Db_lundef=false -Dtests=false \
        -Dprogram=false "-Dpython.purelibdir=$site" "-Dpython.platlibdir=$site" >"$build.log" 2>&1 &&
        PYTHONPATH=$packages "$venv/bin/ninja" -C "$build" >>"$build.log" 2>&1 &&
        PYTHONPATH=$packages "$python" -m mesonbuild.mesonmain install -C "$build" \
            --no-rebuild >>"$build.log" 2>&1 ||
        { tail -40 "$build.log"; return 1; }
}

# tests [pytest options]: of these, or those that run tracer, reader and writer in their own
# process; Perl's tools, which they may call, have leaks of their own
tests() {
    [ $# -gt 0 ] || set -- tests/test_tracer_*.py tests/test_writer_*.py tests/test_reader.py \
        --deselect tests/test_reader.py::test_html_is_made_by_perl
    PYTHONPATH=$site:$packages PYTHONMALLOC=malloc "$python" -m pytest -q -p no:cacheprovider "$@"
}

mkdir -p build-test
case $how in
    asan)
        asan=$(gcc -print-file-name=libasan.so)
        # Also here: the manual page comes from running the extension.
        LD_PRELOAD=$asan ASAN_OPTIONS=detect_leaks=0 \
            build_extensions -Db_sanitize=address,undefined
        # CPython keeps some of its memory to the end. All of its memory comes from these; ours
        # comes from malloc itself. A stack of four calls shows that; longer ones take minutes.
        cat >"$build/suppressions" <<END
leak:_PyMem_RawMalloc
leak:_PyMem_RawCalloc
leak:_PyMem_RawRealloc
leak:PyThread_
leak:_tracemalloc
leak:_dl_
leak:ffi_
END
        LD_PRELOAD=$asan \
            ASAN_OPTIONS=detect_leaks=1:fast_unwind_on_malloc=0:malloc_context_size=4 \
            LSAN_OPTIONS=suppressions=$PWD/$build/suppressions:print_suppressions=0 \
            UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
            tests "$@"
        ;;
    debug)
        build_extensions
        tests "$@"
        ;;
    restarts)
        build_extensions
        PYTHONPATH=$site:$packages "$python" tools/restarts.py
        ;;
    *)
        echo "sanitize.sh: no such check: $how" >&2
        exit 2
        ;;
esac
