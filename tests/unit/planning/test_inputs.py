"""What needs prices is checked with them, and every mistake names its key and a way out."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from breakeven.catalog.pool_kinds import POOL_KINDS
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.node_cost import OwnedNode, RentedNode
from breakeven.cost.calendar import CALENDAR_MONTH, THIRTY_DAYS
from breakeven.cost.capacity.engine_defaults import default_requests
from breakeven.cost.estimate import estimate
from breakeven.cost.fleet.plan import plan_week
from breakeven.cost.notes import (
    Note,
    NotScraped,
    PurchaseFallback,
    ReservedNodes,
    ScheduledReplicas,
    UnusedPriceOverride,
)
from breakeven.errors import ClockError, Problem, SettingsError, UnknownStackError
from breakeven.money import to_cents
from breakeven.planning.fleet import interruptions_of
from breakeven.planning.inputs import ENGINE_IMAGE_GIGABYTES
from breakeven.planning.offline import LoadedStack, estimate_stack, load_values
from breakeven.reports.document.writing import as_output, summary
from breakeven.reports.estimate_text import render
from breakeven.settings.files import stack_names, stack_values, with_settings
from breakeven.settings.parse import parse
from tests.pools import CLUSTER_API
from tests.recording import settings_of
from tests.unit.cost.builders import TODAY


def assumptions(stack: str, today: date = TODAY, /, **changes: object) -> Assumptions:
    return load_values(stack, with_settings(stack_values(stack), changes), today).assumptions


def loaded(stack: str, /, **changes: object) -> LoadedStack:
    return load_values(stack, with_settings(stack_values(stack), changes), TODAY)


def problem(stack: str, today: date = TODAY, /, **overrides: object) -> Problem:
    with pytest.raises(SettingsError) as raised:
        assumptions(stack, today, **overrides)
    [found] = raised.value.problems
    return found


def test_machine_types_without_a_price_are_one_mistake_that_names_them_all() -> None:
    found = problem("dev", **{"pool.instanceTypes": ["g6.tiny", "g6.huge"]})
    assert found.key == "pool.instanceTypes"
    assert "node/aws/us-east-1/g6.tiny/on-demand" in found.found
    assert "node/aws/us-east-1/g6.huge/on-demand" in found.found
    assert "pricing.overrides" in found.allowed


def test_an_override_gives_a_missing_price_and_wins_over_the_book() -> None:
    spot = "node/aws/us-east-1/g6.xlarge/spot"
    found = problem("dev", **{"pool.capacityTypes": ["spot"], "pool.instanceTypes": ["g6.xlarge"]})
    assert spot in found.found
    own = assumptions(
        "dev",
        **{
            "pool.capacityTypes": ["spot"],
            "pool.instanceTypes": ["g6.xlarge"],
            "pricing.overrides": {spot: "0.31"},
        },
    )
    assert isinstance(own.node, RentedNode)
    assert own.node.price.usd == Decimal("0.31")
    assert own.node.price.confidence == "user"


def test_the_cheapest_machine_type_of_the_first_capacity_type_is_taken() -> None:
    node = assumptions("dev", **{"pool.instanceTypes": ["g6.2xlarge", "g6.xlarge"]}).node
    assert isinstance(node, RentedNode)
    assert (node.machine, node.purchase) == ("g6.xlarge", "on-demand")


def test_a_price_as_old_as_the_limit_is_taken_and_a_day_older_is_refused() -> None:
    node = assumptions("dev").node
    assert isinstance(node, RentedNode)
    oldest = min(price.as_of for price in assumptions("dev").book.used)
    limit = oldest + timedelta(days=365)
    assert assumptions("dev", limit).node == node
    found = problem("dev", limit + timedelta(days=1))
    assert found.key == "pricing.maxAgeDays"
    assert oldest.isoformat() in found.found
    assert "breakeven prices refresh --region aws/us-east-1" in found.allowed


def test_an_old_price_of_system_nodes_is_refused_like_one_of_gpu_nodes() -> None:
    own = {
        f"node/aws/us-east-1/{machine}/on-demand": "1" for machine in ("g6.xlarge", "g6.2xlarge")
    }
    system = "node/aws/us-east-1/m6i.large/on-demand"
    found = problem("dev", date(2036, 1, 1), **{"pricing.overrides": own})
    assert found.key == "pricing.maxAgeDays"
    assert found.price
    assert f"the book's price is {system} of 2026-07-20" in found.found
    later = date(2036, 1, 1)
    stated = assumptions("dev", later, **{"pricing.overrides": {**own, system: "0.1"}})
    by_others = assumptions(
        "dev", later, **{"pricing.overrides": own, "pricing.systemNodeCount": 0}
    )
    assert stated.node == by_others.node


def test_a_clock_by_which_a_price_is_of_a_day_to_come_is_refused() -> None:
    node = assumptions("dev").node
    assert isinstance(node, RentedNode)
    dated = node.price.as_of
    assert assumptions("dev", dated - timedelta(days=1)).node == node  # in another time zone
    with pytest.raises(ClockError) as refused:
        assumptions("dev", dated - timedelta(days=2))
    for named in ((dated - timedelta(days=2)).isoformat(), dated.isoformat(), "timedatectl"):
        assert named in str(refused.value)


def test_an_overridden_price_is_never_stale() -> None:
    overrides = {
        f"node/aws/us-east-1/{machine}/on-demand": "1" for machine in ("g6.xlarge", "g6.2xlarge")
    }
    node = assumptions(
        "dev", date(2036, 1, 1), **{"pricing.overrides": overrides, "pricing.systemNodeCount": 0}
    ).node
    assert isinstance(node, RentedNode)
    assert node.price.usd == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("api.inUse", "openai/gpt-4.1-minni"),
        ("api.inUse", "opanai/gpt-4.1-mini"),
        ("api.hosted", ["groq/llama-3.1-8b-instand"]),
    ],
)
def test_an_unknown_api_is_reported_with_close_names(key: str, value: object) -> None:
    found = problem("aws-prod", TODAY, **{key: value})
    assert found.key == key
    assert "Closest: " in found.allowed


def test_a_machine_type_of_another_shape_is_refused_by_its_shape() -> None:
    found = problem("dev", **{"pool.instanceTypes": ["g6.12xlarge"]})
    assert found.found == "g6.12xlarge has 4 x l4"


def test_listed_nodes_need_a_machine_type() -> None:
    found = problem("article", **{"pricing.nodes": "list"})
    assert found.key == "pool.instanceTypes"
    assert "stated or owned" in found.allowed


def test_system_nodes_without_a_price_name_their_own_key() -> None:
    found = problem("aws-prod", **{"pricing.systemInstanceType": "m1.imaginary"})
    assert found.key == "pricing.systemInstanceType"
    assert "pricing.systemNodeCount" in found.allowed


def test_an_owned_node_carries_the_stack_s_figures() -> None:
    node = assumptions("on-prem").node
    assert isinstance(node, OwnedNode)
    assert node.residual_share == Decimal("0.1")
    assert node.amortization() == Decimal(290_000) * Decimal("0.9") / 48


def test_a_fleet_that_does_not_scale_is_full_at_the_engine_s_own_limit() -> None:
    scaled = assumptions("aws-prod", **{"replicas.targetRequests": "8"})
    assert scaled.capacity.concurrent_requests == 8
    fixed = assumptions("aws-prod", **{"replicas.autoscaling": "false", "replicas.min": "8"})
    assert 8 < fixed.capacity.concurrent_requests <= default_requests(fixed.engine.gpu)


def test_scaling_never_aims_at_more_requests_than_a_replica_holds() -> None:
    found = problem("aws-prod", **{"replicas.targetRequests": "4000"})
    assert found.key == "replicas.targetRequests"
    held = int(found.allowed.split("1 to ")[1].split(";")[0])
    assumptions("aws-prod", **{"replicas.targetRequests": str(held)})
    assert problem("aws-prod", **{"replicas.targetRequests": str(held + 1)}).key == found.key


@pytest.mark.parametrize("stack", stack_names())
def test_the_estimate_pays_the_nodes_of_the_simulated_week(stack: str) -> None:
    found = assumptions(stack)
    plan = plan_week(
        found.load.requests_per_second(),
        found.load.burst_factor,
        found.capacity.requests_per_second,
        found.fleet,
    )
    assert plan.mean_nodes == pytest.approx(found.simulated.totals.mean_nodes, rel=0.01)


def test_spot_nodes_are_interrupted_and_others_are_not() -> None:
    spot = settings_of("aws-prod", **{"pool.capacityTypes": ["spot", "on-demand"]})
    assert interruptions_of(spot) == pytest.approx(0.2)
    assert (
        interruptions_of(settings_of("aws-prod", **{"pool.capacityTypes": ["on-demand", "spot"]}))
        == 0
    )
    assert interruptions_of(settings_of("on-prem")) == 0


def test_nodes_that_are_there_start_no_machine() -> None:
    there = assumptions("article").fleet
    assert there.fixed_nodes == 1
    started = assumptions("dev").fleet
    assert started.fixed_nodes is None
    assert started.start_seconds > 180


def test_a_started_node_pulls_the_image_that_holds_the_weights_too() -> None:
    image = f"registry.example.com/models/llama@sha256:{'a' * 64}"
    alone = assumptions("aws-prod").cluster.image_gigabytes
    both = assumptions(
        "aws-prod", **{"weights.image": image, "weights.hubTokenSecret": ""}
    ).cluster.image_gigabytes
    pulled = settings_of("aws-prod").model.repository_bytes / 10**9
    assert alone == ENGINE_IMAGE_GIGABYTES
    assert alone + pulled <= both < alone + pulled + 1


def test_scaling_without_monitoring_names_what_prometheus_must_scrape() -> None:
    def told(stack: str, **overrides: str) -> list[NotScraped]:
        notes = assumptions(stack, TODAY, **overrides).notes
        return [note for note in notes if isinstance(note, NotScraped)]

    assert not told("hybrid")
    assert not told("on-prem", **{"monitoring.enabled": "false"})
    [note] = told("hybrid", **{"monitoring.enabled": "false"})
    assert note.prometheus_address == "http://prometheus-operated.monitoring.svc:9090"
    assert (note.engine_port, note.gateway_port) == (8000, None)
    # The first replica is started by the gateways' counter.
    [note] = told("hybrid", **{"monitoring.enabled": "false", "replicas.min": "0"})
    assert note.gateway_port == 9464


def test_the_month_is_the_stack_s() -> None:
    assert assumptions("article").calendar is THIRTY_DAYS
    assert assumptions("dev").calendar is CALENDAR_MONTH


def test_a_missing_stack_is_reported_with_the_existing_ones() -> None:
    with pytest.raises(UnknownStackError, match=", ".join(stack_names())):
        estimate_stack("nowhere", TODAY)


def test_an_override_without_a_known_unit_is_reported_by_key() -> None:
    found = problem("dev", **{"pricing.overrides": {"nonsense": "1"}})
    assert found.key == "pricing.overrides"
    assert "nonsense" in found.found


@pytest.mark.parametrize(
    ("stated", "closest"),
    [
        ("node/aws/us-esat-1/g6.xlarge/on-demand", "node/aws/us-east-1/g6.xlarge/on-demand"),
        ("node/aws/us-east-1/g6.xlrage/spot", "node/aws/us-east-1/g6.xlarge/spot"),
        ("node/aws/us-east-1/g6.xlarge/ondemand", "node/aws/us-east-1/g6.xlarge/on-demand"),
        ("volume/aws/gp-3", "volume/aws/gp3"),
        ("load-balancer/aws/nlb-lcus", "load-balancer/aws/nlb-lcu"),
        ("control-plane/esk", "control-plane/eks"),
        ("nat/aws/gatway", "nat/aws/gateway"),
    ],
)
def test_a_mistyped_override_is_reported_with_the_closest_name(stated: str, closest: str) -> None:
    assert UnusedPriceOverride(stated, closest) in notes(**{"pricing.overrides": {stated: "0.5"}})


@pytest.mark.parametrize(
    "stated",
    [
        "node/aws/us-east-1/g6.xlarge/spot",  # of the stack's machine, for a comparison
        "node/aws/us-east-1/g6e.xlarge/on-demand",  # in the book
        "volume/aws/cephfs",  # of the stack's volume
        "nat/aws/gb",
    ],
)
def test_an_override_that_may_be_used_is_not_reported(stated: str) -> None:
    stated_and_used = {"pricing.overrides": {stated: "0.5"}, "weights.storageClass": "cephfs"}
    assert not [one for one in notes(**stated_and_used) if isinstance(one, UnusedPriceOverride)]


def notes(**overrides: object) -> tuple[Note, ...]:
    return assumptions("dev", TODAY, **overrides).notes


def test_a_private_price_counts_but_is_not_shown() -> None:
    secret = {"node/aws/us-east-1/g6.xlarge/on-demand": "0.437 private"}
    changes = {"pricing.overrides": secret, "pool.instanceTypes": ["g6.xlarge"]}
    dev = loaded("dev", **changes)
    report = estimate(dev.ledger(), dev.assumptions)
    kinds = ("busy-nodes", "idle-nodes")
    lines = [line for line in report.infrastructure.lines if line.kind in kinds]
    assert sum(line.monthly for line in lines) == pytest.approx(
        Decimal("0.437") * 730, abs=Decimal("0.01")
    )
    shown = render(report) + json.dumps([as_output(report), summary(report)])
    for line in lines:
        assert f"{line.monthly:,.2f}" not in shown
    assert "0.437" not in shown
    assert "private" in shown


def test_a_commitment_takes_its_percent_off_and_is_named() -> None:
    node = assumptions(
        "dev",
        **{
            "replicas.autoscaling": "false",
            "pricing.commitmentPercent": "40",
            "pricing.commitmentYears": "3",
        },
    ).node
    listed = assumptions("dev").node
    assert isinstance(node, RentedNode)
    assert isinstance(listed, RentedNode)
    assert node.price.usd == listed.price.usd * Decimal("0.6")
    assert (node.commitment_percent, node.commitment_years) == (40, 3)
    assert node.price.confidence == "user"


def test_an_autoscaled_fleet_commits_to_what_always_runs_and_pays_the_rest_by_the_hour() -> None:
    stated = {"pricing.commitmentPercent": "40"}
    plain, base = loaded("aws-prod"), loaded("aws-prod", **stated)
    [discount] = [line for line in base.report().infrastructure.lines if line.kind == "commitment"]
    assert isinstance(plain.assumptions.node, RentedNode)
    hourly, always = plain.assumptions.node.price.usd, 2
    month = plain.assumptions.calendar.hours_per_month
    assert discount.monthly == -to_cents(always * month * hourly * Decimal("0.4"))
    reserve = 1 + plain.assumptions.staffing.contingency_share
    saved = plain.report().total - base.report().total
    assert saved == pytest.approx(-discount.monthly * reserve, abs=Decimal("0.01"))
    # A hybrid's nodes all run always, so that each of them is committed to.
    shares = [one.report().hybrid for one in (plain, base)]
    assert shares[0] is not None
    assert shares[1] is not None
    assert shares[0].nodes == shares[1].nodes
    less = shares[0].monthly - shares[1].monthly
    assert less == pytest.approx(-discount.monthly * reserve / always * shares[0].nodes)
    # At every volume the base runs, so that break-even moves by what it saves and by nothing else.
    node_monthly = (one.report().bill.node_monthly for one in (plain, base))
    assert len(set(node_monthly)) == 1


@pytest.mark.parametrize(
    ("stack", "changed"),
    [
        (
            "hybrid",
            {"pricing.commitmentPercent": "40", "replicas.min": 0},
        ),
        ("on-prem", {"pricing.commitmentPercent": "40"}),
        (
            "dev",
            {
                "pricing.commitmentPercent": "40",
                "replicas.autoscaling": "false",
                "pool.capacityTypes": ["spot"],
            },
        ),
        (
            "dev",
            {
                "pricing.commitmentPercent": "40",
                "replicas.autoscaling": "false",
                "pool.capacityTypes": ["reserved"],
            },
        ),
    ],
)
def test_a_commitment_that_means_nothing_is_refused(stack: str, changed: dict[str, object]) -> None:
    problems = parse(with_settings(stack_values(stack), changed))[1]
    assert [found.key for found in problems] == ["pricing.commitmentPercent"]


def test_scheduled_hours_are_paid() -> None:
    schedule = ["mon-fri 07:30-18:00 6", "mon 09:00-10:00 8"]
    plain, scheduled = (
        assumptions("aws-prod"),
        assumptions("aws-prod", **{"replicas.schedule": schedule}),
    )
    fewest = scheduled.fleet.scheduled
    assert len(fewest) == 168
    assert fewest[:24] == (0,) * 7 + (6, 6, 8) + (6,) * 8 + (0,) * 6
    assert fewest[5 * 24 :] == (0,) * 48
    assert plain.fleet.scheduled == ()
    assert any(isinstance(note, ScheduledReplicas) for note in scheduled.notes)
    assert estimate_stack("aws-prod", TODAY).week.mean_nodes < mean_nodes(scheduled)


def mean_nodes(given: Assumptions) -> float:
    rates = given.load.requests_per_second()
    capacity = given.capacity.requests_per_second
    return plan_week(rates, given.load.burst_factor, capacity, given.fleet).mean_nodes


def test_a_schedule_needs_the_traffic_of_whole_weeks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "day.txt").write_text("1\n" * 24)
    for module in ("breakeven.settings.traffic", "breakeven.planning.demand"):
        monkeypatch.setattr(f"{module}.TRAFFIC", tmp_path)
    schedule = ["mon 09:00-10:00 8"]
    found = problem("aws-prod", **{"traffic.shape": "day.txt", "replicas.schedule": schedule})
    assert found.key == "traffic.shape"
    assert "whole weeks of 168 hours" in found.allowed


def purchase_notes(found: Assumptions) -> list[Note]:
    return [note for note in found.notes if isinstance(note, ReservedNodes | PurchaseFallback)]


BOUGHT: dict[str, dict[str, object]] = {
    "existing": {},
    "karpenter-aws": {"pool.karpenter.nodeRole": "role", "pool.karpenter.discoveryTag": "tag"},
    "karpenter-azure": {"pricing.cloud": "azure"},
    "gke-compute-class": {"pricing.cloud": "gcp"},
    "cluster-api": {**CLUSTER_API, "replicas.min": 1},
}


@pytest.mark.parametrize("pool", POOL_KINDS)
def test_without_capacity_types_a_pool_buys_on_demand_or_is_refused_by_that_key(pool: str) -> None:
    stated = {**BOUGHT[pool], "pool.kind": pool, "pool.capacityTypes": []}
    if "capacityTypes" in POOL_KINDS[pool].required_settings:
        with pytest.raises(SettingsError) as refused:
            assumptions("dev", TODAY, **stated)
        assert "pool.capacityTypes" in [found.key for found in refused.value.problems]
        return
    found = assumptions("dev", TODAY, **stated)
    assert isinstance(found.node, RentedNode)
    assert found.node.purchase == "on-demand"
    assert interruptions_of(settings_of("dev", **stated)) == 0
    assert not purchase_notes(found)


@pytest.mark.parametrize("chain", [["reserved", "on-demand"], ["on-demand", "spot"]])
@pytest.mark.parametrize(
    ("pricing", "told"),
    [({}, 1), ({"pricing.nodes": "stated", "pricing.nodePricePerHour": "2"}, 0)],
)
def test_the_pricing_of_nodes_is_stated_only_if_their_purchase_determines_it(
    pricing: dict[str, object], told: int, chain: list[str]
) -> None:
    reserved = {
        f"node/aws/us-east-1/{machine}/reserved": "1" for machine in ("g6.xlarge", "g6.2xlarge")
    }
    found = assumptions(
        "dev", TODAY, **{"pool.capacityTypes": chain, "pricing.overrides": reserved}, **pricing
    )
    assert len(purchase_notes(found)) == told
