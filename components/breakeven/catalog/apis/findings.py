"""Findings against comparing a stack with an API offer, as facts; reports word them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

RETIRES_SOON_MONTHS = 6
"""An offer that retires within this many months is flagged, because a migration takes months."""

DISPUTED_SHARE = Decimal("0.1")
"""Two sources whose prices of a request differ by more than this dispute the price."""

_DAYS_PER_MONTH = 365 / 12


@dataclass(frozen=True, slots=True)
class Retired:
    """Its service has ended; `on` is None if the source gives no day."""

    on: date | None
    source: str


@dataclass(frozen=True, slots=True)
class RetiresSoon:
    """It stops being served within `RETIRES_SOON_MONTHS`."""

    on: date
    source: str


@dataclass(frozen=True, slots=True)
class ContextTooShort:
    """It accepts `tokens` of input; the stack allows requests of `needed` tokens."""

    tokens: int
    needed: int
    source: str


@dataclass(frozen=True, slots=True)
class OutsideRegions:
    """It processes requests outside the allowed regions; `region` is empty if unknown."""

    region: str
    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PriceDisputed:
    """Two sources disagree; USD per 1M tokens of this traffic. The higher price is used."""

    lower: Decimal
    lower_source: str
    higher: Decimal
    higher_source: str


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """`source` lists other offers of this provider, but not this one."""

    source: str
    as_of: date


Finding: TypeAlias = (
    Retired | RetiresSoon | ContextTooShort | OutsideRegions | PriceDisputed | Unconfirmed
)

_EXCLUDING = (Retired, ContextTooShort, OutsideRegions)


def excludes(finding: Finding) -> bool:
    """Tells whether an offer with this finding may not decide a verdict."""
    return isinstance(finding, _EXCLUDING)


def retirement(on: date | None, source: str, today: date) -> Iterator[Finding]:
    """Yields what a retirement date means on a day."""
    if on is None:
        return
    if on <= today:
        yield Retired(on, source)
    elif (on - today).days <= RETIRES_SOON_MONTHS * _DAYS_PER_MONTH:
        yield RetiresSoon(on, source)
