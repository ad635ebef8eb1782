"""From registered resources to line items: the one pipeline for our stacks and for any program.

What runs all hours is billed all hours. What has no rule or no price is listed as not priced,
never taken for free.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from breakeven.catalog.price import PriceMissingError
from breakeven.catalog.price_book import PriceBook
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.charge import (
    Charge,
    Context,
    Part,
    Place,
    Rule,
    Unpriced,
    UnpricedReason,
)
from breakeven.cost.bill.line_item import Infrastructure, LineItem, NotPriced, line_item
from breakeven.cost.bill.registered import GPU_POOL, Registered
from breakeven.cost.bill.rules import aws, azure, gcp, kubernetes
from breakeven.cost.bill.rules.listed_types import listed_parts
from breakeven.cost.bill.rules.type_names import plain_type
from breakeven.cost.bill.shared_costs import cluster_charges
from breakeven.cost.bill.usage import StackUsage
from breakeven.cost.fleet.plan import FleetWeek

_RULES: Mapping[str, Rule] = {**kubernetes.RULES, **aws.RULES, **azure.RULES, **gcp.RULES}
"""By type token; a further type is a further entry in its provider's module."""

_BY_PLAIN_TYPE: Mapping[str, Rule] = {plain_type(token): rule for token, rule in _RULES.items()}
_NODE_TYPES = aws.NODE_TYPES | azure.NODE_TYPES | gcp.NODE_TYPES

_DEPLOYMENT = "kubernetes:apps/v1:Deployment"
# A hash of the content behind a name; a bill's reader has no use for it.
_HASH = re.compile(r"-[0-9a-f]{8}$")


def price_resources(
    resources: Iterable[Registered], book: PriceBook, context: Context
) -> Infrastructure:
    """Prices what a program registered.

    Args:
        resources: The ledger.
        book: Prices.
        context: Where the resources are, and how they are used.
    """
    lines: list[LineItem] = []
    free: list[str] = []
    unpriced: list[NotPriced] = []
    for resource in resources:
        name = resource.name if context.usage is None else _HASH.sub("", resource.name)
        parts = parts_of(resource, context)
        if not parts:
            free.append(name)
        for part in parts:
            priced = _priced(part, book, name, resource.type)
            if isinstance(priced, LineItem):
                lines.append(priced)
            else:
                unpriced.append(priced)
    return Infrastructure(tuple(lines), tuple(free), tuple(unpriced))


def makes_nodes(resources: Iterable[Registered]) -> bool:
    """Tells whether nodes that pods can run on are among a program's resources."""
    return any(plain_type(resource.type) in _NODE_TYPES for resource in resources)


def price_infrastructure(
    resources: Iterable[Registered],
    week: FleetWeek,
    assumptions: Assumptions,
    by_model: Sequence[FleetWeek] = (),
) -> Infrastructure:
    """Prices what a stack registered, and the cluster's share.

    Args:
        resources: The ledger.
        week: What the fleet does with the load.
        assumptions: Prices and everything else.
        by_model: The same for each model, where a stack has several.
    """
    ledger = tuple(resources)
    usage = StackUsage(
        week=week,
        assumptions=assumptions,
        by_model=by_model,
        has_pool=any(
            resource.type == GPU_POOL and resource.properties is not None for resource in ledger
        ),
    )
    context = Context(Place(assumptions.cloud, assumptions.region), usage)
    found = price_resources(ledger, assumptions.book, context)
    shared = [
        _priced(part, assumptions.book, "", part.identifier)
        if isinstance(part, Charge)
        else _priced(part, assumptions.book, "gateway", _DEPLOYMENT)
        for part in cluster_charges(assumptions, usage.activities)
    ]
    items = (*found.lines, *(item for item in shared if isinstance(item, LineItem)))
    return Infrastructure(
        lines=tuple(item for item in items if not item.is_dormant),
        dormant=tuple(item for item in items if item.is_dormant),
        without_charge=found.without_charge,
        not_priced=(*found.not_priced, *(item for item in shared if isinstance(item, NotPriced))),
    )


def parts_of(resource: Registered, context: Context) -> Sequence[Part]:
    """Returns what a resource is charged by; nothing if it is free. Never raises."""
    if kubernetes.is_free(resource.type):
        return ()
    listed = listed_parts(resource.type)
    if listed is not None:
        return listed
    rule = _BY_PLAIN_TYPE.get(plain_type(resource.type))
    if resource.properties is None:
        return (Unpriced(UnpricedReason.INPUTS_UNREADABLE),)
    if rule is None:
        return (Unpriced(UnpricedReason.NO_RULE),)
    return rule(resource.properties, context)


def charged(resources: Iterable[Registered]) -> tuple[Registered, ...]:
    """Picks what can make a line item, for callers that price a ledger thousands of times."""
    nowhere = Context(Place("", ""))
    return tuple(
        resource
        for resource in resources
        if resource.type == GPU_POOL
        or any(isinstance(part, Charge) for part in parts_of(resource, nowhere))
    )


def _priced(part: Part, book: PriceBook, name: str, kind: str) -> LineItem | NotPriced:
    if isinstance(part, Unpriced):
        return NotPriced(
            name=name, type=kind, reason=part.reason, detail=part.detail, attached=part.attached
        )
    try:
        price = part.price or book.find(part.identifier)
    except PriceMissingError as missing:
        return NotPriced(
            name=name,
            type=kind,
            reason=UnpricedReason.PRICE_MISSING,
            detail=missing.identifier,
            attached=part.attached,
        )
    return line_item(part, price, name)
