"""AWS: the Price List Bulk API, and EC2's spot price history.

The bulk API needs no credentials ("Getting price list files manually" in the AWS Billing guide):
region_index.json names an offer's file for each region; the CSV file is a third smaller than JSON.
The history is DescribeSpotPriceHistory of the EC2 API, with one signed request per page.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from io import TextIOWrapper
from xml.etree import ElementTree as ET

from breakeven.catalog.importers import aws_price_list, aws_spot
from breakeven.catalog.importers.in_force import InForce
from breakeven.catalog.importers.kinds import kind_named, read_listing
from breakeven.catalog.importers.listing import Listing, dearest
from breakeven.price_sources.aws_signature import query_text, signed_headers
from breakeven.price_sources.client import FetchError, Limits, shown
from breakeven.price_sources.source import Job, json_object

PRICE_LIST = "https://pricing.us-east-1.amazonaws.com"

SPOT = "https://ec2.{region}.amazonaws.com"
"""Each region's endpoint has the prices of that region."""

_OFFER = Limits(largest_bytes=4 << 30, longest_seconds=1800)
"""An offer file of a region has hundreds of MB."""

_INDEX = "/offers/v1.0/aws/{offer}/current/region_index.json"
_API_VERSION = "2016-11-15"
_PAGES = 200
_TYPES_PER_REQUEST = 100


def fetch_price_list(job: Job) -> Listing:
    """Fetches the offer file of EC2 for a region: machines, volumes and NAT gateways.

    Raises:
        FetchError: It cannot be fetched, or its index does not have the region.
        SourceError: It cannot be read.
    """
    return _offer(job, aws_price_list.OFFERS[0])


def fetch_services(job: Job) -> Listing:
    """Fetches the offer files of load balancers, shared storage and the like for a region.

    Raises:
        FetchError: As `fetch_price_list`.
        SourceError: As `fetch_price_list`.
    """
    offers = [_offer(job, offer) for offer in aws_price_list.OFFERS[1:]]
    prices = tuple(price for offer in offers for price in offer.prices)
    name = f"AWS price list of {', '.join(job.regions)}: {', '.join(aws_price_list.OFFERS[1:])}"
    return Listing(name, offers[0].kind, prices, whole=False)


def _offer(job: Job, offer: str) -> Listing:
    [region] = job.regions
    address = f"{job.base}{_INDEX.format(offer=offer)}"
    index = json_object(job, address)
    entry = (index.get("regions") or {}).get(region)
    path = entry.get("currentVersionUrl") if isinstance(entry, dict) else None
    if not isinstance(path, str) or not path.startswith("/") or not path.endswith(".json"):
        msg = f"{shown(address)}: has no region {region}"
        raise FetchError(msg)
    with tempfile.TemporaryFile() as file:
        job.client.download(f"{job.base}{path.removesuffix('.json')}.csv", file, limits=_OFFER)
        text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
        name = f"AWS price list of {region}: {offer}"
        return read_listing(text, name, kind_named("aws-price-list-csv"), job.selection)


def fetch_spot(job: Job) -> Listing:
    """Fetches the spot prices in force in a region.

    Raises:
        FetchError: They cannot be fetched.
        SourceError: A price is not an amount.
    """
    [region] = job.regions
    name = f"AWS spot price history of {region}"
    types = sorted(kind for cloud, kind in job.selection.shapes if cloud == "aws")
    found = InForce()
    for first in range(0, len(types), _TYPES_PER_REQUEST):
        asked = types[first : first + _TYPES_PER_REQUEST]
        for number, item in enumerate(_history(job, region, asked), start=1):
            aws_spot.take(found, f"{name}, item {number}", item, name, job.selection)
    return Listing(name, "aws-spot-history", tuple(dearest(found.prices())), whole=False)


def _history(job: Job, region: str, types: list[str]) -> Iterator[dict[str, str]]:
    base = job.base.replace("{region}", region)
    # Prices changed in the last moments, and those in force before: one per zone and type.
    start = job.now - timedelta(hours=1)
    parameters = {
        "Action": "DescribeSpotPriceHistory",
        "Version": _API_VERSION,
        "StartTime": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "MaxResults": "1000",
        **{f"ProductDescription.{n}": name for n, name in enumerate(aws_spot.PRODUCTS, start=1)},
        **{f"InstanceType.{n}": name for n, name in enumerate(types, start=1)},
    }
    for _ in range(_PAGES):
        headers = signed_headers(
            f"{base}/", parameters, job.environment, region=region, service="ec2", now=job.now
        )
        url = f"{base}/?{query_text(parameters)}"
        page = _xml(job.client.body(url, headers), url)
        for item in page.iterfind("spotPriceHistorySet/item"):
            yield {f"{field.tag[:1].upper()}{field.tag[1:]}": field.text or "" for field in item}
        token = page.findtext("nextToken")
        if not token:
            return
        parameters = {**parameters, "NextToken": token}
    msg = f"{shown(base)}: more than {_PAGES} pages"
    raise FetchError(msg)


def _xml(body: bytes, url: str) -> ET.Element:
    """Reads an answer, without its namespace."""
    root: ET.Element | None = None
    if b"<!" not in body:  # a document type could declare entities that expand without limit
        try:
            root = ET.fromstring(body)  # noqa: S314  # it has no document type
        except (ET.ParseError, ValueError):
            root = None
    if root is None or not root.tag.endswith("DescribeSpotPriceHistoryResponse"):
        msg = f"{shown(url)}: the response is not a DescribeSpotPriceHistoryResponse"
        raise FetchError(msg)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root
