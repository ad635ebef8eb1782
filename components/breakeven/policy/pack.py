"""The rules as policy packs for the Pulumi engine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, cast

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    ReportViolation,
    ResourceRemediation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from breakeven.errors import UserError
from breakeven.policy.bundle_contents import carried_here
from breakeven.policy.config_maps import with_config_maps
from breakeven.policy.loading import as_manifests
from breakeven.policy.manifest import Resource, Scope
from breakeven.policy.proxies import unwrapped, with_unknowns
from breakeven.policy.registry import rules_of
from breakeven.policy.rule import Level, Pack, Remediation, Rule
from breakeven.policy.stacks import registry_of, stack_of, waiver_files, waivers_of
from breakeven.policy.verdict import findings_of
from breakeven.policy.waivers import read_waivers

_LEVELS = {
    Level.MANDATORY: EnforcementLevel.MANDATORY,
    Level.ADVISORY: EnforcementLevel.ADVISORY,
    Level.REMEDIATING: EnforcementLevel.REMEDIATE,
}


def serve(pack: Pack) -> None:
    """Serves a pack to the engine; returns when the engine is done."""
    PolicyPack(
        name=f"breakeven-{pack}",
        enforcement_level=EnforcementLevel.MANDATORY,
        policies=[_waivers_policy(), *(policy_of(rule) for rule in rules_of([pack]))],
    )


def policy_of(rule: Rule) -> Policy:
    """Returns a rule as a policy of the engine."""
    policy: Policy
    if rule.needs_all:
        policy = StackValidationPolicy(
            rule.id, rule.what, validate=lambda args, report: _judge_all(rule, args, report)
        )
    else:
        remediate = rule.remediate
        policy = ResourceValidationPolicy(
            rule.id,
            rule.what,
            validate=lambda args, report: _judge_one(rule, args, report),
            # The package also accepts plain values, which its types omit.
            remediate=None
            if remediate is None
            else cast("ResourceRemediation", lambda args: _filled_in(rule, remediate, args)),
        )
    policy.enforcement_level = _LEVELS[rule.level]
    policy.severity = Severity.LOW if rule.level is Level.ADVISORY else Severity.HIGH
    policy.remediation_steps = rule.do
    return policy


def _judge_one(rule: Rule, args: ResourceValidationArgs, report: ReportViolation) -> None:
    resources = as_manifests(args.resource_type, args.name, with_unknowns(args.props), args.urn)
    for resource in resources:
        _report(rule, resource, _scope(resources, args.urn), report)


def _judge_all(rule: Rule, args: StackValidationArgs, report: ReportViolation) -> None:
    found = tuple(
        resource
        for item in args.resources
        for resource in as_manifests(
            item.resource_type, item.name, with_unknowns(item.props), item.urn
        )
    )
    resources = with_config_maps(found)
    for resource in resources:
        _report(rule, resource, _scope(resources, resource.source), report)


def _report(rule: Rule, resource: Resource, scope: Scope, report: ReportViolation) -> None:
    stack = stack_of(resource.source)
    for finding in findings_of(rule, resource, scope, waivers_of(stack), _today()):
        if not finding.is_waived:
            report(str(finding), resource.source)


def _filled_in(
    rule: Rule, remediate: Remediation, args: ResourceValidationArgs
) -> Mapping[str, Any] | None:
    resources = as_manifests(args.resource_type, args.name, with_unknowns(args.props), args.urn)
    if not resources or any(
        waiver.covers(rule.id, resource.reference) and not waiver.is_expired(_today())
        for resource in resources
        for waiver in waivers_of(stack_of(args.urn))
    ):
        return None
    return remediate(unwrapped(args.props))


def _waivers_policy() -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        stacks = {stack_of(item.urn) for item in args.resources}
        for stack in sorted(stacks):
            try:
                read_waivers(waiver_files(stack))
            except UserError as error:
                report(str(error), None)

    return StackValidationPolicy(
        name="waivers-valid",
        description="Every waiver states a rule, a resource, an owner, a reason and an expiry "
        "date.",
        enforcement_level=EnforcementLevel.MANDATORY,
        validate=validate,
    )


def _scope(resources: tuple[Resource, ...], urn: str) -> Scope:
    registry = registry_of(stack_of(urn))
    return Scope(resources, (registry,) if registry else (), carried_here())


def _today() -> date:
    return datetime.now(tz=UTC).date()
