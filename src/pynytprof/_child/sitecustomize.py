"""Found by a new Python whose PYTHONPATH begins with this folder: hands over to the real
sitecustomize, if there is one, and has the extension do what the environment asks for.

Any Python may come here, so this is written in what all understand, and says nothing.
"""

import os
import sys


def _begin():  # type: ignore[no-untyped-def]
    if sys.version_info < (3, 10) or "PYNYTPROF_RUN" not in os.environ:
        return
    top = os.path.dirname(os.path.dirname(_here))
    sys.path.insert(0, top)
    try:
        from pynytprof import _ctrace
    except ImportError:  # this Python has no pynytprof, or that of another one
        return
    finally:
        sys.path.remove(top)
    _ctrace.begin()


_here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [folder for folder in sys.path if folder != _here]
sys.path_importer_cache.pop(_here, None)
_self = sys.modules.pop("sitecustomize")  # kept: it is still at work
try:
    __import__("sitecustomize")  # the real one; if there is none, Python expects ImportError
finally:
    _begin()  # type: ignore[no-untyped-call]
