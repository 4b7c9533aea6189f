#!/bin/sh
# demo.sh - profiles a real program on real input and shows what comes out.
#
# The program is examples/searchindex, a small search engine for Python source; its input is
# the standard library's asyncio package. Environment and results lie in .venv-*/ and demo/.
set -eu
cd "$(dirname "$0")"

. scripts/setup.sh

need_packages build
python=$(find_pythons '')
python=${python%% *}
[ -n "$python" ] || { echo 'demo.sh: needs CPython 3.10 or later as python3' >&2; exit 1; }

say 'Building pynytprof'
make_venv "$python"
PATH="$PWD/$(venv_of "$python")/bin:$PATH"
export PATH
library=$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')

rm -rf demo
mkdir demo

say 'Profiling examples/searchindex'
pynytprof -o demo/nytprof.out examples/searchindex "$library/asyncio" \
    'socket timeout' 'name:lock AND NOT windows' '(queue OR semaphore) cancel' serialiser 'broken AND'

say 'Where the time went'
nytprof summary demo/nytprof.out

say 'The page'
nytprof html -o demo/report.html demo/nytprof.out
echo "Open $PWD/demo/report.html in a browser."
