"""Line items are named by what they pay for, and what has no price by why."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import get_args

import pytest

from breakeven.cost.bill.charge import ROOT_VOLUME, Charge, LineItemKind, UnpricedReason
from breakeven.cost.bill.line_item import NotPriced, line_item
from breakeven.reports.focus import _SERVICES
from breakeven.reports.sentences.line_items import (
    item_name,
    item_source,
    not_priced_name,
    not_priced_reason,
)
from tests.unit.cost.builders import owned_node, price

HALF = Decimal("0.5")


def charge(kind: LineItemKind, **facts: object) -> Charge:
    return replace(Charge(kind=kind, quantity=Decimal(1)), **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "name", "said"),
    [
        (charge("busy-nodes", share=HALF), "pool", "GPU nodes, busy 50%"),
        (charge("idle-nodes", share=HALF, model="one"), "pool", "GPU nodes of one, idle 50%"),
        (charge("root-volumes", attached=ROOT_VOLUME), "pool", "Root volumes of GPU nodes"),
        (charge("busy-nodes", share=HALF, on_cpus=True), "pool", "CPU nodes, busy 50%"),
        (
            charge("root-volumes", attached=ROOT_VOLUME, on_cpus=True),
            "pool",
            "Root volumes of CPU nodes",
        ),
        (charge("nat-gateway-nodes", on_cpus=True), "", "NAT gateway, CPU nodes"),
        (charge("volume", variant="efs"), "weights", "Volume weights (efs)"),
        (
            charge("volume", variant="gp3", attached="/dev/sdf"),
            "vm",
            "Volume vm, volume /dev/sdf (gp3)",
        ),
        (charge("volume-iops", variant="io1"), "db", "Volume db (io1), IOPS"),
        (charge("load-balancer-traffic"), "gateway", "Load balancer gateway, traffic"),
        (charge("control-plane", variant="eks"), "", "Control plane (eks)"),
        (charge("cpu-nodes", variant="m6i.large", count=2), "", "Monitoring, 2 x m6i.large"),
        (charge("nat-gateway-images"), "", "NAT gateway, images of started nodes"),
        (charge("overflow", model="one"), "", "Overflow by API of one"),
        (charge("engineer", share=Decimal("0.2")), "", "Senior engineer, 20%"),
        (charge("on-call"), "", "On-call"),
    ],
)
def test_a_line_item_is_named_by_what_it_pays_for(what: Charge, name: str, said: str) -> None:
    assert item_name(line_item(what, price("1", "month"), name)) == said


def test_an_owned_node_is_amortized_and_names_where_its_costs_come_from() -> None:
    node = owned_node(amortization_years=3, power_watts=1500)
    stated = replace(price("1", "unit"), source="", confidence="user")
    nodes = line_item(charge("busy-nodes", share=HALF, node=node), stated)
    assert item_name(nodes) == "GPU nodes, busy 50%: amortization"
    assert item_source(nodes) == "purchase over 36 months, 0% residual value"
    power = line_item(charge("electricity", node=node), stated)
    assert item_source(power) == "1,500 W at the wall x PUE 1"


def test_every_kind_has_a_name_and_a_service() -> None:
    for kind in get_args(LineItemKind):
        assert item_name(line_item(charge(kind), price("1", "month")))
    assert set(_SERVICES) == set(get_args(LineItemKind))


@pytest.mark.parametrize("reason", UnpricedReason)
def test_every_reason_for_a_missing_price_is_reported(reason: UnpricedReason) -> None:
    assert not_priced_reason(NotPriced(name="x", type="a:b:C", reason=reason, detail="gcp, aws"))


def test_what_has_no_price_is_named_with_the_way_out() -> None:
    missing = NotPriced(
        name="pool",
        type="a:b:C",
        reason=UnpricedReason.PRICE_MISSING,
        detail="volume/azure/node-os-disk",
        attached=ROOT_VOLUME,
    )
    assert not_priced_name(missing) == "pool, root volume"
    assert not_priced_reason(missing) == (
        "no price volume/azure/node-os-disk; set one in pricing.overrides"
    )
    assert not_priced_name(replace(missing, name="", attached="")) == "cluster"
