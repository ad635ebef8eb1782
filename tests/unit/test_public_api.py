"""What other programs import stays, with its parameters."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from breakeven.resources import price_stack

PACKAGE = import_module("breakeven")
SIGNATURES = {
    "Autoscaling": "(name: str, settings: Settings, *, namespace: pulumi.Input[str], "
    "depends_on: Sequence[pulumi.Resource] = (), opts: pulumi.ResourceOptions | None = None)",
    "Gateway": "(name: str, settings: Settings, gateway: GatewaySettings, *, "
    "namespace: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None)",
    "GpuPool": "(stack: Stack, opts: pulumi.ResourceOptions | None)",
    "Monitoring": "(name: str, settings: Settings, *, namespace: pulumi.Input[str], "
    "opts: pulumi.ResourceOptions | None = None)",
    "NetworkRules": "(name: str, stack: Stack, *, namespace: pulumi.Input[str], "
    "opts: pulumi.ResourceOptions | None = None)",
    "ServingNamespace": "(name: str, stack: Stack, *, opts: pulumi.ResourceOptions | None = None)",
    "GatewayFigures": "(*, models: Mapping[str, TokenPrices], most_pods: int = 0)",
    "TokenPrices": "(*, own: Decimal = Decimal(0), api_input: Decimal = Decimal(0), "
    "api_cached_input: Decimal = Decimal(0), api_output: Decimal = Decimal(0))",
    "VllmServing": "(name: str, settings: Settings, pool: GpuPool, *, "
    "namespace: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None)",
    "create_pool": "(stack: Stack, *, opts: pulumi.ResourceOptions | None = None) -> GpuPool",
    "parse": "(values: Values) -> tuple[Stack, tuple[Problem, ...]]",
    "raise_problems": "(stack: str, problems: tuple[Problem, ...])",
    "price_stack": "(*, cloud: str = aws, region: str = us-east-1, "
    "prices: Mapping[str, str] | None = None, today: date | None = None) -> Priced",
    "register": "(stack: Stack, figures: Callable[[], GatewayFigures], "
    "opts: pulumi.ResourceOptions | None = None) -> dict[str, object]",
    "user_errors": "() -> Iterator[None]",
}


@pytest.mark.parametrize("name", PACKAGE.__all__)
def test_each_name_can_be_imported(name: str) -> None:
    assert getattr(PACKAGE, name).__doc__


@pytest.mark.parametrize("name", SIGNATURES)
def test_parameters_keep_their_names_order_types_and_defaults(name: str) -> None:
    signature = str(inspect.signature(getattr(PACKAGE, name))).replace("'", "")
    assert signature.removesuffix(" -> None") == SIGNATURES[name]


def test_every_public_name_is_pinned() -> None:
    # Settings are pinned by docs/settings.md.
    assert {*SIGNATURES, "Settings", "Stack"} == set(PACKAGE.__all__)
    assert price_stack.__all__ == ["Priced", "price_stack"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = PACKAGE.nope
