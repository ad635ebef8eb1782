"""What an API costs in a month, as a function of the volume.

Mostly a line through the origin. A fee that is paid at any volume lifts it, and provisioned
throughput bends it: what the units carry costs nothing more.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import numpy as np

from breakeven.catalog.apis.prices import ApiPrice
from breakeven.cost.api_curve import ApiCurve
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.demand.load import Load
from breakeven.cost.demand.load_duration import LoadDuration
from breakeven.money import to_decimal

_BENDS = np.geomspace(1e-4, 1e4, 400)
"""Over the planned volume: where a curve that is not a line is computed."""


def api_monthly(price: ApiPrice, assumptions: Assumptions) -> Decimal:
    """Returns USD per month if an API served all of the traffic.

    Args:
        price: Of the mean request of all models.
        assumptions: Of the stack.
    """
    return _monthly(price, assumptions, Decimal(1))


def api_curve(price: ApiPrice, assumptions: Assumptions) -> ApiCurve:
    """Returns what an API costs by the tokens of a day.

    Args:
        price: As for `api_monthly`.
        assumptions: Of the stack.
    """
    planned = float(assumptions.tokens_per_day)

    def at(times: float) -> float:
        return float(_monthly(price, assumptions, to_decimal(times)))

    fee, largest = at(0.0), float(_BENDS[-1])
    if not _is_bent(price):
        return ApiCurve.line((at(1.0) - fee) / planned, fee)
    costs = np.asarray([at(times) for times in _BENDS.tolist()])
    return ApiCurve(
        fee=fee,
        slope=(at(2 * largest) - costs[-1]) / (largest * planned),
        bends=_BENDS * planned,
        at_bends=costs,
    )


def _is_bent(price: ApiPrice) -> bool:
    if price.parts:
        return any(_is_bent(part.price) for part in price.parts)
    covered = price.covered_tokens_per_minute
    return covered is not None and covered.is_finite()


def _monthly(price: ApiPrice, assumptions: Assumptions, times: Decimal) -> Decimal:
    if price.parts:
        parts = (_monthly(part.price, assumptions, times * part.share) for part in price.parts)
        return sum(parts, Decimal(0))
    days = assumptions.calendar.days_per_month
    daily = sum((model.load.requests_per_day for model in assumptions.models), Decimal(0))
    beyond = _beyond(price, assumptions.load, times)
    return price.monthly_fee + price.usd_per_request * daily * days * times * beyond


def _beyond(price: ApiPrice, load: Load, times: Decimal) -> Decimal:
    """Returns the share of requests that a fee does not cover, 0 to 1."""
    covered = price.covered_tokens_per_minute
    if covered is None:
        return Decimal(1)
    if not covered.is_finite() or not times:
        return Decimal(0)
    per_second = float(covered) / 60 / load.tokens_per_request / float(times)
    return to_decimal(1 - _duration(load).served_share(per_second))


_duration = lru_cache(maxsize=8)(LoadDuration.of)
"""The same for all volumes of a load, and dear to make."""
