"""The kinds of outside files that can be read, and which of them a file is."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO, TypeAlias

from breakeven.catalog.importers import (
    aws_price_list,
    aws_spot,
    azure_retail,
    google_skus,
    gpuhunt,
    karpenter,
    skypilot,
    table,
)
from breakeven.catalog.importers.listing import Listing, Selection, SourceError
from breakeven.catalog.price import Price
from breakeven.json_stream import JsonStreamError

Reader: TypeAlias = Callable[[TextIO, str, Selection], Iterator[Price]]

HEAD = 1 << 16
"""Characters of a file by which its kind is recognized."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes:
        name: As --kind takes it.
        recognises: Tells by the beginning of a file whether it is of this kind.
        read: Yields the wanted prices of a file.
        whole: Whether a file lists all that its source sells in a region.
    """

    name: str
    recognises: Callable[[str], bool]
    read: Reader
    whole: bool = False


KINDS = (
    Kind("karpenter-aws", karpenter.is_aws, karpenter.read_aws, whole=True),
    Kind("karpenter-azure", karpenter.is_azure, karpenter.read_azure, whole=True),
    Kind("table-csv", table.is_csv, table.read_csv),
    Kind("table-json", table.is_json, table.read_json),
    Kind("aws-price-list-json", aws_price_list.is_json, aws_price_list.read_json, whole=True),
    Kind("aws-price-list-csv", aws_price_list.is_csv, aws_price_list.read_csv, whole=True),
    Kind("aws-get-products", aws_price_list.is_products, aws_price_list.read_products),
    Kind("aws-spot-history", aws_spot.is_history, aws_spot.read),
    Kind("azure-retail-prices", azure_retail.is_page, azure_retail.read),
    Kind("google-catalog", google_skus.is_catalog, google_skus.read_catalog),
    Kind("google-pricing-export", google_skus.is_export, google_skus.read_export),
    Kind("skypilot-csv", skypilot.is_table, skypilot.read),
    Kind("gpuhunt-csv", gpuhunt.is_catalog, gpuhunt.read),
)


def kind_named(name: str) -> Kind:
    """Returns a kind by its name.

    Raises:
        KeyError: There is none of that name.
    """
    return {kind.name: kind for kind in KINDS}[name]


def kind_of(head: str, name: str) -> Kind:
    """Returns the kind of a file.

    Args:
        head: Its first `HEAD` characters.
        name: Its name, for the message.

    Raises:
        SourceError: It is none of them.
    """
    for kind in KINDS:
        if kind.recognises(head):
            return kind
    msg = (
        f"{name}: not a known kind of price list. "
        f"Name it with --kind; allowed: {', '.join(kind.name for kind in KINDS)}"
    )
    raise SourceError(msg)


def read_listing(stream: TextIO, name: str, kind: Kind, selection: Selection) -> Listing:
    """Reads the wanted prices of a file.

    Raises:
        SourceError: The file cannot be read, or has no price that is wanted.
    """
    try:
        prices = tuple(kind.read(stream, name, selection))
    except JsonStreamError as error:
        msg = f"{name}, {error}"
        raise SourceError(msg) from None
    except csv.Error as error:
        msg = f"{name}: not CSV: {error}"
        raise SourceError(msg) from None
    except UnicodeDecodeError as error:
        msg = f"{name}: not UTF-8, {error.reason}"
        raise SourceError(msg) from None
    if not prices:
        msg = (
            f"{name}: read as {kind.name}, it has no price of a machine type and region of the "
            "book. Add a region with --region CLOUD/REGION, a machine type as a line of "
            "stacks/prices/machines.csv, or name another --kind"
        )
        raise SourceError(msg)
    return Listing(name, kind.name, prices, kind.whole)
