"""``python -m pynytprof``, and the script of that name."""

import os
import sys


def main() -> int:
    """The command line. Returns the exit status, or leaves as the program does."""
    # Python has put the current folder, or the script's, in front; and a platform.py in there,
    # or in a folder of PYTHONPATH, is the program's, not ours. The standard library comes first.
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        sys.path[0] = os.path.dirname(os.__file__)

    from . import cli

    return cli.main()


if __name__ == "__main__":
    raise SystemExit(main())
