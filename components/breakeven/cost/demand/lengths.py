"""How long prompts are, over their mean: few requests are of the mean length."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

QUANTILES = 40
"""Prompts of equal weight that stand for all; the longest stands for the top fortieth."""

CONVERSATIONS: Mapping[float, float] = {
    0.10: 207,
    0.25: 396,
    0.50: 1_020,
    0.75: 1_189,
    0.90: 2_734,
    0.95: 4_083,
    0.99: 4_142,
    1.00: 14_050,
}
"""Input tokens by the share of requests that have at most as many: conversations of the Azure LLM
inference trace 2023 (Azure/AzurePublicDataset, CC-BY; 19,366 requests, mean 1,155)."""

CONVERSATIONS_SOURCE = "Azure LLM inference trace 2023, conversations"


def relative_lengths(percentiles: Mapping[float, float]) -> tuple[float, ...]:
    """Returns lengths of `QUANTILES` prompts over their mean, in rising order; their mean is 1.

    Between two percentiles the length grows in proportion to the share of requests.

    Args:
        percentiles: Tokens, 0 or more, by share of requests, over 0 to 1; both rise.
    """
    return _relative(tuple(percentiles), tuple(percentiles.values()))


@cache
def _relative(shares: tuple[float, ...], tokens: tuple[float, ...]) -> tuple[float, ...]:
    middles = (np.arange(QUANTILES) + 0.5) / QUANTILES
    lengths = np.interp(middles, (0.0, *shares), (0.0, *tokens))
    if not lengths.any():
        return (1.0,) * QUANTILES
    return tuple((lengths / lengths.mean()).tolist())
