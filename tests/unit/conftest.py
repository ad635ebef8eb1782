"""Settings of the unit tests."""

from __future__ import annotations

from hypothesis import Phase, settings

# The same examples on every machine and at every run.
settings.register_profile("fixed", deadline=None, max_examples=80, derandomize=True)
# For `make mutation`, which asks whether a test fails and not why.
settings.register_profile(
    "unshrunk", settings.get_profile("fixed"), phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("fixed")
