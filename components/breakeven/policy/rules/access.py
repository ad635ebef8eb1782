"""Who may ask the API server for what: service accounts, namespaces, roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from breakeven.policy.manifest import NAMESPACED_KINDS, Pod, Resource, Scope, Unknown, at, listed
from breakeven.policy.remediation import fill_pods
from breakeven.policy.rule import Check, Level, Rule, Violation, about
from breakeven.policy.rules.containers import each_pod, is_false, is_kind, is_one_of, shown

_PSA = "pod-security.kubernetes.io/"
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_ROLES = ("Role", "ClusterRole")
_RIGHTS = ("roles", "clusterroles", "rolebindings", "clusterrolebindings")
_IDENTITIES = ("users", "groups", "serviceaccounts", "userextras")
_EVERYBODY = (
    "system:serviceaccounts",
    "system:authenticated",
    "system:unauthenticated",
    "system:anonymous",
)
_WIDE_ROLES = ("cluster-admin", "admin", "edit", "system:masters")
"""Roles that Kubernetes brings and by which pods are made, so that every right is had."""
_POD_MAKERS = (
    "pods",
    "cronjobs",
    "daemonsets",
    "deployments",
    "jobs",
    "podtemplates",
    "replicasets",
    "replicationcontrollers",
    "statefulsets",
    "leaderworkersets",
    "rayclusters",
    "rayjobs",
    "rayservices",
    "workflows",
    "inferenceservices",
)
"""Kinds from which pods come: whoever writes one runs a pod under any account of the namespace."""


@about(lambda resource, _scope: resource.kind == "ServiceAccount" or bool(resource.pods))
def _no_token(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    if resource.kind == "ServiceAccount":
        value = resource.manifest.get("automountServiceAccountToken")
        if not is_false(value):
            yield Violation("automountServiceAccountToken", shown(value))
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
        if version is None:
            yield Violation(f"metadata.labels[{_PSA}{mode}-version]", "not set")


@about(is_kind(*NAMESPACED_KINDS))
def _not_in_default(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    if resource.namespace == "default":
        yield Violation("metadata.namespace", "default")


@about(is_kind(*_BINDINGS))
def _no_cluster_admin(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    role = at(resource.manifest, "roleRef", "name")
    if role in _WIDE_ROLES:
        yield Violation("roleRef.name", str(role))
    for subject in listed(resource.manifest.get("subjects")):
        if at(subject, "name") == "system:masters":
            yield Violation("subjects", "system:masters")


@about(is_kind(*_ROLES))
def _no_wildcards(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for number, rule in _rules(resource):
        for key in ("apiGroups", "resources", "verbs", "nonResourceURLs"):
            for value in listed(rule.get(key)):
                # "pods/*" is every way into a pod.
                if value == "*" or str(value).endswith("/*"):
                    yield Violation(f"rules[{number}].{key}", shown(value))
    if at(resource.manifest, "aggregationRule") is not None:
        yield Violation("aggregationRule", "rights of other roles, which are not at hand")


def _without(resources: tuple[str, ...], verbs: tuple[str, ...], *, named: bool = False) -> Check:
    """Makes a check that no role allows some verbs on some resources.

    Args:
        resources: What must not be touched.
        verbs: How it must not be.
        named: Whether a rule that names single objects is fine.
    """

    def check(resource: Resource, _scope: Scope) -> Iterator[Violation]:
        for number, rule in _rules(resource):
            allowed = {str(verb) for verb in listed(rule.get("verbs"))}
            touched = set(_touched(rule, resources))
            if named and listed(rule.get("resourceNames")):
                continue
            for kind in sorted(touched & set(resources)):
                for verb in sorted(allowed & set(verbs)):
                    yield Violation(f"rules[{number}]", f"{verb} {kind}")

    return Check(check, is_kind(*_ROLES))


def _touched(rule: Mapping[str, Any], resources: tuple[str, ...]) -> Iterator[str]:
    """Yields which resources a rule is about; "pods/*" and "*/exec" are about "pods/exec"."""
    for stated in listed(rule.get("resources")):
        kind, slash, below = str(stated).partition("/")
        for resource in resources:
            own, _, own_below = resource.partition("/")
            same_kind = kind in ("*", own)
            same_below = below == own_below or (bool(slash) and below == "*" and bool(own_below))
            if stated == resource or (bool(slash) and same_kind and same_below):
                yield resource


def _rules(resource: Resource) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if resource.kind in _ROLES:
        for number, rule in enumerate(listed(resource.manifest.get("rules"))):
            if isinstance(rule, Mapping):
                yield number, rule


_READ = ("get", "list", "watch")
_WRITE = ("create", "update", "patch", "delete", "deletecollection")


def _role_rule(
    identifier: str,
    what: str,
    check: Check,
    cis: str,
    others: Mapping[str, tuple[str, ...]] | None = None,
) -> Rule:
    return Rule(
        id=identifier,
        what=what,
        do="Take the right away, or name the single objects that are needed; waive it for a "
        "controller that can't work without.",
        theme="least-privilege",
        check=check,
        controls={**({"CIS": (cis,)} if cis else {}), **(others or {})},
    )


RULES = (
    Rule(
        id="account-no-token",
        what="No pod is handed a token for the API server.",
        do="Set automountServiceAccountToken to false on account and pod; waive it for a program "
        "that talks to the API server.",
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
        what="Every pod has a service account of its own, not the namespace's default.",
        do="Make a ServiceAccount and name it in serviceAccountName.",
        theme="least-privilege",
        check=each_pod(_own_account),
        controls={"CIS": ("5.1.5",), "Checkov": ("CKV_K8S_41",)},
    ),
    Rule(
        id="account-default-unused",
        what="No right is given to a default service account or to everybody.",
        do="Bind the role to a service account of its own.",
        theme="least-privilege",
        check=_no_default_subject,
        controls={"CIS": ("5.1.5",), "Checkov": ("CKV_K8S_42",)},
    ),
    Rule(
        id="namespace-pod-security",
        what="Every namespace enforces, audits and warns by the restricted Pod Security Standard, "
        "at a stated version.",
        do=f"Set the labels {_PSA}enforce, audit and warn to restricted, and each with -version.",
        theme="isolation",
        check=_pod_security,
        controls={"PSS": ("restricted",), "CIS": ("5.2.1", "5.6.1")},
    ),
    Rule(
        id="namespace-not-default",
        what="Nothing lies in the namespace default.",
        do="Set metadata.namespace.",
        theme="attack-surface",
        check=_not_in_default,
        controls={"CIS": ("5.6.4",), "Kubescape": ("C-0061",), "Checkov": ("CKV_K8S_21",)},
    ),
    _role_rule(
        "rbac-no-cluster-admin",
        f"Nobody is bound to a role that gives every right: {', '.join(_WIDE_ROLES)}.",
        _no_cluster_admin,
        "5.1.1",
        {"NSA": ("C-0035",)},
    ),
    _role_rule(
        "rbac-no-wildcard",
        "No role allows everything of a kind by '*', or takes over the rights of other roles.",
        _no_wildcards,
        "5.1.3",
        {"Checkov": ("CKV_K8S_49",)},
    ),
    _role_rule(
        "rbac-no-secrets",
        "No role reads Secrets, but for single ones by name.",
        _without(("secrets",), _READ, named=True),
        "5.1.2",
        {"Kubescape": ("C-0015", "C-0186")},
    ),
    _role_rule(
        "rbac-no-pod-creation",
        "No role makes pods or what pods come from, by which it would get every right in the "
        "namespace. Kinds of other projects are known by a list.",
        _without(_POD_MAKERS, ("create", "update", "patch")),
        "5.1.4",
    ),
    _role_rule(
        "rbac-no-escalation",
        "No role hands out rights that it does not have.",
        _without(
            (*_RIGHTS, *_IDENTITIES),
            ("bind", "escalate", "impersonate"),
        ),
        "5.1.8",
        {"Checkov": ("CKV_K8S_157", "CKV_K8S_158")},
    ),
    _role_rule(
        "rbac-no-volume-creation",
        "No role makes persistent volumes, which may be folders of the host.",
        _without(("persistentvolumes",), ("create",)),
        "5.1.9",
    ),
    _role_rule(
        "rbac-no-node-proxy",
        "No role reaches the kubelet past the API server.",
        _without(("nodes/proxy",), (*_READ, *_WRITE)),
        "5.1.10",
    ),
    _role_rule(
        "rbac-no-certificate-approval",
        "No role approves certificates, with which anybody could be impersonated.",
        _without(
            ("certificatesigningrequests/approval", "signers"), ("update", "patch", "approve")
        ),
        "5.1.11",
        {"Checkov": ("CKV_K8S_156",)},
    ),
    _role_rule(
        "rbac-no-webhooks",
        "No role changes admission webhooks or policies, which see and change every object.",
        _without(
            (
                "validatingwebhookconfigurations",
                "mutatingwebhookconfigurations",
                "validatingadmissionpolicies",
                "validatingadmissionpolicybindings",
                "mutatingadmissionpolicies",
                "mutatingadmissionpolicybindings",
            ),
            _WRITE,
            named=True,
        ),
        "5.1.12",
        {"Checkov": ("CKV_K8S_155",)},
    ),
    _role_rule(
        "rbac-no-token-creation",
        "No role makes tokens of service accounts.",
        _without(("serviceaccounts/token",), ("create",)),
        "5.1.13",
    ),
    _role_rule(
        "rbac-no-pod-access",
        "No role enters running pods: no exec, attach, port-forward, proxy or ephemeral container.",
        _without(
            (
                "pods/exec",
                "pods/attach",
                "pods/portforward",
                "pods/proxy",
                "pods/ephemeralcontainers",
            ),
            ("create", "get", "update", "patch"),
        ),
        "",
        {"NSA": ("C-0002",), "Kubescape": ("C-0063",)},
    ),
)
