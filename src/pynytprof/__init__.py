"""pynytprof: a deterministic line and call profiler that writes NYTProf v5 profiles."""

# A profiled program has this module loaded before it begins, and nothing else of ours that is
# written in Python; so it imports nothing.

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._version import VERSION as __version__
    from .reader import open_profile
    from .tracer import Tracer, disable_profile, enable_profile, finish_profile, profile_script

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
]


def __getattr__(name: str) -> "Any":
    """Loads the tracer, or the reader, when it is first asked for: each does without the other."""
    if name == "__version__":
        from ._version import VERSION

        return VERSION
    if name == "open_profile":
        from .reader import open_profile

        return open_profile
    if name in __all__:
        from . import tracer

        return getattr(tracer, "profile_script" if name == "profile" else name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
