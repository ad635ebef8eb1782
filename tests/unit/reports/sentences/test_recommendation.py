"""The recommendation is said with both sides, their costs, and the reasons."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from breakeven.cost.break_even import BreakEven, Crossing
from breakeven.cost.hybrid import Hybrid
from breakeven.cost.recommendation import (
    BreakEvenVolume,
    DataStays,
    DependsOnCapacity,
    HoldsIfSlower,
    Option,
    OwnNodesIdle,
    Reason,
    Verdict,
)
from breakeven.cost.report import ModelShortfall, Shortfall
from breakeven.reports.sentences.recommendation import (
    option_name,
    reasons,
    shortfall_sentences,
    summary,
)
from tests.unit.cost.builders import assumptions


def api(monthly: int) -> Option:
    return Option("api", Decimal(monthly), Decimal(monthly), "test/api")


def own(monthly: int, slower: int = 0) -> Option:
    return Option("self-host", Decimal(monthly), Decimal(slower or monthly))


@pytest.mark.parametrize(
    ("chosen", "compared", "said"),
    [
        (
            api(1000),
            own(3500),
            (
                "Stay on the API: test/api costs $1,000.00/month; this stack costs $3,500.00/month "
                "(3.5x)."
            ),
        ),
        (
            own(300),
            api(400),
            "Self-host: this stack costs $300.00/month; test/api costs $400.00/month (1.3x).",
        ),
        (
            Option("hosted", Decimal(9), Decimal(9), "test/hosted"),
            own(9),
            (
                "Use a hosted API for the same open model: test/hosted costs $9.00/month; this "
                "stack costs $9.00/month."
            ),
        ),
        (
            own(30),
            api(10),
            "Self-host: this stack costs $30.00/month; test/api costs $10.00/month.",
        ),
        (
            api(0),
            own(5),
            "Stay on the API: test/api costs $0.00/month; this stack costs $5.00/month.",
        ),
    ],
    ids=["API", "own", "same cost", "dearer but required", "free"],
)
def test_the_summary_names_both_sides_and_the_ratio_if_there_is_one(
    chosen: Option, compared: Option, said: str
) -> None:
    assert summary(Verdict(chosen, compared, (), ())) == said


def test_a_hybrid_is_named_by_its_nodes_and_the_share_of_the_api() -> None:
    split = Hybrid(1, 0.7, Decimal(100), Decimal(50))
    hybrid = Option("hybrid", Decimal(150), Decimal(160), "test/api", split)
    assert "1 node of your own plus test/api for 30% of requests costs $150.00/month" in summary(
        Verdict(hybrid, api(200), (), ())
    )


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (DataStays(Decimal(8600), "test/api"), "which costs $8,600.00/month more than test/api."),
        (DataStays(Decimal(0), "test/api"), "which costs nothing extra."),
        (DependsOnCapacity(own(100, 120), 25), "if a replica serves 25% less, it costs $120.00"),
        (HoldsIfSlower(own(100, 120), 25), "stays cheaper if a replica serves 25% less"),
        (OwnNodesIdle(0.7, Decimal("0.4"), on_cpus=True), "The CPU nodes would sit idle 70%"),
        (
            OwnNodesIdle(0.7, Decimal("0.4")),
            "The GPUs would sit idle 70% of the time, and staffing is 40% of",
        ),
        (
            BreakEvenVolume("test/api", BreakEven((), 64, 2e9), 10**6),
            "never costs less than test/api, up to 64 nodes (2 billion tokens per day).",
        ),
        (
            BreakEvenVolume("test/api", BreakEven((Crossing(5e6, None, 2),), 64, 2e9), 10**6),
            "from 5 million tokens per day (2 nodes at peak); this stack plans for 1 million.",
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_every_reason_has_a_sentence_with_its_figures(reason: Reason, said: str) -> None:
    [sentence] = reasons(Verdict(api(1), own(2), (reason,), ()))
    assert said in sentence
    assert sentence.endswith(".")


def test_prompts_that_must_stay_inside_are_part_of_the_summary() -> None:
    verdict = Verdict(own(30), api(10), (DataStays(Decimal(20), "test/api"),), ())
    assert summary(verdict) == (
        "Self-host, because prompts must stay inside (network.dataMayLeave: false): this stack "
        "costs $30.00/month; test/api costs $10.00/month."
    )


def test_a_split_without_a_rest_has_the_api_as_fallback() -> None:
    split = Hybrid(2, 0.99999, Decimal(100), Decimal(0))
    hybrid = Option("hybrid", Decimal(100), Decimal(110), "test/api", split)
    assert option_name(hybrid) == "Hybrid: 2 own nodes, API as fallback"
    assert "2 nodes of your own with test/api as fallback costs" in summary(
        Verdict(hybrid, api(200), (), ())
    )


def test_a_stack_that_is_too_small_says_what_it_does_not_serve_and_what_to_set() -> None:
    fleet = assumptions().fleet
    small = ModelShortfall(
        model="",
        unserved_share=0.41,
        objective_share=0.208,
        objective_seconds=2.0,
        configured=fleet,
        serving=replace(fleet, highest=12),
        serving_share=0.97,
    )
    fixed = replace(small.serving, lowest=12, autoscaling=False, fixed_nodes=3, machines_per_node=2)
    late = replace(small, unserved_share=0.0, model="qwen3-14b", serving=fixed)
    shortfall = Shortfall(models=(small, late), nodes=3, mean_nodes=2.5, monthly=Decimal(9000))
    unserved, other, remedy = shortfall_sentences(shortfall)
    assert unserved == (
        "This stack is too small as configured: it cannot serve 41.0% of requests within its "
        "latency objectives, and 20.8% of requests meet the 2 s TTFT target (objective: 95%)."
    )
    assert other == (
        "This stack is too small as configured for qwen3-14b: 20.8% of requests meet the 2 s TTFT "
        "target (objective: 95%)."
    )
    assert remedy == (
        "To serve all requests in time, set replicas.max 12; replicas.min 12, replicas.max 12, "
        "replicas.autoscaling false, pool.nodeCount 6 for qwen3-14b (3 nodes at peak): "
        "$9,000.00/month. Options are compared at that size."
    )


def test_replicas_are_no_remedy_where_the_prompt_alone_takes_too_long() -> None:
    fleet = assumptions().fleet
    slow = ModelShortfall(
        model="",
        unserved_share=0.0,
        objective_share=0.294,
        objective_seconds=2.0,
        configured=fleet,
        serving=replace(fleet, lowest=9, highest=9),
        serving_share=0.343,
    )
    shortfall = Shortfall(models=(slow,), nodes=9, mean_nodes=9.0, monthly=Decimal(42852))
    *_, remedy = shortfall_sentences(shortfall)
    assert remedy == (
        "More replicas alone do not meet the objective with this model and GPU: about 34% are in "
        "time with replicas.min 9, replicas.max 9 (9 nodes at peak): $42,852.00/month. Options "
        "are compared at that size."
    )
