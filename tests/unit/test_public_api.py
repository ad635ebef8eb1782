"""What other programs import stays, with its parameters."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import breakeven
from breakeven.resources import price_stack

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
}


@pytest.mark.parametrize("name", breakeven.__all__)
def test_each_name_can_be_imported(name: str) -> None:
    assert getattr(breakeven, name).__doc__


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_stay(name: str) -> None:
    assert list(inspect.signature(getattr(breakeven, name)).parameters) == PARAMETERS[name]


def test_every_public_name_is_pinned() -> None:
    # Settings are pinned by docs/settings.md.
    assert {*PARAMETERS, "Settings"} == set(breakeven.__all__)
    assert price_stack.__all__ == ["Priced", "price_stack"]


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = breakeven.nope


def test_the_package_itself_loads_no_pulumi() -> None:
    script = "import sys, breakeven.cost.bill.pricing; sys.exit('pulumi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
