"""The Azure Retail Prices API, which needs no credentials.

Its page "Azure Retail Prices overview" describes it: $filter selects prices, and NextPageLink is
the address of the next page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import httpx2

from breakeven.catalog.importers import azure_charges, azure_retail
from breakeven.catalog.importers.listing import Listing
from breakeven.price_sources.client import FetchError, shown
from breakeven.price_sources.source import Job, items_of, json_object

BASE = "https://prices.azure.com/api/retail/prices"

_PAGES = 500


def fetch(job: Job) -> Listing:
    """Fetches the prices of machines in a region, by consumption and by reservation.

    Raises:
        FetchError: They cannot be fetched.
        SourceError: A price is not an amount, or not in US dollars.
    """
    machines = "serviceName eq 'Virtual Machines' and priceType eq '{}'"
    kinds = [machines.format(kind) for kind in ("Consumption", "Reservation")]
    return _listing(job, kinds, job.regions)


def fetch_services(job: Job) -> Listing:
    """Fetches the prices of balancers, NAT, control planes, addresses and storage in a region.

    Raises:
        FetchError: They cannot be fetched.
        SourceError: As `fetch`.
    """
    services = [f"{wanted} and priceType eq 'Consumption'" for wanted in azure_charges.FILTERS]
    return _listing(job, services, (*job.regions, azure_charges.GLOBAL))


def _listing(job: Job, filters: Sequence[str], regions: Sequence[str]) -> Listing:
    name = f"Azure retail prices of {', '.join(job.regions)}"
    items = (
        item
        for wanted in filters
        for region in regions
        for item in _items(job, f"{wanted} and armRegionName eq '{region}'", name)
    )
    prices = tuple(azure_retail.prices_of(items, name, job.selection))
    return Listing(name, "azure-retail-prices", prices, whole=False)


def _items(job: Job, wanted: str, name: str) -> Iterator[tuple[str, Any]]:
    url = f"{job.base}?{httpx2.QueryParams({'currencyCode': 'USD', '$filter': wanted})}"
    for page in range(1, _PAGES + 1):
        answer = json_object(job, url)
        for number, item in enumerate(items_of(answer, "Items", url), start=1):
            yield f"{name}, page {page}, item {number}", item
        link = answer.get("NextPageLink")
        if not link:
            return
        url = _next(job, link, url)
    msg = f"{shown(job.base)}: more than {_PAGES} pages"
    raise FetchError(msg)


def _next(job: Job, link: object, url: str) -> str:
    """Returns the address of the next page: the link's query, at the address that was asked."""
    try:
        query = httpx2.URL(str(link)).query.decode("ascii")
    except (httpx2.InvalidURL, ValueError):
        query = ""
    following = f"{job.base}?{query}"
    if not query or following == url:
        msg = f"{shown(url)}: the NextPageLink does not lead to another page"
        raise FetchError(msg)
    return following
