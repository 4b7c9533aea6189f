"""Raises while it is imported."""


def fail():
    raise ValueError("on import")


fail()
NEVER = 1
