"""pynytprof as it is being built: ``from_build.py PACKAGE BUILT... -- WORD...``.

PACKAGE is its ``__init__.py``, BUILT are the modules that the build makes: those in the folder of
the sources, left there by ``pip install -e .``, may be older.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def load_package(package: Path, built: list[Path]) -> None:
    """Makes ``import pynytprof`` find its modules in the build first, then beside ``package``."""
    folders = [str(path.parent) for path in [*built, package]]
    spec = importlib.util.spec_from_file_location(
        "pynytprof", package, submodule_search_locations=folders
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["pynytprof"] = module
    spec.loader.exec_module(module)


def main() -> int:
    end = sys.argv.index("--")
    package, *built = map(Path, sys.argv[1:end])
    sys.dont_write_bytecode = True
    load_package(package, built)
    from pynytprof import cli

    return cli.main(sys.argv[end + 1 :])


if __name__ == "__main__":
    raise SystemExit(main())
