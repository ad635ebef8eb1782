"""Nodes start late, are filled whole, and go when they are empty."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.fleet.simulation.arithmetic import ONE
from breakeven.cost.fleet.simulation.nodes import Nodes
from breakeven.cost.fleet.simulation.parameters import parameters_of
from tests.unit.cost.fleet.simulation.cases import changed

NODE_STEPS = 12  # 180 s
LOAD_STEPS = 11  # 170 s


def nodes(replicas: int, per_node: int = 1, **fleet: object) -> Nodes:
    return Nodes(parameters_of(changed(replicas_per_node=per_node, **fleet)), ONE, replicas)


def course(one: Nodes, wanted: list[int]) -> list[tuple[int, int]]:
    """Returns nodes and ready replicas of each step, with nothing to drain."""
    seen = []
    for replicas in wanted:
        one.step(replicas, 0.0, 0.0)
        seen.append((int(one.nodes), int(one.ready)))
    return seen


def test_a_replica_on_a_new_node_waits_for_the_node_and_for_the_weights() -> None:
    late = NODE_STEPS + LOAD_STEPS
    seen = course(nodes(1), [2] * (late + 1))
    assert seen[:late] == [(2, 1)] * late
    assert seen[late] == (2, 2)


def test_a_replica_on_a_node_with_room_waits_for_the_weights_alone() -> None:
    seen = course(nodes(1, per_node=4), [2] * (LOAD_STEPS + 1))
    assert seen[:LOAD_STEPS] == [(1, 1)] * LOAD_STEPS
    assert seen[LOAD_STEPS] == (1, 2)


def test_what_is_wanted_no_more_before_it_is_ready_never_gets_ready() -> None:
    seen = course(nodes(1), [2] * 10 + [1] * 40)
    assert {ready for _, ready in seen} == {1}


def test_a_node_goes_eighty_seconds_after_its_last_replica() -> None:
    # The step of the decision is the pod's own; then five steps of 15 s.
    assert [count for count, _ in course(nodes(2), [1] * 8)] == [2, 2, 2, 2, 2, 2, 1, 1]


def test_a_replica_that_ends_requests_keeps_its_node() -> None:
    one = nodes(2)
    for _ in range(6):
        one.step(1, 3.0, 0.0)
        assert one.draining == 1
        assert one.nodes == 2


def test_a_replica_is_killed_at_the_end_of_its_grace() -> None:
    one = nodes(2)
    for _ in range(9):  # 135 s
        one.step(1, 3.0, 0.0)
        assert one.draining == 1
    one.step(1, 3.0, 0.0)
    assert one.draining == 0


def test_nodes_stay_as_long_as_there_are_as_many_replicas() -> None:
    one = nodes(8, per_node=4)
    seen = [course(one, [wanted] * 20)[-1][0] for wanted in (8, 6, 4, 2, 1)]
    assert seen == [2, 2, 2, 2, 1]


def test_a_node_that_nothing_got_ready_on_goes_first() -> None:
    one = nodes(4, per_node=4)
    assert course(one, [5] * 3)[-1][0] == 2
    assert course(one, [4] * 40)[-1][0] == 1


def test_fixed_nodes_are_there_whatever_runs() -> None:
    one = nodes(1, fixed_nodes=3, highest=3, start_seconds=170.0)
    assert course(one, [3, 1] * 20) == [(3, 1)] * 40
    assert course(one, [3] * (LOAD_STEPS + 1))[-1] == (3, 3)


def test_an_interrupted_node_is_paid_for_two_minutes_beside_the_one_after_it() -> None:
    configuration = replace(changed(), interruptions_per_node_hour=1.0)
    one = Nodes(parameters_of(configuration), ONE, 2)
    one.step(2, 0.0, 0.999)
    assert one.interrupted == 1
    assert one.paid == 2 + 120 / 15
    # The lost replica starts again in the next step.
    seen = course(one, [2] * (NODE_STEPS + LOAD_STEPS + 1))
    assert [ready for _, ready in seen] == [1] * (NODE_STEPS + LOAD_STEPS) + [2]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=200), st.integers(1, 4))
def test_ready_replicas_are_never_more_than_wanted_nor_than_nodes_hold(
    wanted: list[int], per_node: int
) -> None:
    one = nodes(1, per_node=per_node)
    for replicas in wanted:
        one.step(replicas, 0.0, 0.0)
        assert 0 <= one.ready <= replicas
        assert replicas <= one.nodes * per_node
