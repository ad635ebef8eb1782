"""What other programs import stays, with its parameters."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from breakeven.resources import price_stack

PACKAGE = import_module("breakeven")
PARAMETERS = {
    "Autoscaling": ["name", "settings", "namespace", "depends_on", "opts"],
    "Gateway": ["name", "settings", "gateway", "namespace", "opts"],
    "GpuPool": ["settings", "opts"],
    "Monitoring": ["name", "settings", "namespace", "opts"],
    "NetworkRules": ["name", "settings", "namespace", "opts"],
    "ServingNamespace": ["name", "settings", "opts"],
    "TokenPrices": ["own", "api_input", "api_cached_input", "api_output"],
    "VllmServing": ["name", "settings", "pool", "namespace", "opts"],
    "create_pool": ["settings", "opts"],
    "parse": ["values"],
    "price_stack": ["cloud", "region", "prices", "today"],
    "register": ["settings", "token_prices"],
    "user_errors": [],
}


@pytest.mark.parametrize("name", PACKAGE.__all__)
def test_each_name_can_be_imported(name: str) -> None:
    assert getattr(PACKAGE, name).__doc__


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_stay(name: str) -> None:
    assert list(inspect.signature(getattr(PACKAGE, name)).parameters) == PARAMETERS[name]


def test_every_public_name_is_pinned() -> None:
    # Settings are pinned by docs/settings.md.
    assert {*PARAMETERS, "Settings"} == set(PACKAGE.__all__)
    assert price_stack.__all__ == ["Priced", "price_stack"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = PACKAGE.nope
