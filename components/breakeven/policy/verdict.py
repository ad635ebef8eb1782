"""The result of checking manifests: violated, waived, and passed rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from breakeven.policy.config_maps import with_config_maps
from breakeven.policy.frameworks import supported
from breakeven.policy.manifest import Resource, Scope
from breakeven.policy.rule import Level, Rule, Violation
from breakeven.policy.waivers import Waiver


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a resource violates.

    Attributes:
        rule: The rule.
        resource: The resource's name in waivers.
        source: File or URN of the resource.
        violation: Where, and what was found.
        waiver: The waiver that covers it, if any, even if expired.
        is_waived: Whether that waiver is still valid.
    """

    rule: Rule
    resource: str
    source: str
    violation: Violation
    waiver: Waiver | None
    is_waived: bool

    @property
    def is_blocking(self) -> bool:
        """Whether it stops a deployment."""
        return not self.is_waived and self.rule.level is not Level.ADVISORY

    def __str__(self) -> str:
        text = f"{self.violation.path}: {self.violation.found}. {self.rule.do}"
        if self.waiver is not None and not self.is_waived:
            text += f" The waiver of {self.waiver.owner} expired on {self.waiver.expires}."
        return text

    def as_output(self) -> dict[str, Any]:
        """Returns the finding as JSON values."""
        return {
            "rule": self.rule.id,
            "level": str(self.rule.level),
            "resource": self.resource,
            "source": self.source,
            "path": self.violation.path,
            "found": self.violation.found,
            "do": self.rule.do,
            "status": "waived" if self.is_waived else "broken",
            "waiver": None
            if self.waiver is None
            else {
                "owner": self.waiver.owner,
                "reason": self.waiver.reason,
                "expires": self.waiver.expires.isoformat(),
            },
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The findings of all rules for all resources.

    Attributes:
        rules: The rules that were checked.
        resources: How many resources were checked together.
        judged: Number of resources that a rule applies to, by rule ID.
        findings: All violations, waived or not.
    """

    rules: tuple[Rule, ...]
    resources: int
    judged: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Findings that stop a deployment."""
        return tuple(finding for finding in self.findings if finding.is_blocking)

    @property
    def advisory(self) -> tuple[Finding, ...]:
        """Findings that only inform."""
        return tuple(
            finding
            for finding in self.findings
            if not finding.is_waived and not finding.is_blocking
        )

    @property
    def waived(self) -> tuple[Finding, ...]:
        """Findings that a waiver covers."""
        return tuple(finding for finding in self.findings if finding.is_waived)

    def as_output(self) -> dict[str, Any]:
        """Returns the verdict as JSON values: each rule's, with the controls that it supports."""
        return {
            "resources": self.resources,
            "rules": [self._rule(rule) for rule in self.rules],
            "findings": [finding.as_output() for finding in self.findings],
        }

    def _rule(self, rule: Rule) -> dict[str, Any]:
        own = [finding for finding in self.findings if finding.rule is rule]
        broken = [finding for finding in own if not finding.is_waived]
        looked_at = self.judged[rule.id]
        kept = "kept" if looked_at else "not applicable"
        return {
            "id": rule.id,
            "pack": str(rule.pack),
            "level": str(rule.level),
            "what": rule.what,
            "verdict": "broken" if broken else "waived" if own else kept,
            "judged": looked_at,
            "controls": {name: list(found) for name, found in rule.controls.items()},
            "supports": supported(rule),
        }


def judge(scope: Scope, rules: Sequence[Rule], waivers: Sequence[Waiver], today: date) -> Verdict:
    """Runs rules over everything in a scope.

    Args:
        scope: What is checked together.
        rules: Which rules.
        waivers: Exemptions; an expired one is named with its finding.
        today: Date for which the validity of waivers is checked.
    """
    scope = replace(scope, resources=with_config_maps(scope.resources))
    concerned = [
        (rule, [each for each in scope.resources if rule.check.concerns(each, scope)])
        for rule in rules
    ]
    judged = {rule.id: len(resources) for rule, resources in concerned}
    findings = [
        finding
        for rule, resources in concerned
        for resource in resources
        for finding in findings_of(rule, resource, scope, waivers, today)
    ]
    findings.sort(key=lambda finding: (finding.rule.id, finding.resource, finding.violation.path))
    return Verdict(tuple(rules), len(scope.resources), judged, tuple(findings))


def findings_of(
    rule: Rule, resource: Resource, scope: Scope, waivers: Iterable[Waiver], today: date
) -> Iterator[Finding]:
    """Yields the findings of one rule in one resource."""
    covering = [waiver for waiver in waivers if waiver.covers(rule.id, resource.reference)]
    # The one that is valid longest; it covers the others.
    waiver = max(covering, key=lambda item: item.expires, default=None)
    is_waived = waiver is not None and not waiver.is_expired(today)
    for violation in rule.check(resource, scope):
        yield Finding(rule, resource.reference, resource.source, violation, waiver, is_waived)
