"""Where the configured fleet is too small, sensitivity varies the option that the verdict costs."""

from __future__ import annotations

from datetime import date

import pytest

from breakeven.cost.estimate import estimate
from breakeven.cost.sensitivity.monte_carlo import monte_carlo
from breakeven.cost.sensitivity.ranges import INPUTS, InputRange
from breakeven.cost.sensitivity.scenario import Scenario, ScenarioModel
from breakeven.planning.offline import load_values
from breakeven.reports.formatting import money
from breakeven.settings.files import stack_values, with_settings

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("stack", "changes"),
    [
        ("aks", {"traffic.tokensPerDay": 3_000_000_000, "replicas.max": 2}),
        ("on-prem", {"traffic.tokensPerDay": 1_200_000_000}),
        ("air-gapped", {"traffic.tokensPerDay": 4_000_000_000}),
    ],
)
def test_the_base_case_is_the_self_hosting_option_of_the_verdict(
    stack: str, changes: dict[str, object]
) -> None:
    loaded = load_values(stack, with_settings(stack_values(stack), changes), TODAY)
    report = estimate(loaded.ledger(), loaded.assumptions)
    assert report.shortfall is not None
    own = next(option for option in report.verdict.options if option.choice == "self-host")
    varied = ScenarioModel(loaded.ledger(), loaded.assumptions)
    outcome = varied.outcome(Scenario())
    assert money(outcome.total) == money(own.monthly) == money(report.serving_total)
    assert outcome.enlarged
    assert outcome.pays(0) == (own.monthly < report.api.monthly)
    certain = dict.fromkeys(INPUTS, InputRange(100, 100))
    [against, *_] = monte_carlo(varied, certain, seed=1, samples=3).against
    assert against.pays_share == float(own.monthly < report.api.monthly)
    # The larger fleet shrinks with the load, down to the configured one.
    assert not varied.outcome(Scenario(tokens=0.05)).enlarged
    totals = [varied.outcome(Scenario(tokens=tokens)).total for tokens in (0.5, 1.0, 1.5, 3.0)]
    assert totals == sorted(totals)
