"""The evidence as one value, from which JSON and page are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from breakeven.policy.frameworks import open_controls

FORMAT = "breakeven-evidence/2"

KIT_OWNER = "breakeven maintainers"
"""Owner of the waivers that ship with the program; it cannot accept a risk for anybody."""

NO_STATE = (
    "The deployed state: no state was given (--state), so this evidence describes what the "
    "stack file would deploy."
)
PLAIN_TRANSPORT = (
    "Encryption between callers and the model: the stack serves plain HTTP. Set "
    "network.tlsSecret (gateway.tls.secret with a gateway), or show that the network encrypts "
    "traffic."
)
NO_IDENTITY = (
    "Who sent which request, and when: all callers share one key, and callers are not recorded. "
    "A gateway with teams records them."
)

NOT_ASSESSED = (
    "Audit logs of the cluster's API server, and how long they are kept.",
    "Encryption of etcd and of the disks behind volumes.",
    "Configuration of kubelets and nodes; firmware and drivers of GPUs.",
    "Whether the cluster's network plugin enforces network policies at all.",
    (
        "Whether the cluster's DNS forwards queries to outside servers, which is not allowed in an "
        "air gap."
    ),
    "Who holds the cluster's administrator credentials, the signing key and Pulumi's passphrase.",
    "Known vulnerabilities in images: scan the bill of materials.",
    "Control numbers against the texts of HIPAA, PCI DSS, ISO, NIST, GDPR and EU AI Act.",
    "Physical and organizational measures, contracts, training, incident response.",
)
"""What a program cannot see from what it deploys; somebody has to answer each elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What evidence is put together from.

    Attributes:
        stack: Name of the stack.
        provenance: Program, stack file and commit.
        deployed: What is deployed and how it differs; None where no state was given.
        callers: Who may call the model.
        day: On which waivers were judged.
        bundle: Facts of the bundle; None where none was given.
        differences: In what the stack differs from the bundle.
        images: What the stack names.
        access: Accounts, roles, pods.
        policies: Verdict of the policy packs; None where it was not asked for.
        log: Head and entries of the log; None where none was given.
    """

    stack: str
    provenance: Mapping[str, Any]
    deployed: Mapping[str, Any] | None
    callers: Mapping[str, Any]
    day: date
    bundle: Mapping[str, Any] | None
    differences: Sequence[str]
    images: Sequence[Mapping[str, Any]]
    access: Mapping[str, Any]
    policies: Mapping[str, Any] | None
    log: Mapping[str, Any] | None


def evidence(parts: Parts) -> dict[str, Any]:
    """Returns the evidence; the same parts give the same value, and no time of day is in it."""
    missing = [
        *([] if parts.deployed else [NO_STATE]),
        *([] if parts.callers.get("transport") == "https" else [PLAIN_TRANSPORT]),
        *([] if parts.callers.get("recordsWhoAsked") else [NO_IDENTITY]),
        *_maintainers(parts.policies or {}),
        *([] if parts.bundle else ["The bundle: none was given (--bundle)."]),
        *([] if parts.policies else ["Policies: the packs were not run."]),
        *([] if parts.log else ["The log of the bundle: none was given (--log)."]),
    ]
    return {
        "format": FORMAT,
        "stack": parts.stack,
        "day": parts.day.isoformat(),
        "provenance": parts.provenance,
        "deployed": parts.deployed,
        "callers": parts.callers,
        "bundle": parts.bundle,
        "differences": list(parts.differences),
        "images": list(parts.images),
        "access": parts.access,
        "policies": parts.policies,
        "controls": control_map(parts.policies or {}),
        "openControls": {name: dict(found) for name, found in open_controls().items()},
        "log": parts.log,
        "notAssessed": [*missing, *NOT_ASSESSED],
    }


def _maintainers(policies: Mapping[str, Any]) -> list[str]:
    """Returns what to do about waivers that nobody of the customer's has accepted yet."""
    count = sum(
        (finding.get("waiver") or {}).get("owner") == KIT_OWNER
        for finding in policies.get("findings", ())
    )
    if not count:
        return []
    what = (
        f"Acceptance of {count} waivers included with the program: copy stacks/waivers/kit.yaml, "
        "and set your own risk owner and date in each."
    )
    return [what]


def control_map(policies: Mapping[str, Any]) -> dict[str, dict[str, list[dict[str, str]]]]:
    """Returns by framework and control which rules support it, and the verdict of each.

    A rule supports a control; it satisfies none alone.
    """
    found: dict[str, dict[str, list[dict[str, str]]]] = {}
    for rule in policies.get("rules", ()):
        for framework, controls in {**rule["controls"], **rule["supports"]}.items():
            for control in controls:
                entries = found.setdefault(framework, {}).setdefault(control, [])
                entries.append({"rule": rule["id"], "verdict": rule["verdict"]})
    return {
        framework: {control: found[framework][control] for control in sorted(found[framework])}
        for framework in sorted(found)
    }
