"""Prefill/decode disaggregation is a lever where fewer replicas serve, and is not deployed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from breakeven.cost.levers import Lever
from breakeven.errors import SettingsError, UserError
from breakeven.manifests.render import render
from breakeven.planning import levers
from breakeven.planning.checks import require_deployable
from breakeven.planning.offline import load_values
from breakeven.reports.sentences.levers import lever_notes
from breakeven.reports.sentences.notes import note_sentence
from breakeven.settings.files import stack_values, with_settings

TODAY = date(2026, 11, 30)
LINK = {"engine.disaggregation.linkGigabitsPerSecond": 400}
LARGE = {
    **LINK,
    "traffic.tokensPerDay": 2_000_000_000,
    "traffic.interTokenLatencySeconds": "0.05",
    "replicas.max": 40,
}
TWO_GROUPS = {
    **LARGE,
    "engine.disaggregation.prefillReplicas": 6,
    "replicas.autoscaling": False,
    "replicas.min": 13,
    "replicas.max": 13,
}


def values(changes: Mapping[str, object]) -> Mapping[str, object]:
    return with_settings(stack_values("aws-prod"), changes)


def disaggregation(changes: Mapping[str, object]) -> list[Lever]:
    report = load_values("aws-prod", values(changes), TODAY).report_with_levers()
    return [each for each in report.levers or () if each.kind == "disaggregation"]


def test_the_lever_has_the_dollars_of_a_stack_file_that_states_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(levers, "MOST_SIMULATED", 20)
    before = load_values("aws-prod", values(LARGE), TODAY).report()
    [lever] = disaggregation(LARGE)
    after = load_values("aws-prod", with_settings(values(LARGE), lever.settings), TODAY).report()
    cent = Decimal("0.01")
    assert lever.monthly.quantize(cent) == after.total.quantize(cent)
    assert lever.saving.quantize(cent) == (before.total - after.total).quantize(cent) > 0
    assert after.assumptions.capacity.missed is None
    assert after.assumptions.simulated.totals.objective_share > 0.95
    assert any("unverified" in each for each in lever_notes((lever,)))


def test_no_link_is_guessed_and_few_replicas_or_slow_tokens_give_no_lever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(levers, "MOST_SIMULATED", 20)
    without = {key: value for key, value in LARGE.items() if key not in LINK}
    assert disaggregation(without) == []
    assert disaggregation(LINK) == []
    assert disaggregation({**LARGE, "traffic.interTokenLatencySeconds": "10"}) == []


def test_the_bill_has_the_nodes_of_both_groups_and_says_what_is_not_verified() -> None:
    report = load_values("aws-prod", values(TWO_GROUPS), TODAY).report()
    assert (
        report.assumptions.simulated.totals.node_hours / report.assumptions.simulated.totals.hours
        == 13
    )
    [said] = [
        note_sentence(each)
        for each in report.assumptions.notes
        if "only process prompts" in note_sentence(each)
    ]
    assert "6 replicas of 13" in said
    assert "unverified" in said
    assert "does not deploy" in said


def test_a_stated_link_alone_changes_no_dollar() -> None:
    plain = load_values("aws-prod", values({}), TODAY).report()
    assert load_values("aws-prod", values(LINK), TODAY).report().total == plain.total


def test_it_is_estimated_and_neither_deployed_nor_rendered() -> None:
    stack = load_values("aws-prod", values(TWO_GROUPS), TODAY).stack
    with pytest.raises(SettingsError, match=r"does not deploy it.*Set it to 0"):
        require_deployable("aws-prod", stack)
    with pytest.raises(UserError, match="prefillReplicas: 6: Breakeven estimates"):
        render(stack)
    require_deployable("aws-prod", load_values("aws-prod", values(LARGE), TODAY).stack)
