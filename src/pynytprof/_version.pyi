VERSION: str
"""As "1.2.3"."""
RELEASED: str
"""As "2026-11-24"; for the manual pages."""
