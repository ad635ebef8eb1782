"""What no resource stands for is on the bill: the cluster's share, overflow, people."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.assumptions import ClusterShare
from breakeven.cost.bill.charge import Driver
from breakeven.cost.bill.pricing import price_infrastructure
from breakeven.cost.bill.shared_costs import staffing_items
from tests.unit.cost.builders import GATEWAY_PODS, TODAY, WEEK, api, assumptions, engine
from tests.unit.cost.strategies import money


def test_cluster_lines_follow_the_share_that_the_stack_bears() -> None:
    cluster = ClusterShare(
        control_plane="eks",
        control_plane_share=Decimal("0.25"),
        system_instance_type="m6i.xlarge",
        system_nodes=2,
        nat_gateway_share=Decimal(0),
        image_gigabytes=10,
    )
    control_plane, system = price_infrastructure([], WEEK, assumptions(cluster=cluster)).lines
    assert control_plane.monthly == Decimal(73) / 4
    assert system.quantity == 2 * 720


def test_images_of_started_nodes_pass_the_nat_gateway_that_the_stack_bears() -> None:
    base = assumptions()
    cluster = replace(base.cluster, nat_gateway_share=Decimal("0.5"))
    week = replace(WEEK, node_starts_per_hour=0.5)  # 360 in thirty days
    gateway, address, images = price_infrastructure([], week, replace(base, cluster=cluster)).lines
    assert gateway.monthly == Decimal("16.43")
    assert address.monthly == Decimal("1.83")
    assert images.quantity == 3600
    assert images.monthly == 3600 * Decimal("0.045")
    fixed = replace(base.fleet, fixed_nodes=2)
    there = price_infrastructure([], week, replace(base, cluster=cluster, fleet=fixed))
    assert [line.kind for line in there.lines] == ["nat-gateway", "public-address"]


def test_what_a_gateway_sends_to_the_api_is_a_line_at_the_api_s_price() -> None:
    base = assumptions(api_in_use=api("test/api", "2"))
    [line] = price_infrastructure([], replace(WEEK, overflow_share=0.25), base).lines
    assert line.kind == "overflow"
    assert line.quantity == 750  # a quarter of 100 million tokens a day, thirty days
    assert line.monthly == 1500
    assert not price_infrastructure([], WEEK, base).lines


def test_overflow_of_a_share_that_is_no_round_number_loses_no_token() -> None:
    base = assumptions(api_in_use=api("test/api", "2"))
    load = replace(base.load, tokens_per_day=1_234_567)
    week = replace(WEEK, overflow_share=0.0123)
    [line] = price_infrastructure([], week, replace(base, load=load)).lines
    assert line.quantity == Decimal("0.455555223")
    assert (line.identifier, line.source, line.as_of) == ("api/test/api", "test", TODAY)


def test_overflow_of_several_models_is_a_line_of_each_that_has_some() -> None:
    first, other, quiet = (assumptions(engine=engine(name)) for name in ("first", "other", "quiet"))
    weeks = [replace(WEEK, overflow_share=share) for share in (0.5, 0.25, 0.0)]
    lines = price_infrastructure([], WEEK, replace(first, others=(other, quiet)), weeks).lines
    assert [(line.kind, line.model, line.quantity) for line in lines] == [
        ("overflow", "first", Decimal(1500)),
        ("overflow", "other", Decimal(750)),
    ]


def test_images_of_all_models_nodes_pass_the_nat_gateway() -> None:
    base, other = assumptions(engine=engine("first")), assumptions(engine=engine("other"))
    weeks = [replace(WEEK, node_starts_per_hour=starts) for starts in (0.5, 0.0625)]
    cluster = replace(base.cluster, nat_gateway_share=Decimal(1))
    both = replace(base, cluster=cluster, others=(other,))
    larger = replace(other, cluster=replace(cluster, image_gigabytes=30))
    _, _, *images = price_infrastructure([], WEEK, replace(both, others=(larger,)), weeks).lines
    assert [(line.model, line.quantity) for line in images] == [
        ("first", Decimal(3600)),
        ("other", Decimal(3 * 450)),
    ]


def test_every_machine_of_a_replica_that_spans_several_pulls_the_image() -> None:
    base = assumptions()
    fleet = replace(base.fleet, machines_per_node=2)
    cluster = replace(base.cluster, nat_gateway_share=Decimal(1))
    week = replace(WEEK, node_starts_per_hour=0.5)
    _, _, images = price_infrastructure([], week, replace(base, cluster=cluster, fleet=fleet)).lines
    assert images.quantity == 2 * 3600


def test_a_gateway_that_is_charged_by_machine_is_paid_for_the_nodes_behind_it() -> None:
    base = assumptions(cloud="gcp", region="us-central1")
    cluster = replace(base.cluster, nat_gateway_share=Decimal("0.5"), system_nodes=0)
    fleet = replace(base.fleet, machines_per_node=2)
    on_gcp = replace(base, cluster=cluster, fleet=fleet)
    _, nodes = price_infrastructure([], WEEK, on_gcp).lines
    # Two nodes of two machines: four of the 32 that a price is for.
    assert (nodes.kind, nodes.driver) == ("nat-gateway-nodes", Driver.NODES)
    assert nodes.quantity == Decimal("0.5") * 4 / 32
    both = replace(on_gcp, cluster=replace(cluster, system_nodes=2, system_instance_type="x"))
    lines = price_infrastructure([], WEEK, both).lines
    gateways = [one for one in lines if one.kind.startswith("nat-gateway")]
    assert [one.quantity for one in gateways] == [Decimal("0.03125"), Decimal("0.0625")]


def test_text_to_the_api_passes_the_gateway_and_grows_with_the_overflow() -> None:
    base = assumptions(overflows=True)
    cluster = replace(base.cluster, nat_gateway_share=Decimal(1))
    week = replace(WEEK, overflow_share=0.5)
    lines = price_infrastructure([], week, replace(base, cluster=cluster)).lines
    [text] = [line for line in lines if line.kind == "nat-gateway-text"]
    assert text.quantity == Decimal("7.5")  # half of 3 billion tokens of five bytes
    assert text.driver is Driver.OVERFLOW


def test_replicas_that_start_read_their_weights_where_reads_are_charged() -> None:
    base = assumptions()
    cluster = replace(base.cluster, weights_class="efs", weights_gigabytes=Decimal(16))
    week = replace(WEEK, replica_starts_per_hour=0.5)  # 360 in thirty days
    [reads] = price_infrastructure([], week, replace(base, cluster=cluster)).lines
    assert (reads.kind, reads.quantity, reads.driver) == (
        "volume-reads",
        Decimal(16 * 360),
        Driver.REPLICA_STARTS,
    )
    assert reads.monthly == Decimal("172.80")
    on_disk = replace(cluster, weights_class="gp3")
    assert not price_infrastructure([], week, replace(base, cluster=on_disk)).lines
    unknown = replace(cluster, weights_class="efs-one-zone")
    [missing] = price_infrastructure([], week, replace(base, cluster=unknown)).not_priced
    assert missing.detail == "volume/aws/efs-one-zone-read"


def test_weights_in_an_image_are_kept_by_the_registry_and_stated_logs_are_paid() -> None:
    base = assumptions()
    cluster = replace(base.cluster, weights_gigabytes=Decimal(16), log_gigabytes=Decimal(30))
    logs, image = price_infrastructure([], WEEK, replace(base, cluster=cluster)).lines
    assert (logs.kind, logs.monthly) == ("logs", Decimal(15))
    assert (image.kind, image.monthly) == ("registry", Decimal("1.60"))


def test_the_cluster_s_parts_without_a_price_are_named_and_the_others_paid() -> None:
    cluster = ClusterShare(
        control_plane="eks",
        control_plane_share=Decimal(1),
        system_instance_type="no.such",
        system_nodes=1,
        nat_gateway_share=Decimal(0),
        image_gigabytes=10,
    )
    machines = price_infrastructure([], WEEK, assumptions(cluster=cluster))
    assert [(line.kind, line.variant) for line in machines.lines] == [("control-plane", "eks")]
    [missing] = machines.not_priced
    assert (missing.name, missing.type) == ("", "node/aws/us-east-1/no.such/on-demand")


def test_the_engineer_costs_a_twelfth_of_the_salary_by_share() -> None:
    [engineer] = staffing_items(assumptions())
    assert (engineer.kind, engineer.share) == ("engineer", Decimal("0.2"))
    assert engineer.monthly == 2000


def test_on_call_is_paid_once_a_month() -> None:
    people = replace(assumptions().staffing, on_call_per_month=Decimal(650))
    _, on_call = staffing_items(assumptions(staffing=people))
    assert (on_call.kind, on_call.quantity, on_call.monthly) == (
        "on-call",
        Decimal(1),
        Decimal(650),
    )


@given(money("0", "1000000"), st.decimals(0, 10, places=2))
def test_a_year_of_a_share_is_that_share_of_the_salary_but_for_cents(
    salary: Decimal, share: Decimal
) -> None:
    people = replace(assumptions().staffing, engineer_salary=salary, engineer_share=share)
    [engineer] = staffing_items(assumptions(staffing=people))
    assert abs(engineer.monthly * 12 - salary * share) <= 12 * Decimal("0.005") + Decimal("1e-9")


@pytest.mark.parametrize(
    ("cloud", "region", "ends"), [("aws", "us-east-1", 2), ("gcp", "us-central1", 1)]
)
def test_text_between_gateway_and_replicas_is_charged_where_the_cloud_does(
    cloud: str, region: str, ends: int
) -> None:
    base = assumptions(cloud=cloud, region=region)
    with_gateway = replace(base, cluster=replace(base.cluster, gateway=GATEWAY_PODS))
    found = price_infrastructure([], WEEK, with_gateway)
    identifier = f"egress/{cloud}/between-zones"
    charged = [line for line in found.lines if line.kind == "zone-traffic"]
    missing = [item for item in found.not_priced if item.detail.endswith("between-zones")]
    assert len(charged) + len(missing) == 1, "priced, or named as not priced"
    for line in charged:
        assert line.driver is Driver.TOKENS
        # Three billion tokens of five bytes, at both ends where both are charged.
        assert line.quantity == Decimal(15) * ends
    assert all(item.type == identifier for item in missing)
    without = price_infrastructure([], WEEK, base)
    assert not [line for line in without.lines if line.kind == "zone-traffic"]
    on_azure = replace(with_gateway, cloud="azure", region="eastus")
    azure = price_infrastructure([], WEEK, on_azure)
    assert not [line for line in azure.lines if line.kind == "zone-traffic"]
