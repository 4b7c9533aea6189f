"""pytest's plugin: the profile of each test, and the gate on the exact work that tests do.

``pytest --nytprof`` profiles; ``--nytprof-baseline FILE`` compares the work of each test with what
is kept in FILE, and fails those that do more. docs/pytest.md is the manual.
"""
