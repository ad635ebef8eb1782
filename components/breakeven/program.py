"""The program: registers the deployment and shows what it costs.

It loads Pulumi alone: what is registered, and what it costs, another process works out, or an
earlier run has.
"""

from __future__ import annotations

import asyncio

import pulumi

from breakeven.program_plan.plan import Plan
from breakeven.resources.run_errors import user_errors
from breakeven.type_tokens import ESTIMATE

PREFIX = "breakeven:"
"""Of the keys of this project's settings."""


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
        secret = pulumi.runtime.config.get_config_secret_keys_env()
        plan = Plan(
            pulumi.get_stack(),
            pulumi.runtime.config.get_config_env(),
            deploys=not pulumi.runtime.is_dry_run(),
            # What may hold a secret is not written to disk; those of providers are never read.
            keeps=not any(key.startswith(PREFIX) for key in secret),
        )
        with plan:
            return await _deploy(plan)


async def _deploy(plan: Plan) -> dict[str, object]:
    # Imported here, while the other process reads the stack.
    from breakeven.preflight_hint import Hint  # noqa: PLC0415
    from breakeven.resources import registration  # noqa: PLC0415
    from breakeven.resources.ledger import Ledger  # noqa: PLC0415

    hint = Hint(pulumi.get_stack()) if pulumi.runtime.is_dry_run() else None
    components = await plan.check()
    # What others add to the program before it deploys is in the bill, too.
    ledger = Ledger()
    ledger.attach()
    registered = await registration.register_components(components)
    report = await plan.report(ledger.entries())
    await registration.register_last(report.components or components, registered)
    # Once: an update would print it a second time, after its own preview.
    if hint is not None:
        pulumi.log.info(report.text)
        if said := hint.text():
            pulumi.log.info(said)
    await asyncio.gather(
        Estimate("cost", report.figures).urn.future(),
        registration.register_beside(report.planned_cost),
    )
    return report.outputs
