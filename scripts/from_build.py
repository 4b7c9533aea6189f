"""pynytprof as it is being built: ``from_build.py PACKAGE EXTENSION WORD...``.

PACKAGE is one of its modules, EXTENSION the file that is to be its ``_cread``.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    package, extension, *words = sys.argv[1:]
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(Path(package).parent.parent))
    import pynytprof

    pynytprof.__path__.append(str(Path(extension).parent))
    from pynytprof import cli

    return cli.main(words)


if __name__ == "__main__":
    raise SystemExit(main())
