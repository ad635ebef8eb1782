"""The program: registers the deployment and shows what it costs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pulumi

from breakeven.estimate_process import EstimateProcess
from breakeven.preflight_hint import Hint
from breakeven.resources.run_errors import user_errors
from breakeven.settings.files import own_values
from breakeven.type_tokens import ESTIMATE


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
        configuration = own_values(
            pulumi.runtime.config.get_config_env(), f"Pulumi.{pulumi.get_stack()}.yaml"
        )
    with user_errors(), EstimateProcess(pulumi.get_stack(), configuration) as estimating:
        return await _deploy(estimating, configuration)


async def _deploy(
    estimating: EstimateProcess, configuration: Mapping[str, str]
) -> dict[str, object]:
    # Imported here, while the other process imports the cost side.
    from breakeven.manifests.render import stack_components  # noqa: PLC0415
    from breakeven.planning.checks import require_deployable  # noqa: PLC0415
    from breakeven.planning.rendered_ledger import entries_started_last  # noqa: PLC0415
    from breakeven.resources import deployment  # noqa: PLC0415
    from breakeven.resources.ledger import Ledger  # noqa: PLC0415
    from breakeven.settings.parse import parse  # noqa: PLC0415

    hint = Hint(pulumi.get_stack()) if pulumi.runtime.is_dry_run() else None
    stack, _ = parse(configuration)
    # It finds the same problems, and those of prices: it reports all of them at once.
    await estimating.check()
    if not pulumi.runtime.is_dry_run():
        require_deployable(pulumi.get_stack(), stack)
    components = stack_components(stack)
    # What others add to the program before it deploys is in the bill, too.
    ledger = Ledger()
    ledger.attach()
    registered = await deployment.register_components(components)
    report = await estimating.report((*ledger.entries(), *entries_started_last(components)))
    if report.token_prices is not None:
        components = stack_components(stack, report.token_prices)
    await deployment.register_last(components, registered)
    # Once: an update would print it a second time, after its own preview.
    if hint is not None:
        pulumi.log.info(report.text)
        if said := hint.text():
            pulumi.log.info(said)
    await asyncio.gather(
        Estimate("cost", report.figures).urn.future(),
        deployment.register_planned_cost(stack, report.planned_costs),
    )
    return {**deployment.outputs_of(stack), **report.outputs}
