"""Headers by which the parts of the gateway tell each other what they know of a request."""

from __future__ import annotations

STAY_INSIDE = "x-stay-inside"
"""A client's own. Any value but one "false" keeps a request inside: a misspelt one does, too."""

TEAM, MODEL = "x-team", "x-model"
LIMITED = "x-limited"
"""The team, where it has limits: only then is the service of limits asked."""
MONTH = "x-month"
PREFIX = "x-prefix"
"""A number for the beginning of the prompt: replicas are chosen by it."""
OUTPUT = "x-output"
"""Tokens that the answer may have; 0 where nothing limits it."""
HIDES_USAGE = "x-hides-usage"
"""The client did not ask for a stream's usage, so it does not get the part that tells it."""
DESTINATION = "x-destination"
WAITS = "x-waits"
"""Of an answer between listeners: no replica is ready; seconds after which to try again."""
COUNTED = "x-counted"
"""usage.lua has run. A program that fails lets a request go on; without this header it ends."""

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
"""What no client may set, and no engine or API sees."""
