"""Found by a new Python whose PYTHONPATH begins with this folder: hands over to the real
sitecustomize, if there is one, and starts the profile that the environment asks for.

Any Python may come here, so this is written in what all understand, and says nothing.
"""

import os
import sys


def _start():  # type: ignore[no-untyped-def]
    if sys.version_info < (3, 10) or "PYNYTPROF_INHERIT" not in os.environ:
        return
    try:
        from pynytprof._run import processes as _processes
    except ImportError:  # this Python has no pynytprof
        return
    try:
        _processes.take_over()
    except Exception as error:
        sys.stderr.write("pynytprof: this process is not profiled: " + str(error) + "\n")


_here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [folder for folder in sys.path if folder != _here]
sys.path_importer_cache.pop(_here, None)
_self = sys.modules.pop("sitecustomize")  # kept: it is still at work
try:
    __import__("sitecustomize")  # the real one; if there is none, Python expects ImportError
finally:
    _start()  # type: ignore[no-untyped-call]
