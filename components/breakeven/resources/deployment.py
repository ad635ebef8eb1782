"""The deployment without its cost, for programs that do not show it."""

from __future__ import annotations

from collections.abc import Callable

import pulumi

from breakeven.errors import UserError
from breakeven.manifests.endpoints import endpoints_of
from breakeven.manifests.gateway.figures import GatewayFigures
from breakeven.manifests.render import require_rendered, stack_components
from breakeven.resources.registration import register_components, register_last
from breakeven.resources.run_errors import user_errors
from breakeven.settings.files import own_values
from breakeven.settings.parse import parse, raise_problems
from breakeven.settings.stack import Stack


async def deploy() -> dict[str, object]:
    """Registers the stack without counting its cost; the benchmark compares the program with it.

    Raises:
        RunError: The stack file has mistakes, and nothing was registered; or the stack has a
            gateway, whose budgets need the cost.
    """
    with user_errors():
        stack, problems = parse(
            own_values(pulumi.runtime.config.get_config_env(), f"Pulumi.{pulumi.get_stack()}.yaml")
        )
        raise_problems(pulumi.get_stack(), problems)
        return await register(stack, _uncounted)


async def register(
    stack: Stack,
    figures: Callable[[], GatewayFigures],
    opts: pulumi.ResourceOptions | None = None,
) -> dict[str, object]:
    """Creates all components and waits until each resource is registered.

    Args:
        stack: The stack.
        figures: Asked for what a gateway needs of the estimate; only for a stack with one.
        opts: Of every component. A program that makes the cluster itself names its provider here,
            and lets that wait for the cluster's add-ons.

    Returns:
        The components' outputs.
    """
    require_rendered(stack)
    prices = figures() if stack.gateway.is_on else None
    components = stack_components(stack, prices)
    await register_last(components, await register_components(components, opts))
    return endpoints_of(stack)


def _uncounted() -> GatewayFigures:
    msg = "a gateway's budgets need the cost that is not counted here; take a stack without one"
    raise UserError(msg)
