"""Google's Cloud Billing Catalog API: the SKUs of Compute Engine.

As "Get Google Cloud pricing information" describes it: services/SERVICE/skus in pages, each with
the nextPageToken of the next. The key goes in a header, so that no address holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2

from breakeven.catalog.importers import google_skus
from breakeven.catalog.importers.listing import Listing
from breakeven.price_sources.client import FetchError, shown
from breakeven.price_sources.source import Job, items_of, json_object

BASE = "https://cloudbilling.googleapis.com"
KEY = "GOOGLE_CLOUD_BILLING_API_KEY"

_COMPUTE_ENGINE = "/v1/services/6F81-5844-456A/skus"
_PAGES = 100


def fetch(job: Job) -> Listing:
    """Fetches the prices of machines, put together from their parts.

    Raises:
        FetchError: They cannot be fetched.
        SourceError: A price is not an amount, or not in US dollars.
    """
    name = "Google Cloud Billing Catalog"
    prices = tuple(google_skus.prices_of(_items(job, name), name, job.selection))
    return Listing(name, "google-catalog", prices, whole=False)


def _items(job: Job, name: str) -> Iterator[tuple[str, Any]]:
    address = f"{job.base}{_COMPUTE_ENGINE}"
    parameters = {"currencyCode": "USD", "pageSize": "5000"}
    headers = {"x-goog-api-key": job.environment[KEY]}
    seen: set[str] = set()
    for page in range(1, _PAGES + 1):
        url = f"{address}?{httpx2.QueryParams(parameters)}"
        answer = json_object(job, url, headers)
        for number, item in enumerate(items_of(answer, "skus", url), start=1):
            yield f"{name}, page {page}, item {number}", item
        token = answer.get("nextPageToken")
        if not token:
            return
        if not isinstance(token, str) or token in seen:
            msg = f"{shown(url)}: the nextPageToken does not lead to another page"
            raise FetchError(msg)
        seen.add(token)
        parameters = {**parameters, "pageToken": token}
    msg = f"{shown(address)}: more than {_PAGES} pages"
    raise FetchError(msg)
