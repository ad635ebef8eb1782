"""Every registered resource ends as a line, as free of charge, or as not priced: never lost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.price_book import PriceBook
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.node_cost import OwnedNode
from breakeven.cost.bill.pricing import price_resources
from breakeven.cost.bill.registered import GPU_POOL, Registered
from tests.unit.cost.builders import TODAY, WEEK, assumptions, node, pool, volume


def test_busy_and_idle_lines_add_up_to_all_paid_node_hours() -> None:
    machines = price_resources([pool()], WEEK, assumptions(node=node("3")))
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
        description="owned",
    )
    machines = price_resources([pool()], WEEK, assumptions(node=owned))
    by_item = {line.item: line.monthly for line in machines.lines}
    assert by_item["Electricity and cooling"] == 2 * 720 * Decimal("1.5") * Decimal("0.10")
    assert by_item["Rack, network port, support"] == 100
    assert sum(by_item.values()) == 2 * (1000 + 108 + 50)
    assert "purchase over 36 months, 0% residual" in machines.lines[0].source


def test_a_volume_of_an_unknown_class_is_not_priced_and_names_the_way_out() -> None:
    machines = price_resources([volume("mystery")], WEEK, assumptions())
    [item] = machines.not_priced
    assert not machines.lines
    assert "volume/aws/mystery" in item.reason
    assert "priceOverrides" in item.reason


def test_a_volume_is_priced_by_its_class_and_size() -> None:
    [line] = price_resources([volume("gp3", "100Gi")], WEEK, assumptions()).lines
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
    [item] = price_resources([pods], WEEK, assumptions()).not_priced
    assert item.reason == "asks for GPUs, but no pool is registered"
    assert not price_resources([pods, pool()], WEEK, assumptions()).not_priced


def test_root_volumes_are_paid_only_for_nodes_that_are_started() -> None:
    started = Registered("pool", GPU_POOL, {"kind": "karpenter-aws", "nodeVolumeGigabytes": 100})
    items = [line.item for line in price_resources([started], WEEK, assumptions()).lines]
    assert "Root volumes of GPU nodes" in items
    items = [line.item for line in price_resources([pool()], WEEK, assumptions()).lines]
    assert "Root volumes of GPU nodes" not in items


def test_a_root_volume_without_price_leaves_the_price_of_its_node() -> None:
    nodes = Registered("pool", GPU_POOL, {"kind": "karpenter-azure", "nodeVolumeGigabytes": 100})
    machines = price_resources([nodes], WEEK, assumptions(cloud="azure"))
    assert [line.item[:9] for line in machines.lines] == ["GPU nodes", "GPU nodes"]
    [missing] = machines.not_priced
    assert "volume/azure/node-os-disk" in missing.reason


def test_every_machine_of_a_replica_that_spans_several_is_paid() -> None:
    nodes = Registered("pool", GPU_POOL, {"kind": "karpenter-aws", "nodeVolumeGigabytes": 100})
    one = assumptions()
    three = assumptions(fleet=replace(one.fleet, machines_per_node=3))
    busy, idle, disks = price_resources([nodes], WEEK, three).lines
    assert busy.quantity + idle.quantity == 2 * 3 * 720
    assert disks.quantity == 2 * 3 * 100


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp", "none"])
def test_a_load_balancer_is_priced_or_said_to_have_no_price(cloud: str) -> None:
    service = Registered("s", "kubernetes:core/v1:Service", {"spec": {"type": "LoadBalancer"}})
    machines = price_resources([service], WEEK, assumptions(cloud=cloud))
    assert bool(machines.lines) != bool(machines.not_priced)
    assert bool(machines.not_priced) == (cloud == "none")


TRAFFIC_GB = 15
"""A month of 3,000 million tokens at 5 bytes each."""

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
    base, traffic = price_resources([SERVICE], WEEK, asked).lines
    assert (base.item, base.quantity, base.unit) == ("Load balancer", Decimal(1), "month")
    assert (traffic.item, traffic.unit) == ("Load balancer, traffic", unit)
    assert traffic.quantity == quantity
    assert traffic.unit_price == asked.book.find(traffic.identifier).usd


def test_where_traffic_is_free_a_load_balancer_is_one_line() -> None:
    base = assumptions().book.find("load-balancer/aws/nlb")
    price = replace(base, identifier="load-balancer/own")
    book = PriceBook({price.identifier: price}, {}, today=TODAY)
    [line] = price_resources([SERVICE], WEEK, assumptions(cloud="own", book=book)).lines
    assert (line.item, line.identifier) == ("Load balancer", price.identifier)


def of_model(resource: Registered, name: str) -> Registered:
    """The same as a stack of several models registers it for one of them."""
    labels = {"labels": {"app.kubernetes.io/instance": name}}
    return replace(resource, properties={**(resource.properties or {}), "metadata": labels})


def two_models() -> Assumptions:
    """Two models; the second one has three times the load."""
    first, second = (assumptions(served=name, instance=name) for name in ("one", "two"))
    load = replace(second.load, tokens_per_day=3 * second.load.tokens_per_day)
    return replace(first, others=(replace(second, load=load),))


def test_what_one_of_several_models_has_is_its_own_line_with_its_own_traffic() -> None:
    both = two_models()
    of_two = [of_model(SERVICE, "two"), of_model(volume(), "two")]
    lines = price_resources(of_two, WEEK, both, (WEEK, WEEK)).lines
    assert {line.model for line in lines} == {"two"}
    by_item = {line.item: line.quantity for line in lines}
    assert by_item["Load balancer of two"] == 1
    assert by_item["Load balancer of two, traffic"] == Decimal(3 * TRAFFIC_GB) / 720


def test_what_models_share_is_no_model_s_and_carries_all_their_traffic() -> None:
    both = two_models()
    lines = price_resources([SERVICE, volume()], WEEK, both, (WEEK, WEEK)).lines
    assert {line.model for line in lines} == {""}
    by_item = {line.item: line.quantity for line in lines}
    assert by_item["Load balancer, traffic"] == Decimal(4 * TRAFFIC_GB) / 720


def test_nodes_of_several_models_are_lines_of_each_but_for_nodes_that_they_share() -> None:
    both, weeks = two_models(), (WEEK, replace(WEEK, mean_nodes=5.0))
    together = replace(WEEK, mean_nodes=7.0)
    own = price_resources([pool()], together, both, weeks).lines
    assert [(line.model, line.item, line.quantity) for line in own] == [
        ("one", "GPU nodes of one, busy 25%", Decimal(360)),
        ("one", "GPU nodes of one, idle 75%", Decimal(1080)),
        ("two", "GPU nodes of two, busy 25%", Decimal(900)),
        ("two", "GPU nodes of two, idle 75%", Decimal(2700)),
    ]
    shared = replace(both, fleet=replace(both.fleet, fixed_nodes=7))
    assert [
        (line.model, line.item, line.quantity)
        for line in price_resources([pool()], together, shared, weeks).lines
    ] == [("", "GPU nodes, busy 25%", Decimal(1260)), ("", "GPU nodes, idle 75%", Decimal(3780))]


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
    machines = price_resources(resources, WEEK, assumptions())
    told = len(machines.without_charge) + len(machines.not_priced)
    priced = sum(entry.type == GPU_POOL and entry.properties is not None for entry in resources)
    assert told + priced == len(resources)


def test_pods_that_are_not_known_at_preview_are_not_priced() -> None:
    pods = Registered("vllm", "kubernetes:apps/v1:Deployment", {"spec": None})
    [item] = price_resources([pods, pool()], WEEK, assumptions()).not_priced
    assert item.reason == "its containers are not known at preview"
