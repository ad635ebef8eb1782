"""All rules, by their identifiers."""

from __future__ import annotations

from collections.abc import Collection

from breakeven.policy.rule import Pack, Rule
from breakeven.policy.rules import (
    access,
    airgap,
    entries,
    network,
    pod_kernel,
    pod_security,
    roles,
    supply_chain,
    vllm,
    vllm_code,
    vllm_network,
    workloads,
)

RULES: tuple[Rule, ...] = (
    *pod_security.RULES,
    *pod_kernel.RULES,
    *workloads.RULES,
    *access.RULES,
    *roles.RULES,
    *network.RULES,
    *entries.RULES,
    *supply_chain.RULES,
    *vllm_code.RULES,
    *vllm.RULES,
    *vllm_network.RULES,
    *airgap.RULES,
)


def rules_of(packs: Collection[Pack]) -> tuple[Rule, ...]:
    """Returns the rules of some packs."""
    return tuple(rule for rule in RULES if rule.pack in packs)
