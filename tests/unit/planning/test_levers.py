"""What would lower the bill is what a stack file with those settings costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache

import pytest

from breakeven.cost.bill.registered import Registered
from breakeven.cost.levers import MOST_LEVERS, Lever, largest_savings
from breakeven.cost.report import Report
from breakeven.planning.lever_candidates.machines import area
from breakeven.planning.levers import find_levers
from breakeven.planning.offline import load_stack, load_values
from breakeven.reports.document.writing import report_document
from breakeven.reports.sentences.levers import lever_settings
from breakeven.settings.files import stack_names, stack_values, with_settings

TODAY = date(2026, 11, 30)
CENT = Decimal("0.01")


@cache
def advised(stack: str) -> Report:
    return load_stack(stack, TODAY).report_with_levers()


def levers(stack: str) -> tuple[Lever, ...]:
    found = advised(stack).levers
    assert found is not None
    return found


def kinds(stack: str, changed: Mapping[str, object]) -> list[str]:
    values = with_settings(stack_values(stack), changed)
    report = load_values(stack, values, TODAY).report_with_levers()
    assert report.levers is not None
    return [lever.kind for lever in report.levers]


@pytest.mark.parametrize("stack", stack_names())
def test_each_saves_what_the_stack_file_with_its_settings_costs_less(stack: str) -> None:
    for lever in levers(stack):
        stated = with_settings(stack_values(stack), lever.settings)
        report = load_values(stack, stated, TODAY).report()
        difference = advised(stack).total - report.total
        assert lever.saving.quantize(CENT) == difference.quantize(CENT)
        assert lever.monthly.quantize(CENT) == report.total.quantize(CENT)
        assert report.shortfall is None
        assert all(model.capacity.missed is None for model in report.assumptions.models)


@pytest.mark.parametrize("stack", stack_names())
def test_the_largest_saving_comes_first_and_one_of_a_kind_is_shown(stack: str) -> None:
    savings = [lever.saving for lever in levers(stack)]
    assert savings == sorted(savings, reverse=True)
    assert all(saving > 0 for saving in savings)
    found = [lever.kind for lever in levers(stack)]
    assert len(found) == len(set(found)) <= MOST_LEVERS


def test_most_stacks_have_one() -> None:
    assert sum(bool(levers(stack)) for stack in stack_names()) >= 10


@pytest.mark.parametrize(
    ("changed", "kind", "settings"),
    [
        (
            {"pool.gpu": "h100", "pool.instanceTypes": ["p5.4xlarge"]},
            "gpu",
            {"pool.gpu": "l40s", "pool.instanceTypes": ["g6e.xlarge"]},
        ),
        (
            {"pricing.region": "eu-central-1", "pool.instanceTypes": ["g6e.xlarge"]},
            "region",
            {"pricing.region": "eu-south-2"},
        ),
    ],
)
def test_other_machines_and_regions_save_what_their_estimate_says(
    changed: Mapping[str, object], kind: str, settings: Mapping[str, object]
) -> None:
    values = with_settings(stack_values("aws-prod"), changed)
    report = load_values("aws-prod", values, TODAY).report_with_levers()
    [lever] = [each for each in report.levers or () if each.kind == kind]
    assert lever.settings == settings
    stated = load_values("aws-prod", with_settings(values, settings), TODAY).report()
    assert lever.saving.quantize(CENT) == (report.total - stated.total).quantize(CENT)


def test_a_commitment_has_the_discount_of_the_price_book() -> None:
    [lever] = [each for each in levers("aws-prod") if each.kind == "commitment"]
    book = advised("aws-prod").assumptions.book
    listed = [
        book.node("aws", "us-east-1", "g6e.xlarge", purchase).usd
        for purchase in ("on-demand", "reserved-1y")
    ]
    assert lever.settings == {"pricing.commitmentPercent": int((1 - listed[1] / listed[0]) * 100)}


def test_without_a_listed_spot_price_no_spot_is_offered() -> None:
    assert "spot" in kinds("aks", {})
    assert "spot" not in kinds("aws-prod", {})


def test_what_must_stay_inside_is_not_sent_to_an_api_or_another_region() -> None:
    assert "hybrid" in kinds("hybrid", {})
    found = kinds("hybrid", {"network.dataMayLeave": False})
    assert not {"hybrid", "region"} & set(found)


def test_a_stale_price_is_no_lever() -> None:
    # The book's spot price is of 2026-09-06, the price on demand of 2026-11-09.
    fresh = {"pricing.maxAgeDays": 60, "pricing.systemNodeCount": 0}
    assert "spot" not in kinds("aks", fresh)


def test_redundant_replicas_stay_redundant() -> None:
    for stack in stack_names():
        for lever in levers(stack):
            fewest = lever.settings.get("replicas.min")
            planned = advised(stack).assumptions.fleet.lowest
            if fewest is not None and planned > 1 and lever.kind != "hybrid":
                assert int(str(fewest)) > 1


def test_a_report_has_levers_only_on_request() -> None:
    assert load_stack("dev", TODAY).report().levers is None


def test_what_else_a_program_registers_is_in_both_bills() -> None:
    loaded = load_stack("aws-prod", TODAY)
    more = Registered("queue", "aws:ebs/volume:Volume", {"size": 100, "type": "gp3"})
    values = stack_values("aws-prod")
    report = loaded.report()
    found = find_levers(values, loaded.stack, report, (*loaded.ledger(), more))
    for lever, known in zip(found, levers("aws-prod"), strict=True):
        assert lever.settings == known.settings
        assert lever.monthly > known.monthly


def test_the_json_has_the_same_levers() -> None:
    report = advised("aws-prod")
    document = report_document(report)
    assert document.levers is not None
    assert [part.kind for part in document.levers] == [each.kind for each in levers("aws-prod")]
    assert report_document(replace(report, levers=None)).levers is None


def test_settings_are_shown_as_a_stack_file_has_them() -> None:
    lever = Lever(
        kind="schedule",
        settings={"replicas.autoscaling": True, "replicas.schedule": ["mon-fri 08:00-18:00 2"]},
        monthly=Decimal(1),
        saving=Decimal(1),
    )
    shown = "replicas.autoscaling true, replicas.schedule [mon-fri 08:00-18:00 2]"
    assert lever_settings(lever) == shown


def test_only_savings_are_kept_and_the_best_of_each_kind() -> None:
    def lever(saving: int, count: int) -> Lever:
        settings = {"replicas.max": count}
        return Lever(kind="gpu", settings=settings, monthly=Decimal(9), saving=Decimal(saving))

    assert largest_savings([lever(2, 1), lever(5, 2), lever(-1, 3)]) == (lever(5, 2),)
    assert largest_savings([lever(0, 1)]) == ()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("us-east-1", "us-west-2", True),
        ("us-east-1", "us-gov-west-1", False),
        ("eastus", "westus2", True),
        ("westeurope", "northeurope", True),
        ("northamerica-northeast1", "southamerica-east1", False),
        ("eu-central-1", "us-east-1", False),
    ],
)
def test_regions_of_one_part_of_the_world_are_alike(one: str, other: str, *, same: bool) -> None:
    assert (area(one) == area(other)) is same
