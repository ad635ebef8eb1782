"""The program: registers the deployment and shows what it costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pulumi

from breakeven.manifests.render import stack_components
from breakeven.planning.inputs import Inputs, inputs_of
from breakeven.planning.rendered_ledger import entries_started_last
from breakeven.resources.deployment import (
    configuration,
    outputs_of,
    register_components,
    register_last,
    register_planned_cost,
)
from breakeven.resources.ledger import Ledger
from breakeven.resources.run_errors import user_errors
from breakeven.settings.parse import parse, raise_problems
from breakeven.type_tokens import ESTIMATE

if TYPE_CHECKING:
    from breakeven.cost.bill.registered import Registered
    from breakeven.program_report import ProgramReport


class Estimate(pulumi.ComponentResource):
    """The cost of the stack as a resource without children: its inputs are the report's figures.

    Outputs of the stack are not in `preview --json`; inputs of a resource are, and policies and
    `--diff` see them too.
    """

    def __init__(self, name: str, figures: dict[str, object]) -> None:
        super().__init__(ESTIMATE, name, figures)
        self.register_outputs({})


async def main() -> dict[str, object]:
    """Registers the stack, shows its cost at preview, and returns the stack's outputs.

    Raises:
        RunError: The stack file has mistakes, the machine's clock is behind the prices, or the
            price book is damaged. Nothing was registered.
    """
    with user_errors():
        return await _deploy()


async def _deploy() -> dict[str, object]:
    name = pulumi.get_stack()
    stack, problems = parse(configuration())
    inputs = inputs_of(name, stack, problems, datetime.now(tz=UTC).date())
    raise_problems(name, inputs.problems)
    components = stack_components(stack)
    # What others add to the program before it deploys is in the bill, too.
    ledger = Ledger()
    ledger.attach()
    # The cost side is loaded, and the week simulated, while the engine starts its provider.
    preparing = asyncio.create_task(asyncio.to_thread(_reporting, inputs))
    registered = await register_components(components)
    report = (await preparing)((*ledger.entries(), *entries_started_last(components)))
    if stack.gateway.is_hybrid:
        # A gateway's budgets need the price of a token.
        components = stack_components(stack, report.token_prices)
    await register_last(components, registered)
    # Once: an update would print it a second time, after its own preview.
    if pulumi.runtime.is_dry_run():
        pulumi.log.info(report.text)
    await Estimate("cost", report.figures).urn.future()
    await register_planned_cost(stack, report.planned_costs)
    return {**outputs_of(stack), **report.outputs(stack)}


def _reporting(inputs: Inputs) -> Callable[[Iterable[Registered]], ProgramReport]:
    from breakeven.program_report import reporting  # noqa: PLC0415  # in the thread: see above

    return reporting(inputs.gather)
