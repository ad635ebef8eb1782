"""The verdict names teams whose prompts may not go to the API that it recommends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from breakeven.cost.recommendation import AllTeamsStay, KeptInside, SomeStayInside, Verdict
from breakeven.planning.offline import load_values
from breakeven.reports.sentences.recommendation import option_name, reasons, summary
from breakeven.settings.files import stack_values, with_settings

TODAY = date(2026, 11, 23)


def verdict(stack: str, changes: Mapping[str, object]) -> Verdict:
    """The verdict of a stack with some settings changed."""
    values = with_settings(stack_values(stack), changes)
    return load_values(stack, values, TODAY).report().verdict


def test_a_recommended_api_is_not_for_a_team_whose_data_may_not_leave() -> None:
    found = verdict("hybrid", {})
    assert found.choice == "hosted"
    assert ", except for team legal:" in summary(found)
    first = found.reasons[0]
    assert isinstance(first, SomeStayInside)
    assert first.kept == KeptInside(teams=("legal",))
    assert first.keeps.monthly == min(
        option.monthly for option in found.options if option.choice in ("self-host", "hybrid")
    )
    said = reasons(found)[0]
    assert said.startswith(
        "Prompts of team legal must stay inside (dataMayLeave: false in gateway.teams.legal). "
        "Their share of the traffic is unknown;"
    )
    assert option_name(first.keeps) in said


@pytest.mark.parametrize(
    ("limit", "choice"),
    [(40_000_000, "hybrid"), (360_000_000, "self-host")],
    ids=["within the hybrid's own share", "beyond the hybrid's own share"],
)
def test_the_option_that_keeps_teams_inside_has_own_nodes_for_all_they_may_send(
    limit: int, choice: str
) -> None:
    teams = {"product": {}, "legal": {"dataMayLeave": False, "tokensPerDay": limit}}
    found = verdict("hybrid", {"gateway.teams": teams})
    first = found.reasons[0]
    assert isinstance(first, SomeStayInside)
    assert first.keeps.choice == choice
    assert f"at most {limit / 400_000_000:.0%} of the tokens" in reasons(found)[0]


def test_an_api_is_not_recommended_if_the_data_of_every_team_must_stay() -> None:
    changes = {"gateway.enabled": True, "gateway.teams": {"legal": {"dataMayLeave": False}}}
    found = verdict("aws-prod", changes)
    assert found.choice == "self-host"
    assert isinstance(found.reasons[0], AllTeamsStay)
    assert "hybrid" not in {option.choice for option in found.options}
    assert ", because prompts of every team must stay inside:" in summary(found)


def test_requests_that_only_a_header_keeps_inside_are_named() -> None:
    changes = {"gateway.separateInside": True, "gateway.teams": {"product": {}}}
    found = verdict("hybrid", changes)
    assert ", except for requests with the header x-stay-inside:" in summary(found)
    assert "(gateway.separateInside: true)" in reasons(found)[0]


def test_a_team_counts_before_the_stack_has_a_gateway() -> None:
    teams = {"product": {}, "legal": {"dataMayLeave": False}}
    assert ", except for team legal:" in summary(verdict("aws-prod", {"gateway.teams": teams}))


def test_teams_whose_data_may_leave_change_nothing() -> None:
    free = verdict("hybrid", {"gateway.teams": {"product": {}}})
    assert not any(isinstance(reason, SomeStayInside) for reason in free.reasons)


def test_options_with_own_nodes_are_marked_if_a_single_request_misses_the_ttft_objective() -> None:
    found = verdict("hybrid", {"traffic.timeToFirstTokenSeconds": "0.05"})
    marked = {
        option.choice
        for option in found.options
        if option_name(option).endswith("(misses the TTFT objective)")
    }
    assert marked == {"self-host", "hybrid"}
    met = verdict("hybrid", {})
    assert not any("misses" in option_name(option) for option in met.options)
