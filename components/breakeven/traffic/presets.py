"""Three presets of traffic if you have no logs yet, and the sources of their figures."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Preset(StrEnum):
    """Amount of traffic."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


TOKENS_PER_DAY: Mapping[Preset, int] = MappingProxyType(
    {Preset.SMALL: 5_000_000, Preset.MEDIUM: 50_000_000, Preset.LARGE: 500_000_000}
)
"""Input and output tokens of a mean day."""

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "traffic.tokensPerDay": "the two volumes of a published comparison of 2026-06-16, 50 and "
        "about 500 million (docs/article.md); small is a tenth of the first",
        "lengths and burst": "conversations of the Azure LLM inference trace 2023 "
        "(Azure/AzurePublicDataset, CC-BY), 19,366 requests in 58 minutes",
        "traffic.cachedInputPercent": "not in that trace; 0 is the cautious end",
        "traffic.shape": "ServeGen (alibaba/ServeGen, Apache-2.0), two weeks of a service in "
        "production",
    }
)
"""Sources of the presets' figures."""


def preset_settings(preset: Preset) -> dict[str, int | str]:
    """Returns the settings of a preset, by dotted key."""
    return {
        "traffic.tokensPerDay": TOKENS_PER_DAY[preset],
        "traffic.inputTokens": 1_155,
        "traffic.outputTokens": 211,
        "traffic.cachedInputPercent": 0,
        "traffic.shape": "published",
        "traffic.burstFactor": "1.76",
    }
