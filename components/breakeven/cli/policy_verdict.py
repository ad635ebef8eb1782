"""The policy packs' verdict on a stack, for the commands that show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from breakeven.planning.offline import manifests_of_stack
from breakeven.policy.manifest import Carried, Scope
from breakeven.policy.reachability import reachability
from breakeven.policy.registry import rules_of
from breakeven.policy.rule import Pack
from breakeven.policy.verdict import Verdict, judge
from breakeven.policy.waivers import read_waivers


def judge_stack(  # noqa: PLR0913  # each is an option of a command
    stack: str,
    day: date,
    *,
    packs: Sequence[Pack] = (),
    waiver_files: Sequence[Path] = (),
    registries: Sequence[str] = (),
    carried: Carried | None = None,
) -> tuple[Verdict, Scope]:
    """Checks a stack with its own waivers, registry and packs, and with additional ones.

    Args:
        stack: Name of a stack file in stacks/.
        day: Date for which the validity of waivers is checked.
        packs: Packs. Default: hardening, and airgap if the stack is air-gapped.
        waiver_files: Files of additional waivers.
        registries: Additional registries.
        carried: Contents of a bundle's lock, if there is one.

    Raises:
        UserError: The stack file or a waiver file has errors.
    """
    resources, read = manifests_of_stack(stack)
    network = read.network
    own = [network.registry] if network.registry else []
    scope = Scope(resources, (*registries, *own), carried)
    chosen = packs or [Pack.HARDENING, *([Pack.AIRGAP] if network.is_air_gapped else [])]
    waivers = read_waivers([*read.policy.waiver_files, *waiver_files])
    return judge(scope, rules_of(chosen), waivers, day), scope


def verdict_output(verdict: Verdict, scope: Scope) -> dict[str, Any]:
    """Returns a verdict as JSON values, and who reaches whom."""
    reached = reachability(scope.resources).as_output()
    return {**verdict.as_output(), "reachability": reached}
