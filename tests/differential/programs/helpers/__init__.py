"""A local package."""

LOADED = [name for name in ("a", "b")]
