"""Headers that the parts of the gateway use to pass on facts about a request."""

from __future__ import annotations

STAY_INSIDE = "x-stay-inside"
"""Set by clients. Any value except "false" keeps a request inside, even a misspelled one."""

TEAM, MODEL = "x-team", "x-model"
LIMITED = "x-limited"
"""The team, if it has limits: only then is the rate limit service called."""
MONTH = "x-month"
PREFIX = "x-prefix"
"""A hash of the beginning of the prompt, which selects the replica."""
OUTPUT = "x-output"
"""Maximum tokens of the answer; 0 for no limit."""
HIDES_USAGE = "x-hides-usage"
"""The client did not request a stream's usage, so that chunk is removed."""
DESTINATION = "x-destination"
WAITS = "x-waits"
"""Between listeners: no replica is ready; seconds after which to try again."""
COUNTED = "x-counted"
"""usage.lua has run. A failed program does not stop a request, but a missing header does."""

INNER_HEADERS = (
    TEAM,
    MODEL,
    LIMITED,
    MONTH,
    PREFIX,
    OUTPUT,
    HIDES_USAGE,
    DESTINATION,
    COUNTED,
)
"""Headers that clients may not set, and that engines and APIs do not see."""
