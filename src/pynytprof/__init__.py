"""pynytprof: a deterministic line and call profiler that writes NYTProf v5 profiles.

PYTEST_DONT_REWRITE: it brings a plugin for pytest, which would warn where it is loaded already.
"""

# A profiled program has this module loaded before it begins, and nothing else of ours that is
# written in Python; so it imports nothing.

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._version import VERSION as __version__
    from .reader import open_profile
    from .tracer import Tracer, disable_profile, enable_profile, finish_profile, profile_script
    from .units import unit

    profile = profile_script

__all__ = [
    "Tracer",
    "__version__",
    "disable_profile",
    "enable_profile",
    "finish_profile",
    "open_profile",
    "profile",
    "profile_script",
    "unit",
]


def __getattr__(name: str) -> "Any":
    """Loads the tracer, or the reader, when it is first asked for: each does without the other."""
    found: Any
    if name == "__version__":
        from . import _version

        found = _version.VERSION
    elif name == "open_profile":
        from . import reader

        found = reader.open_profile
    elif name in ("load_ipython_extension", "unload_ipython_extension"):
        from . import notebook

        found = getattr(notebook, name)
    elif name == "unit":
        from . import units

        found = units.unit
    elif name in __all__:
        from . import tracer

        found = getattr(tracer, "profile_script" if name == "profile" else name, None)
        if found is None:  # by a signal's handler, in the midst of the import
            raise RuntimeError("pynytprof is being loaded at this very moment")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found  # the next time no import, whose lock a forked child may find taken
    return found
