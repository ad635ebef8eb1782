"""A candidate with its share of the traffic."""

from __future__ import annotations

from dataclasses import replace

from breakeven.settings.stack import RolloutCandidate, Stack


def at_its_share(tried: RolloutCandidate) -> Stack:
    """Returns the candidate alone with its share; no commitment is made for so short a time."""
    settings = tried.settings
    tokens = max(1, settings.traffic.tokens_per_day * tried.traffic_percent // 100)
    pricing = settings.pricing.model_copy(update={"commitment_percent": 0})
    share = replace(
        settings,
        traffic=settings.traffic.model_copy(update={"tokens_per_day": tokens}),
        pricing=pricing,
    )
    return replace(tried.stack, models=(share,), pricing=pricing)
