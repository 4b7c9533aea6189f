"""Gives the tests of this folder their fixtures."""

from fixtures import oracle_of, profile_of, profiled, shared, view_of

__all__ = ["oracle_of", "profile_of", "profiled", "shared", "view_of"]
