"""A source of prices, and a request to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from breakeven.catalog.importers.listing import Listing, Selection
from breakeven.price_sources.client import Client, FetchError, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One request to a source.

    Attributes:
        cloud: Such as "aws".
        regions: Regions of that cloud.
        selection: Which prices are wanted; its day is today.
        base: Address of the source, without a slash at its end.
        client: Fetches.
        environment: Variables, for credentials.
        now: Time in UTC that is signed with each request.
    """

    cloud: str
    regions: tuple[str, ...]
    selection: Selection
    base: str
    client: Client
    environment: Mapping[str, str]
    now: datetime


Fetch: TypeAlias = Callable[[Job], Listing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source of prices.

    Attributes:
        name: As --source-url takes it.
        title: For people.
        base: Its address.
        clouds: Clouds that it has.
        purchases: How machines are bought by its prices, such as "spot"; empty if it has none.
        fetch: Fetches and reads.
        by_region: Whether each region is a job of its own.
        credentials: Environment variables that it needs.
        advice: How to get them.
    """

    name: str
    title: str
    base: str
    clouds: frozenset[str]
    purchases: frozenset[str]
    fetch: Fetch
    by_region: bool = False
    credentials: tuple[str, ...] = ()
    advice: str = ""

    def missing(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        """Names the credentials that are not set."""
        return tuple(name for name in self.credentials if not environment.get(name))


def json_object(job: Job, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Fetches a JSON object that fits into memory, fractions as Decimal.

    Raises:
        FetchError: It cannot be fetched, or is not a JSON object.
    """
    body = job.client.body(url, headers)
    try:
        value = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        msg = f"{shown(url)}: the response is not a JSON object"
        raise FetchError(msg)
    return value


def items_of(page: Mapping[str, Any], name: str, url: str) -> list[Any]:
    """Returns the list of a page.

    Raises:
        FetchError: The page has none.
    """
    items = page.get(name)
    if not isinstance(items, list):
        msg = f"{shown(url)}: the response has no {name}"
        raise FetchError(msg)
    return items
