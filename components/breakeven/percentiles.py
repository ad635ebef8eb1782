"""The percentiles by which lengths of requests are measured and stated."""

from __future__ import annotations

from collections.abc import Mapping

PERCENTILES: Mapping[str, float] = {
    "p10": 0.10,
    "p25": 0.25,
    "p50": 0.50,
    "p75": 0.75,
    "p90": 0.90,
    "p95": 0.95,
    "p99": 0.99,
    "max": 1.0,
}
"""By name, the share of requests that are at most as long."""
