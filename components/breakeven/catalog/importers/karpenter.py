"""The price tables that Karpenter's providers generate in Go, for AWS and Azure (Apache-2.0).

pkg/providers/pricing/zz_generated.pricing_aws.go of github.com/aws/karpenter-provider-aws, and
pkg/providers/pricing/zz_generated.pricing.go of github.com/Azure/karpenter-provider-azure. Both
hold prices on demand, in USD an hour, by region and machine type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import TextIO

from breakeven.catalog.importers.listing import Selection, SourceError, node_price, parse_day
from breakeven.catalog.price import Price

_GENERATED = re.compile(r"^// generated at (\S+)")
_AWS_REGION = re.compile(r'^\t"([a-z0-9-]+)": \{')
_AZURE_REGION = re.compile(r'^\tinitialOnDemandPrices\["([a-z0-9]+)"\]')
_PRICE = re.compile(r'"([^"]+)":\s*([-+.\w]+),')
_YUAN = "cn-"
"""Regions whose prices that table has in yuan, says its pricing.go."""


def is_aws(head: str) -> bool:
    """Tells by its beginning whether a file is the table of AWS."""
    return "InitialOnDemandPrices" in head and "ec2types" in head


def is_azure(head: str) -> bool:
    """Tells by its beginning whether a file is the table of Azure."""
    return "initialOnDemandPrices" in head and "ec2types" not in head


def read_aws(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of AWS.

    Raises:
        SourceError: The file has no date, a price that is none, or prices in yuan.
    """
    return _read(stream, name, selection, "aws", _AWS_REGION)


def read_azure(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of Azure.

    Raises:
        SourceError: The file has no date, or a price that is none.
    """
    return _read(stream, name, selection, "azure", _AZURE_REGION)


def _read(
    stream: TextIO, name: str, selection: Selection, cloud: str, region_line: re.Pattern[str]
) -> Iterator[Price]:
    day: date | None = None
    region = ""
    for number, line in enumerate(stream, start=1):
        where = f"{name}, line {number}"
        if found := _GENERATED.match(line):
            day = parse_day(where, found[1])
        elif found := region_line.match(line):
            region = found[1]
            if region.startswith(_YUAN):
                msg = f"{where}: the prices of {region} are in yuan; allowed: US dollars"
                raise SourceError(msg)
        for instance_type, usd in _PRICE.findall(line):
            if not selection.takes(cloud, region, instance_type):
                continue
            if day is None:
                msg = f"{where}: a price before the line that says when the table was generated"
                raise SourceError(msg)
            yield node_price(
                where,
                cloud=cloud,
                region=region,
                instance_type=instance_type,
                purchase="on-demand",
                usd=usd,
                source=f"karpenter-provider-{cloud}, Apache-2.0",
                as_of=day,
            )
