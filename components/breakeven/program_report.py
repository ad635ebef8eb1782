"""The estimate of the Pulumi program, made in a process of its own.

Importing the cost side and simulating the week take as long as the engine takes to start its
provider. In the program's own process both would share one interpreter lock, so the program starts
this one first: `breakeven.estimate_process` holds the other end.

The process reads a line of JSON from standard input and answers with a pickled value on standard
output, twice:

    the stack's name and configuration  ->  what is wrong with it, or None
    the registered resources            ->  a ProgramReport
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import BinaryIO

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.registered import Registered
from breakeven.cost.estimate import estimate
from breakeven.errors import UserError
from breakeven.estimate_process import ProgramReport
from breakeven.planning.inputs import Inputs, inputs_of, token_prices
from breakeven.planning.levers import find_levers
from breakeven.planning.notes import update_strategy
from breakeven.planning.planned_cost import planned_costs
from breakeven.reports.estimate_text import render
from breakeven.reports.json_report import as_output, summary
from breakeven.reports.sentences.notes import note_sentence
from breakeven.settings.parse import parse, raise_problems
from breakeven.settings.stack import Stack


def report_of(
    values: Mapping[str, object],
    stack: Stack,
    assumptions: Assumptions,
    entries: Iterable[Registered],
) -> ProgramReport:
    """Estimates what a program registered.

    Args:
        values: What the stack states: groups by key, each a mapping or its JSON.
        stack: The stack.
        assumptions: What the estimate rests on.
        entries: The registered resources.
    """
    registered = tuple(entries)
    report = estimate(registered, assumptions)
    report = replace(report, levers=find_levers(values, stack, report, registered))
    rollout = note_sentence(update_strategy(stack.models[0]))
    return ProgramReport(
        text=render(report),
        figures=as_output(report),
        outputs={"rollout": rollout, "cost": summary(report)},
        planned_costs=planned_costs(report),
        token_prices=token_prices(report) if stack.gateway.is_hybrid else None,
    )


def checked(name: str, configuration: Mapping[str, str]) -> tuple[Stack, Inputs]:
    """Reads a stack and checks all that its estimate rests on.

    Raises:
        UserError: The stack file has mistakes, the machine's clock is behind the prices, or the
            price book is damaged.
    """
    stack, problems = parse(configuration)
    inputs = inputs_of(name, stack, problems, datetime.now(tz=UTC).date())
    raise_problems(name, inputs.problems)
    return stack, inputs


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answers one program; returns early where the program has ended or its stack has mistakes."""

    def answer(value: object) -> None:
        pickle.dump(value, answers)
        answers.flush()

    first = questions.readline()
    if not first:
        return
    name, configuration = json.loads(first)
    try:
        stack, inputs = checked(name, configuration)
    except UserError as error:
        answer(str(error))
        return
    answer(None)
    assumptions = inputs.gather()
    second = questions.readline()
    if second:
        entries = [Registered(*entry) for entry in json.loads(second)]
        answer(report_of(configuration, stack, assumptions, entries))


def main() -> None:
    """Answers on standard output; what anything else prints goes to standard error."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
