"""The sources of prices."""

from __future__ import annotations

from breakeven.price_sources import aws, azure, google, gpuhunt
from breakeven.price_sources.aws_signature import KEY, SECRET
from breakeven.price_sources.source import Source

_BOTH = frozenset({"on-demand", "spot"})

GPUHUNT = Source(
    name="gpuhunt",
    title="gpuhunt catalog",
    base=gpuhunt.BASE,
    clouds=gpuhunt.CLOUDS,
    purchases=_BOTH,
    fetch=gpuhunt.fetch,
)
"""Has most clouds; queried if a cloud's own source cannot be used or fails."""

SOURCES = (
    Source(
        name="aws",
        title="AWS Price List",
        base=aws.PRICE_LIST,
        clouds=frozenset({"aws"}),
        purchases=frozenset({"on-demand", "reserved-1y", "reserved-3y"}),
        fetch=aws.fetch_price_list,
        by_region=True,
    ),
    Source(
        name="aws-services",
        title="AWS Price List of load balancers, EFS, EKS and addresses",
        base=aws.PRICE_LIST,
        clouds=frozenset({"aws"}),
        purchases=frozenset(),
        fetch=aws.fetch_services,
        by_region=True,
    ),
    Source(
        name="aws-spot",
        title="AWS spot price history",
        base=aws.SPOT,
        clouds=frozenset({"aws"}),
        purchases=frozenset({"spot"}),
        fetch=aws.fetch_spot,
        by_region=True,
        credentials=(KEY, SECRET),
        advice='eval "$(aws configure export-credentials --format env)" sets them',
    ),
    Source(
        name="azure",
        title="Azure Retail Prices API",
        base=azure.BASE,
        clouds=frozenset({"azure"}),
        purchases=frozenset({"on-demand", "spot", "reserved-1y", "reserved-3y"}),
        fetch=azure.fetch,
        by_region=True,
    ),
    Source(
        name="azure-services",
        title="Azure Retail Prices API for load balancers, NAT, AKS, addresses and storage",
        base=azure.BASE,
        clouds=frozenset({"azure"}),
        purchases=frozenset(),
        fetch=azure.fetch_services,
        by_region=True,
    ),
    Source(
        name="google",
        title="Google Cloud Billing Catalog",
        base=google.BASE,
        clouds=frozenset({"gcp"}),
        purchases=_BOTH,
        fetch=google.fetch,
        credentials=(google.KEY,),
        advice="create an API key restricted to the Cloud Billing API",
    ),
    GPUHUNT,
)
"""All sources, those of the clouds themselves first."""


def sources_of(cloud: str) -> tuple[Source, ...]:
    """Returns the sources that are queried for a cloud.

    Its own; or gpuhunt's catalog if it has none, and for the machines of Google whose parts the
    billing catalog does not distinguish. Empty if no source has the cloud.
    """
    own = tuple(source for source in SOURCES if source is not GPUHUNT and cloud in source.clouds)
    if own and cloud != "gcp":
        return own
    return (*own, GPUHUNT) if cloud in GPUHUNT.clouds else own
