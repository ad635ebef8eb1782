"""What goes wrong with machines: they are lost, taken away, or there are none."""

from __future__ import annotations

from rig.api import Api
from rig.cluster import Rig
from tests.cluster.deploying import Update, destroy, pulumi, ready_replicas, up, wait_for
from tests.cluster.machines import (
    capacity_type,
    endpoints,
    fewest_ready,
    interrupt,
    pods,
    replicas,
    silence,
    speak,
    spot_is_sold,
    unschedulable,
    vanish,
)
from tests.project_copy import Project

STACK = "aws-prod"  # two replicas, each on a machine that Karpenter starts
MACHINES = ("g6e.xlarge", "g6e.2xlarge")


def test_a_silent_nodes_replica_gets_no_request_and_is_made_again_elsewhere(
    project: Project, api: Api
) -> None:
    up(project, STACK)
    before = replicas(api)
    lost, node = next(iter(before.items()))
    [other] = before.keys() - {lost}
    silence(api, node)
    wait_for("requests go to the other one alone", lambda: endpoints(api) == {other})
    wait_for("a third one serves", lambda: len(endpoints(api)) == 2, seconds=180)
    assert lost not in endpoints(api)
    assert node not in replicas(api).values()
    pulumi(project, "preview", "--stack", STACK, "--expect-no-changes")
    speak(api, node)
    wait_for("the node that is back ends its replica", lambda: lost not in pods(api))
    assert len(replicas(api)) == 2
    destroy(project, STACK)


def test_a_machine_that_vanishes_is_replaced_and_its_replica_with_it(
    project: Project, api: Api
) -> None:
    up(project, STACK)
    before = replicas(api)
    lost, node = next(iter(before.items()))
    vanish(api, node)
    wait_for("another one serves", lambda: len(endpoints(api) - {lost}) == 2, seconds=180)
    assert node not in replicas(api).values()
    pulumi(project, "preview", "--stack", STACK, "--expect-no-changes")
    destroy(project, STACK)


def test_an_interrupted_spot_machine_is_replaced_on_demand_where_no_spot_is_left(
    project: Project, rig: Rig, api: Api
) -> None:
    prices = {f"node/aws/us-east-1/{machine}/spot": "0.9" for machine in MACHINES}
    project.set(STACK, **{"pool.capacityTypes": ["spot", "on-demand"], "pricing.overrides": prices})
    with spot_is_sold(rig):
        up(project, STACK)
        before = replicas(api)
        assert {capacity_type(api, node) for node in before.values()} == {"spot"}
        rig.folder.sold_out.write_text("".join(f"{machine}/spot\n" for machine in MACHINES))
        lost, node = next(iter(before.items()))
        with fewest_ready(api) as counted:
            interrupt(api, node)
            wait_for("another one serves", lambda: len(endpoints(api) - {lost}) == 2, seconds=120)
        assert min(counted) >= 1
        [new] = replicas(api).keys() - before.keys()
        assert capacity_type(api, replicas(api)[new]) == "on-demand"
        pulumi(project, "preview", "--stack", STACK, "--expect-no-changes")
        destroy(project, STACK)


def test_an_update_waits_while_machines_are_sold_out_and_finishes_when_they_are_back(
    project: Project, rig: Rig, api: Api
) -> None:
    sold_out = rig.folder.sold_out
    sold_out.write_text("".join(f"{machine}/on-demand\n" for machine in MACHINES))
    try:
        update = Update(project, STACK)
        wait_for("a replica finds no node", lambda: unschedulable(api))
        wait_for("the engine says so", lambda: "0/1 Pods available" in update.output)
        assert update.runs
    finally:
        sold_out.unlink()
    update.finish()
    assert ready_replicas(api) == 2
    destroy(project, STACK)
