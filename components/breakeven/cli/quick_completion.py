"""What bash offers after Tab for names of stacks, models, GPUs, APIs and regions, quickly.

Importing a command takes a second of CPU time; these names take a tenth. Other completions work the
usual way. A completion never fails: names that cannot be read are left out.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType

STACK_COMMANDS = frozenset(
    {
        *("estimate", "recommend", "sensitivity", "simulate", "serve", "render", "report", "diff"),
        *("evidence", "reconcile", "review", "chargeback", "preflight", "status"),
    }
)
"""Commands whose first argument is a stack."""


def complete_stack(incomplete: str) -> list[str]:
    """Returns the stacks that start with what was typed."""
    from breakeven.settings.files import stack_names  # noqa: PLC0415  # read after Tab alone

    return [name for name in stack_names() if name.startswith(incomplete)]


def complete_model(incomplete: str) -> list[str]:
    """Returns the models of the catalog that start with what was typed."""
    from breakeven.catalog.models import load_models  # noqa: PLC0415  # read after Tab alone

    return [name for name in load_models() if name.startswith(incomplete)]


def complete_gpu(incomplete: str) -> list[str]:
    """Returns the GPUs of the catalog that start with what was typed."""
    from breakeven.catalog.gpus import gpu_names  # noqa: PLC0415  # read after Tab alone

    # Parts of a GPU, such as h100/1g.10gb, only after its slash: there are hundreds.
    parts = "/" in incomplete
    return [name for name in gpu_names() if name.startswith(incomplete) and ("/" in name) is parts]


def complete_api(incomplete: str) -> list[str]:
    """Returns the APIs with a price that start with what was typed, as provider/model."""
    from breakeven.catalog.apis.offers import offered_names  # noqa: PLC0415  # read after Tab alone

    return [name for name in offered_names() if name.startswith(incomplete)]


def complete_place(incomplete: str) -> list[str]:
    """Returns the regions of the price book that start with what was typed, as CLOUD/REGION."""
    return [name for name in map("/".join, _places()) if name.startswith(incomplete)]


def complete_cloud(incomplete: str) -> list[str]:
    """Returns the clouds of the price book that start with what was typed."""
    return [cloud for cloud in dict(_places()) if cloud.startswith(incomplete)]


def regions_of(cloud: str | None, incomplete: str) -> list[str]:
    """Returns the regions of a cloud, of all clouds if None, that start with what was typed."""
    names = {region for name, region in _places() if cloud in {None, name}}
    return sorted(name for name in names if name.startswith(incomplete))


def _places() -> list[tuple[str, str]]:
    from breakeven.catalog.price_regions import SHIPPED, machine_regions  # noqa: PLC0415  # late
    from breakeven.settings.files import PRICES  # noqa: PLC0415  # likewise

    return machine_regions((SHIPPED, PRICES))


OPTIONS: Mapping[tuple[str, str], Callable[[str], list[str]]] = MappingProxyType(
    {
        **{
            (command, option): complete
            for command in ("init", "estimate")
            for option, complete in (
                ("--model", complete_model),
                ("--gpu", complete_gpu),
                ("--api", complete_api),
            )
        },
        ("recommend", "--gpu"): complete_gpu,
        ("prices refresh", "--region"): complete_place,
        ("prices refresh", "--cloud"): complete_cloud,
    }
)
"""By command and option, what completes the option's value."""

GROUPS = frozenset({"prices"})
"""Commands whose next word is a command, too."""


def quick_answer(environ: Mapping[str, str]) -> list[str] | None:
    """Returns the completions; None if this is not a completion of one of these names."""
    if environ.get("_BREAKEVEN_COMPLETE") != "complete_bash":
        return None
    try:
        words = shlex.split(environ["COMP_WORDS"])
        place = int(environ["COMP_CWORD"])
    except (KeyError, ValueError):  # an open quote, or not a shell
        return None
    incomplete = words[place] if place < len(words) else ""
    before = words[1:place]
    if len(before) == 1 and before[0] in STACK_COMMANDS and not incomplete.startswith("-"):
        return complete_stack(incomplete)
    if len(before) > 1:
        command = " ".join(before[:2]) if before[0] in GROUPS else before[0]
        option = before[-1]
        if (command, option) == ("init", "--region"):
            stated = dict(pairwise(before))
            return regions_of(stated.get("--where"), incomplete)
        if (command, option) in OPTIONS:
            return OPTIONS[command, option](incomplete)
    return None
