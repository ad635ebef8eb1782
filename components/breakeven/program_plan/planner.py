"""The process that plans what the Pulumi program registers, and estimates what it costs.

Importing the cost side and simulating the week take as long as the engine takes to start its
provider. In the program's own process both would share one interpreter lock, so the program starts
this one first: `breakeven.program_plan.process` holds the other end. Settings and manifests are
read only here, because importing them takes half a second of CPU time.

The process reads a line of JSON from standard input and answers with a pickled value on standard
output, twice:

    the stack's name and configuration  ->  what is wrong with it, or a Checked
    the registered resources            ->  a ProgramReport

The program registers after the first answer, so only what that answer needs is imported first.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import BinaryIO

from breakeven.catalog.apis.token_price_file import leave_out_the_updater
from breakeven.errors import UserError
from breakeven.manifests.render import stack_components
from breakeven.manifests.resource import whole
from breakeven.planning.checks import require_deployable
from breakeven.planning.inputs import Inputs, inputs_of
from breakeven.program_plan.answer import Checked
from breakeven.settings.files import own_values
from breakeven.settings.parse import parse, raise_problems
from breakeven.settings.stack import Stack


def checked(name: str, configuration: Mapping[str, str]) -> tuple[Stack, Inputs]:
    """Reads a stack and checks everything that its estimate depends on.

    Raises:
        UserError: The stack file has mistakes, the machine's clock is behind the prices, or the
            price book is damaged.
    """
    stack, problems = parse(configuration)
    inputs = inputs_of(name, stack, problems, datetime.now(tz=UTC).date())
    raise_problems(name, inputs.problems)
    return stack, inputs


def _undeployable(name: str, stack: Stack) -> str:
    try:
        require_deployable(name, stack)
    except UserError as error:
        return str(error)
    return ""


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answers one program; returns early if the program has ended or its stack has mistakes."""

    def answer(value: object) -> None:
        pickle.dump(value, answers)
        answers.flush()

    first = questions.readline()
    if not first:
        return
    name, configuration = json.loads(first)
    try:
        values = own_values(configuration, f"Pulumi.{name}.yaml")
        stack, inputs = checked(name, values)
    except UserError as error:
        answer(str(error))
        return
    components = stack_components(stack)
    answer(Checked(tuple(map(whole, components)), _undeployable(name, stack)))
    # Imported here, while the program registers.
    from breakeven.cost.bill.registered import Registered  # noqa: PLC0415
    from breakeven.program_plan.estimate import ProgramEstimate  # noqa: PLC0415

    estimate = ProgramEstimate(values, stack, components, inputs.gather())
    second = questions.readline()
    if second:
        answer(estimate.report(Registered(*entry) for entry in json.loads(second)))


def main() -> None:
    """Answers on standard output; what anything else prints goes to standard error."""
    # The process ends in two seconds; garbage collection would take a tenth of that.
    gc.disable()
    leave_out_the_updater()
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
