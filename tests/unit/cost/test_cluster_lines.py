"""What no resource stands for is on the bill: the cluster's share, overflow, people."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from components.cost.assumptions import ClusterShare
from components.cost.cluster_lines import people_lines
from components.cost.lines import price_machines
from tests.unit.cost.builders import WEEK, api, assumptions, simulated


def test_cluster_lines_follow_the_share_that_the_stack_bears() -> None:
    cluster = ClusterShare(
        control_plane="eks",
        control_plane_share=Decimal("0.25"),
        system_instance_type="m6i.xlarge",
        system_nodes=2,
        nat_gateway_share=Decimal(0),
        image_gigabytes=10,
    )
    control_plane, system = price_machines([], WEEK, assumptions(cluster=cluster)).lines
    assert control_plane.monthly == Decimal(73) / 4
    assert system.quantity == 2 * 720


def test_images_of_started_nodes_pass_the_nat_gateway_that_the_stack_bears() -> None:
    base = assumptions()
    cluster = replace(base.cluster, nat_gateway_share=Decimal("0.5"))
    week = simulated(hours=168, node_starts=84)  # one every two hours, 360 in thirty days
    gateway, images = price_machines([], WEEK, replace(base, cluster=cluster, simulated=week)).lines
    assert gateway.monthly == Decimal("16.43")
    assert images.quantity == 3600
    assert images.monthly == 3600 * Decimal("0.045")
    fixed = replace(base.fleet, fixed_nodes=2)
    there = price_machines([], WEEK, replace(base, cluster=cluster, simulated=week, fleet=fixed))
    assert [line.item for line in there.lines] == ["NAT gateway"]


def test_what_a_gateway_sends_to_the_api_is_a_line_at_the_api_s_price() -> None:
    base = assumptions(api_in_use=api("test/api", "2"), simulated=simulated(overflow_share=0.25))
    [line] = price_machines([], WEEK, base).lines
    assert line.item == "Overflow by API"
    assert line.quantity == 750  # a quarter of 100 million tokens a day, thirty days
    assert line.monthly == 1500
    assert not price_machines([], WEEK, replace(base, simulated=simulated())).lines


def test_the_engineer_costs_a_twelfth_of_the_salary_by_share() -> None:
    [engineer] = people_lines(assumptions())
    assert engineer.monthly == 2000
