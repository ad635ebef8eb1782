"""Access to the API server: service accounts, namespaces, roles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from breakeven.policy.manifest import NAMESPACED_KINDS, Pod, Resource, Scope, Unknown, at, listed
from breakeven.policy.remediation import fill_pods
from breakeven.policy.rule import Level, Rule, Violation, about
from breakeven.policy.rules.containers import each_pod, is_false, is_kind, is_one_of, shown

_PSA = "pod-security.kubernetes.io/"
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_ROLES = ("Role", "ClusterRole")
_WHOLE_STANDARD = 25
"""Minor version from which on the restricted standard is whole; that of v1.0 has far less."""
_TOKEN_TYPE = "kubernetes.io/service-account-token"  # noqa: S105  # a type of Secret
_EVERYBODY = (
    "system:serviceaccounts",
    "system:authenticated",
    "system:unauthenticated",
    "system:anonymous",
)


@about(
    lambda resource, _scope: resource.kind in ("ServiceAccount", "Secret") or bool(resource.pods)
)
def _no_token(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    if resource.kind == "ServiceAccount":
        value = resource.manifest.get("automountServiceAccountToken")
        if not is_false(value):
            yield Violation("automountServiceAccountToken", shown(value))
    if resource.kind == "Secret" and resource.manifest.get("type") == _TOKEN_TYPE:
        yield Violation("type", "a token that never expires")
    for pod in resource.pods:
        value = pod.spec.get("automountServiceAccountToken")
        if not is_false(value):
            yield Violation(f"{pod.path}.automountServiceAccountToken", shown(value))
        for volume in listed(pod.spec.get("volumes")):
            sources = listed(at(volume, "projected", "sources"))
            if any(at(source, "serviceAccountToken") is not None for source in sources):
                yield Violation(f"{pod.path}.volumes[{at(volume, 'name')}]", "holds a token")


def _own_account(pod: Pod) -> Iterator[Violation]:
    value = pod.spec.get("serviceAccountName")
    if value in (None, "", "default"):
        yield Violation(f"{pod.path}.serviceAccountName", shown(value))


@about(is_kind(*_BINDINGS))
def _no_default_subject(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for subject in listed(resource.manifest.get("subjects")):
        kind, name = at(subject, "kind"), at(subject, "name")
        everyone = isinstance(name, str) and name.startswith(_EVERYBODY)
        if (kind == "ServiceAccount" and name == "default") or everyone:
            yield Violation("subjects", f"{shown(kind)} {shown(name)}")


def _is_recent(version: Any) -> bool:
    found = re.fullmatch(r"v1\.(\d+)", str(version))
    whole = found is not None and int(found[1]) >= _WHOLE_STANDARD
    return whole or version == "latest" or isinstance(version, Unknown)


@about(is_kind("Namespace"))
def _pod_security(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    labels = at(resource.manifest, "metadata", "labels")
    if isinstance(labels, Unknown):
        return
    for mode in ("enforce", "audit", "warn"):
        value = at(labels, f"{_PSA}{mode}")
        if not is_one_of(value, "restricted"):
            yield Violation(f"metadata.labels[{_PSA}{mode}]", shown(value))
        version = at(labels, f"{_PSA}{mode}-version")
        if not _is_recent(version):
            yield Violation(f"metadata.labels[{_PSA}{mode}-version]", shown(version))


@about(is_kind(*NAMESPACED_KINDS))
def _not_in_default(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    if resource.namespace == "default":
        yield Violation("metadata.namespace", "default")


RULES = (
    Rule(
        id="account-no-token",
        what="No pod gets a token for the API server.",
        do="Set automountServiceAccountToken to false on the service account and the pod. Waive "
        "the rule for a "
        "program that calls the API server.",
        theme="least-privilege",
        level=Level.REMEDIATING,
        check=_no_token,
        remediate=fill_pods({"automountServiceAccountToken": False}),
        controls={
            "CIS": ("5.1.6",),
            "NSA": ("C-0034",),
            "Kubescape": ("C-0053", "C-0261"),
            "Checkov": ("CKV_K8S_38",),
        },
    ),
    Rule(
        id="account-own",
        what="Every pod uses a dedicated service account instead of the namespace's default.",
        do="Create a ServiceAccount and set serviceAccountName to it.",
        theme="least-privilege",
        check=each_pod(_own_account),
        controls={"CIS": ("5.1.5",), "Checkov": ("CKV_K8S_41",)},
    ),
    Rule(
        id="account-default-unused",
        what="No role is bound to a default service account or to all users.",
        do="Bind the role to a dedicated service account.",
        theme="least-privilege",
        check=_no_default_subject,
        controls={"CIS": ("5.1.5",), "Checkov": ("CKV_K8S_42",)},
    ),
    Rule(
        id="namespace-pod-security",
        what="Every namespace enforces, audits and warns by the restricted Pod Security Standard, "
        f"at a stated version: latest, or v1.{_WHOLE_STANDARD} or newer.",
        do=f"Set the labels {_PSA}enforce, audit and warn to restricted, and the corresponding "
        "-version labels.",
        theme="isolation",
        check=_pod_security,
        controls={"PSS": ("restricted",), "CIS": ("5.2.1", "5.6.1")},
    ),
    Rule(
        id="namespace-not-default",
        what="No resource is in the namespace default.",
        do="Set metadata.namespace.",
        theme="attack-surface",
        check=_not_in_default,
        controls={"CIS": ("5.6.4",), "Kubescape": ("C-0061",), "Checkov": ("CKV_K8S_21",)},
    ),
)
