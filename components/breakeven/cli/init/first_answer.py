"""The cost of a workload without a stack file: what `init` would write, estimated at once."""

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
    """An estimate, and what it assumes.

    Attributes:
        report: The estimate.
        text: What no option stated, and the command that continues from here.
    """

    report: Report
    text: str


def first_answer(stated: Stated, today: date) -> FirstAnswer:
    """Estimates what the options describe, as `breakeven init` would write it.

    Raises:
        UserError: No stack can be made of the options.
    """
    answers, values = _described(stated, today)
    name = answers.name
    loaded = load_values(name, with_settings({}, values), today)
    table = text_table("Assumed, because no option states it")
    for heading, side in _COLUMNS.items():
        table.add_column(heading, justify=side, overflow="fold")
    for row in _assumed(stated, answers, loaded.stack):
        table.add_row(*row)
    # Whatever `init` would ask for is stated, so that it asks nothing.
    complete = replace(
        stated,
        model=answers.model.name,
        where=answers.where,
        tokens_per_day=answers.tokens_per_day,
        api=answers.api,
        data_may_leave=answers.data_may_leave,
    )
    after = (
        "Hours of the week, peaks, staffing and the rest of the bill are defaults, too. To change "
        "them, write a stack file with these values and edit it:"
    )
    command = f"  breakeven init {name} {complete.command_line()}"
    return FirstAnswer(loaded.report_with_levers(), drawn(table) + wrapped(("", after)) + command)


def described_stack(stated: Stated, today: date) -> tuple[str, dict[str, object], str]:
    """Returns the stack that the options describe: its name, its groups, the text of its file.

    Raises:
        UserError: No stack can be made of the options.
    """
    answers, values = _described(stated, today)
    return answers.name, with_settings({}, values), text_of(answers, values)


def _described(stated: Stated, today: date) -> tuple[Answers, dict[str, object]]:
    answers = stated.answers(_free_name())
    try:
        return answers, values_of(answers, today)
    except SettingsError as error:
        problems = "\n".join(f"  {problem}" for problem in error.problems)
        msg = f"these options can't be estimated together:\n{problems}"
        raise NewStackError(msg) from error


_COLUMNS: Mapping[str, Literal["left", "right"]] = {
    "Option or setting": "left",
    "Value": "left",
    "Why": "left",
}


def _assumed(stated: Stated, answers: Answers, stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Yields what was assumed: the option that would change it, its value, and the reason."""
    [settings] = stack.models
    traffic, pool, default = settings.traffic, settings.pool, "default"
    machine = f"{settings.engine.tensor_parallel} x {pool.gpu.name}"
    if pool.instance_types:
        machine += f" on {pool.instance_types[0]}"
    options = {
        "model": (answers.model.name, default),
        "where": (str(answers.where), default),
        "region": (settings.pricing.region, "the cloud's first with prices"),
        "gpu": (machine, "lowest cost for the peak minute"),
        "tokens_per_day": (f"{traffic.tokens_per_day:,}", default),
        "input_tokens": (f"{traffic.input_tokens:,}", f"{default}, mean of a request"),
        "output_tokens": (f"{traffic.output_tokens:,}", f"{default}, mean of a request"),
        "cached_input_percent": (f"{traffic.cached_input_percent}", default),
        "api": (settings.api.in_use, f"{default}, what you pay now"),
        "data_may_leave": ("prompts may go to an API", "default; else --data-stays"),
    }
    for name, (value, reason) in options.items():
        if getattr(stated, name) is None and value:
            yield "--" + name.replace("_", "-"), value, reason
    yield "traffic.shape, burstFactor", f"{traffic.shape}, {traffic.burst_factor}", default
    people = settings.staffing
    yield "staffing.engineerPercent", f"{people.engineer_percent}", default


def _free_name() -> str:
    """Returns a name for the stack that no file in stacks/ has."""
    taken = {*stack_names()}
    numbered = (f"{_NAME}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (_NAME, *numbered) if name not in taken)
