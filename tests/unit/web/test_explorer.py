"""The page's answers are those of the command line, whatever was asked before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from breakeven.cli.serve import explorer_of
from breakeven.errors import SettingsError
from breakeven.planning.levers import find_levers
from breakeven.planning.offline import load_values
from breakeven.reports import tables
from breakeven.settings.files import stack_values, with_settings
from breakeven.web.controls import DISCOUNT, MACHINE, changes_of, count_text, typed
from breakeven.web.explorer import Explorer, UnknownControlError, section
from breakeven.yaml_documents import plain_value
from tests.unit.cost.builders import TODAY


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return explorer_of("aws-prod", TODAY)


MOVES: tuple[Mapping[str, str], ...] = (
    {},
    {"traffic.tokensPerDay": "60M"},
    {"traffic.tokensPerDay": "3B"},  # more than the fleet serves: larger ones are searched
    {"traffic.tokensPerDay": "60M", "staffing.engineerPercent": "5", DISCOUNT: "20"},
    {MACHINE: "g6.xlarge", "traffic.burstFactor": "2.4"},
    {},  # again, with all weeks known
)


def test_every_answer_is_the_estimate_of_the_stack_file_that_it_shows(explorer: Explorer) -> None:
    """Weeks that are remembered change nothing: bill, verdict and break-even are to the cent."""
    for state in MOVES:
        bill, whole = explorer.bill(state), explorer.whole(state)
        config = plain_value(bill["stackFile"])
        assert isinstance(config, dict)
        values = {key.removeprefix("breakeven:"): one for key, one in config["config"].items()}
        report = load_values("aws-prod", values, TODAY).report()
        rows = replace(tables.self_hosted(report), notes=())
        for table in (rows, tables.by_api(report)):
            assert bill["sections"][table.name] == section(table), state
        compared = (tables.options(report), tables.break_even(report), tables.self_hosted(report))
        for table in compared:
            assert whole["sections"][table.name] == section(table), state
        assert whole["volume"]["planned"][1] == pytest.approx(float(report.serving_total))


def test_the_stack_file_changes_only_what_was_moved(explorer: Explorer) -> None:
    before = explorer.bill({})["stackFile"].splitlines()
    after = explorer.bill({"traffic.tokensPerDay": "60M"})["stackFile"].splitlines()
    assert [line for line in after if line not in before] == ["    tokensPerDay: 60000000"]


def test_mistakes_are_those_of_the_command_line(explorer: Explorer) -> None:
    state = {"traffic.burstFactor": "100", "replicas.min": "many"}
    values = with_settings(stack_values("aws-prod"), changes_of(state, explorer.base, ()))
    with pytest.raises(SettingsError) as stated:
        load_values("aws-prod", values, TODAY)
    with pytest.raises(SettingsError) as found:
        explorer.bill(state)
    assert str(found.value) == str(stated.value)
    assert len(found.value.problems) == 2


def test_what_can_not_be_moved_is_refused_with_what_can(explorer: Explorer) -> None:
    with pytest.raises(UnknownControlError, match=r"unknown: policy\.waivers\. Allowed: traffic"):
        explorer.bill({"policy.waivers": "[]"})


def test_a_value_of_the_stack_itself_changes_nothing(explorer: Explorer) -> None:
    own = {control.key: control.value for control in explorer.controls}
    assert explorer.moved(own) == {}


def test_every_slider_stops_at_the_value_of_the_stack(explorer: Explorer) -> None:
    for control in explorer.controls:
        if control.steps:
            assert control.steps[control.position] == control.value


@pytest.mark.parametrize("number", [1, 1234, 60_000_000, 1_250_000, 123_456_789, 10**10])
def test_a_number_of_tokens_is_written_as_it_is_read(number: int) -> None:
    assert typed(count_text(number)) == number


def test_savings_are_those_of_an_estimate_whatever_was_asked_before(explorer: Explorer) -> None:
    states: tuple[dict[str, str], ...]
    states = ({}, {DISCOUNT: "20"}, {"traffic.tokensPerDay": "60M"}, {"replicas.min": "3"}, {})
    for state in states:
        values = with_settings(explorer.values, explorer.moved(state))
        loaded = load_values("aws-prod", values, TODAY)
        report = loaded.report()
        levers = find_levers(values, loaded.stack, report, loaded.ledger())
        shown = section(tables.levers(replace(report, levers=levers)))
        assert explorer.levers(state)["sections"]["levers"] == shown, state
