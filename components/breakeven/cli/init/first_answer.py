"""The cost of a workload without a stack file: an estimate of what `init` would write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from breakeven.cli.init.new_stack import text_of, values_of
from breakeven.cli.init.options import Stated
from breakeven.cli.init.stack_answers import Answers, NewStackError
from breakeven.cost.report import Report
from breakeven.errors import SettingsError
from breakeven.planning.offline import load_values
from breakeven.reports.text import drawn, text_table, wrapped
from breakeven.settings.files import stack_names, with_settings
from breakeven.settings.stack import Stack

_NAME = "chat"


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """An estimate, and its assumptions.

    Attributes:
        report: The estimate.
        text: The defaults that were used, and the command that creates a stack file.
    """

    report: Report
    text: str


def first_answer(stated: Stated, today: date) -> FirstAnswer:
    """Estimates what the options describe, as `breakeven init` would write it.

    Raises:
        UserError: The options do not make a valid stack.
    """
    answers, values = _described(stated, today)
    name = answers.name
    loaded = load_values(name, with_settings({}, values), today)
    table = text_table("Defaults used")
    for heading, side in _COLUMNS.items():
        table.add_column(heading, justify=side, overflow="fold")
    for row in _assumed(stated, answers, loaded.stack):
        table.add_row(*row)
    # States everything that `init` would prompt for, so that it does not prompt.
    complete = replace(
        stated,
        model=answers.model.name,
        where=answers.where,
        tokens_per_day=answers.tokens_per_day,
        api=answers.api,
        data_may_leave=answers.data_may_leave,
    )
    after = (
        "Weekly traffic shape, peaks, staffing and the rest of the bill also have defaults. To "
        "change them, create a stack file with these values and edit it:"
    )
    command = f"  breakeven init {name} {complete.command_line()}"
    return FirstAnswer(loaded.report_with_levers(), drawn(table) + wrapped(("", after)) + command)


def described_stack(stated: Stated, today: date) -> tuple[str, dict[str, object], str]:
    """Returns the stack that the options describe: its name, its groups, and its file's text.

    Raises:
        UserError: The options do not make a valid stack.
    """
    answers, values = _described(stated, today)
    return answers.name, with_settings({}, values), text_of(answers, values)


def _described(stated: Stated, today: date) -> tuple[Answers, dict[str, object]]:
    answers = stated.answers(_free_name())
    try:
        return answers, values_of(answers, today)
    except SettingsError as error:
        problems = "\n".join(f"  {problem}" for problem in error.problems)
        msg = f"cannot estimate these options together:\n{problems}"
        raise NewStackError(msg) from error


_COLUMNS: Mapping[str, Literal["left", "right"]] = {
    "Option or setting": "left",
    "Value": "left",
    "Why": "left",
}


def _assumed(stated: Stated, answers: Answers, stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Yields the defaults used: the option that changes each, its value, and the reason."""
    [settings] = stack.models
    traffic, pool, default = settings.traffic, settings.pool, "default"
    machine = f"{settings.engine.tensor_parallel} x {pool.gpu.name}"
    if pool.instance_types:
        machine += f" on {pool.instance_types[0]}"
    options = {
        "model": (answers.model.name, default),
        "where": (str(answers.where), default),
        "region": (settings.pricing.region, "first region of this cloud with prices"),
        "gpu": (machine, "lowest cost that serves the peak minute"),
        "tokens_per_day": (f"{traffic.tokens_per_day:,}", default),
        "input_tokens": (f"{traffic.input_tokens:,}", f"{default}, mean per request"),
        "output_tokens": (f"{traffic.output_tokens:,}", f"{default}, mean per request"),
        "cached_input_percent": (f"{traffic.cached_input_percent}", default),
        "api": (settings.api.in_use, f"{default}, the API to compare with"),
        "data_may_leave": ("prompts can be sent to an API", "default; change it with --data-stays"),
    }
    for name, (value, reason) in options.items():
        if getattr(stated, name) is None and value:
            yield "--" + name.replace("_", "-"), value, reason
    yield "traffic.shape, burstFactor", f"{traffic.shape}, {traffic.burst_factor}", default
    people = settings.staffing
    yield "staffing.engineerPercent", f"{people.engineer_percent}", default


def _free_name() -> str:
    """Returns a name for the stack that is not used in stacks/."""
    taken = {*stack_names()}
    numbered = (f"{_NAME}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (_NAME, *numbered) if name not in taken)
