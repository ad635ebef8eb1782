"""Every registered resource ends as a line, as free of charge, or as not priced: never lost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.price_book import PriceBook
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.charge import UnpricedReason
from breakeven.cost.bill.node_cost import OwnedNode
from breakeven.cost.bill.pricing import price_infrastructure
from breakeven.cost.bill.registered import GPU_POOL, Registered
from tests.unit.cost.builders import TODAY, WEEK, assumptions, engine, node, pool, volume


def test_busy_and_idle_lines_add_up_to_all_paid_node_hours() -> None:
    machines = price_infrastructure([pool()], WEEK, assumptions(node=node("3")))
    busy, idle = machines.lines
    assert busy.quantity + idle.quantity == 2 * 720
    assert busy.monthly * 3 == idle.monthly
    assert machines.monthly == 2 * 720 * 3


def test_an_owned_node_has_amortisation_electricity_and_rack_in_lines_of_their_own() -> None:
    owned = OwnedNode(
        purchase_price=Decimal(36_000),
        amortization_years=3,
        residual_share=Decimal(0),
        power_watts=1000,
        power_usage_effectiveness=Decimal("1.5"),
        electricity_price_per_kwh=Decimal("0.10"),
        rack_and_support_per_month=Decimal(50),
        gpus=8,
    )
    machines = price_infrastructure([pool()], WEEK, assumptions(node=owned))
    by_kind = {line.kind: line.monthly for line in machines.lines}
    assert by_kind["electricity"] == 2 * 720 * Decimal("1.5") * Decimal("0.10")
    assert by_kind["rack"] == 100
    assert sum(by_kind.values()) == 2 * (1000 + 108 + 50)
    assert all(line.node == owned for line in machines.lines)


def test_a_volume_of_an_unknown_class_is_not_priced_and_names_the_way_out() -> None:
    machines = price_infrastructure([volume("mystery")], WEEK, assumptions())
    [item] = machines.not_priced
    assert not machines.lines
    assert (item.reason, item.detail) == (UnpricedReason.PRICE_MISSING, "volume/aws/mystery")


def test_a_volume_is_priced_by_its_class_and_size() -> None:
    [line] = price_infrastructure([volume("gp3", "100Gi")], WEEK, assumptions()).lines
    assert line.monthly == 8


def test_gpu_pods_without_a_pool_are_not_priced() -> None:
    pods = Registered(
        "vllm",
        "kubernetes:apps/v1:Deployment",
        {
            "spec": {
                "template": {
                    "spec": {"containers": [{"resources": {"limits": {"nvidia.com/gpu": "1"}}}]}
                }
            }
        },
    )
    [item] = price_infrastructure([pods], WEEK, assumptions()).not_priced
    assert item.reason is UnpricedReason.NO_GPU_POOL
    assert not price_infrastructure([pods, pool()], WEEK, assumptions()).not_priced


def test_root_volumes_are_paid_only_for_nodes_that_are_started() -> None:
    started = Registered("pool", GPU_POOL, {"kind": "karpenter-aws", "nodeVolumeGigabytes": 100})
    kinds = [line.kind for line in price_infrastructure([started], WEEK, assumptions()).lines]
    assert "root-volumes" in kinds
    kinds = [line.kind for line in price_infrastructure([pool()], WEEK, assumptions()).lines]
    assert "root-volumes" not in kinds


def test_a_root_volume_without_price_leaves_the_price_of_its_node() -> None:
    nodes = Registered("pool", GPU_POOL, {"kind": "karpenter-azure", "nodeVolumeGigabytes": 100})
    machines = price_infrastructure([nodes], WEEK, assumptions(cloud="azure"))
    assert [line.kind for line in machines.lines] == ["busy-nodes", "idle-nodes"]
    [missing] = machines.not_priced
    assert missing.detail == "volume/azure/node-os-disk"


def test_every_machine_of_a_replica_that_spans_several_is_paid() -> None:
    nodes = Registered("pool", GPU_POOL, {"kind": "karpenter-aws", "nodeVolumeGigabytes": 100})
    one = assumptions()
    three = assumptions(fleet=replace(one.fleet, machines_per_node=3))
    busy, idle, disks = price_infrastructure([nodes], WEEK, three).lines
    assert busy.quantity + idle.quantity == 2 * 3 * 720
    assert disks.quantity == 2 * 3 * 100


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp", "none"])
def test_a_load_balancer_is_priced_or_said_to_have_no_price(cloud: str) -> None:
    service = Registered("s", "kubernetes:core/v1:Service", {"spec": {"type": "LoadBalancer"}})
    machines = price_infrastructure([service], WEEK, assumptions(cloud=cloud))
    assert bool(machines.lines) != bool(machines.not_priced)
    assert bool(machines.not_priced) == (cloud == "none")


TRAFFIC_GB = 15
"""One month with 3,000 million tokens at 5 bytes each."""

SERVICE = Registered("s", "kubernetes:core/v1:Service", {"spec": {"type": "LoadBalancer"}})


@pytest.mark.parametrize(
    ("cloud", "unit", "quantity"),
    [
        # Of a network load balancer's capacity unit an hour takes 1 GB.
        ("aws", "LCU-month", Decimal(TRAFFIC_GB) / 720),
        ("azure", "GB", Decimal(TRAFFIC_GB)),
        ("gcp", "GB", Decimal(TRAFFIC_GB)),
    ],
)
def test_what_runs_through_a_load_balancer_is_paid_beside_it(
    cloud: str, unit: str, quantity: Decimal
) -> None:
    asked = assumptions(cloud=cloud)
    base, traffic = price_infrastructure([SERVICE], WEEK, asked).lines
    assert (base.kind, base.quantity, base.unit) == ("load-balancer", Decimal(1), "month")
    assert (traffic.kind, traffic.unit) == ("load-balancer-traffic", unit)
    assert traffic.quantity == quantity
    assert traffic.unit_price == asked.book.find(traffic.identifier).usd


def test_where_traffic_is_free_a_load_balancer_is_one_line() -> None:
    base = assumptions().book.find("load-balancer/aws/nlb")
    price = replace(base, identifier="load-balancer/own")
    book = PriceBook({price.identifier: price}, {}, today=TODAY)
    [line] = price_infrastructure([SERVICE], WEEK, assumptions(cloud="own", book=book)).lines
    assert (line.kind, line.identifier) == ("load-balancer", price.identifier)


def of_model(resource: Registered, name: str) -> Registered:
    """The same as a stack of several models registers it for one of them."""
    labels = {"labels": {"app.kubernetes.io/instance": name}}
    return replace(resource, properties={**(resource.properties or {}), "metadata": labels})


def two_models() -> Assumptions:
    """Two models; the second one has three times the load."""
    first, second = (assumptions(engine=engine(name), instance=name) for name in ("one", "two"))
    load = replace(second.load, tokens_per_day=3 * second.load.tokens_per_day)
    return replace(first, others=(replace(second, load=load),))


def test_what_one_of_several_models_has_is_its_own_line_with_its_own_traffic() -> None:
    both = two_models()
    of_two = [of_model(SERVICE, "two"), of_model(volume(), "two")]
    lines = price_infrastructure(of_two, WEEK, both, (WEEK, WEEK)).lines
    assert {line.model for line in lines} == {"two"}
    by_kind = {line.kind: line.quantity for line in lines}
    assert by_kind["load-balancer"] == 1
    assert by_kind["load-balancer-traffic"] == pytest.approx(Decimal(3 * TRAFFIC_GB) / 720)


def test_what_models_share_is_no_model_s_and_carries_all_their_traffic() -> None:
    both = two_models()
    lines = price_infrastructure([SERVICE, volume()], WEEK, both, (WEEK, WEEK)).lines
    assert {line.model for line in lines} == {""}
    by_kind = {line.kind: line.quantity for line in lines}
    assert by_kind["load-balancer-traffic"] == pytest.approx(Decimal(4 * TRAFFIC_GB) / 720)


def test_nodes_of_several_models_are_lines_of_each_but_for_nodes_that_they_share() -> None:
    both, weeks = two_models(), (WEEK, replace(WEEK, mean_nodes=5.0))
    together = replace(WEEK, mean_nodes=7.0)
    own = price_infrastructure([pool()], together, both, weeks).lines
    busy, idle = Decimal("0.25"), Decimal("0.75")
    assert [(line.model, line.kind, line.share, line.quantity) for line in own] == [
        ("one", "busy-nodes", busy, Decimal(360)),
        ("one", "idle-nodes", idle, Decimal(1080)),
        ("two", "busy-nodes", busy, Decimal(900)),
        ("two", "idle-nodes", idle, Decimal(2700)),
    ]
    shared = replace(both, fleet=replace(both.fleet, fixed_nodes=7))
    assert [
        (line.model, line.kind, line.quantity)
        for line in price_infrastructure([pool()], together, shared, weeks).lines
    ] == [("", "busy-nodes", Decimal(1260)), ("", "idle-nodes", Decimal(3780))]


@given(
    st.lists(
        st.builds(
            Registered,
            st.text(max_size=5),
            st.sampled_from(
                [
                    GPU_POOL,
                    "kubernetes:core/v1:Service",
                    "kubernetes:core/v1:PersistentVolumeClaim",
                    "kubernetes:apps/v1:Deployment",
                    "kubernetes:core/v1:Namespace",
                    "example:other:Thing",
                ]
            ),
            st.none()
            | st.dictionaries(st.sampled_from(["spec", "kind"]), st.integers() | st.text()),
        ),
        max_size=6,
    )
)
def test_no_resource_is_lost_whatever_its_shape(resources: list[Registered]) -> None:
    machines = price_infrastructure(resources, WEEK, assumptions())
    told = len(machines.without_charge) + len(machines.not_priced)
    priced = sum(entry.type == GPU_POOL and entry.properties is not None for entry in resources)
    assert told + priced == len(resources)


def test_pods_that_are_not_known_at_preview_are_not_priced() -> None:
    pods = Registered("vllm", "kubernetes:apps/v1:Deployment", {"spec": None})
    [item] = price_infrastructure([pods, pool()], WEEK, assumptions()).not_priced
    assert item.reason is UnpricedReason.CONTAINERS_UNKNOWN
