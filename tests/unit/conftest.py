"""Settings of the unit tests."""

from __future__ import annotations

from hypothesis import settings

# The same examples on every machine and at every run.
settings.register_profile("fixed", deadline=None, max_examples=80, derandomize=True)
settings.load_profile("fixed")
