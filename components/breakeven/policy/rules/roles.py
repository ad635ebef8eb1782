"""What roles allow, and who is bound to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from breakeven.policy.manifest import Resource, Scope, at, listed
from breakeven.policy.rule import Check, Rule, Violation, about
from breakeven.policy.rules.containers import is_kind, shown

_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_ROLES = ("Role", "ClusterRole")
_RIGHTS = ("roles", "clusterroles", "rolebindings", "clusterrolebindings")
_IDENTITIES = ("users", "groups", "serviceaccounts", "userextras")
_WIDE_ROLES = ("cluster-admin", "admin", "edit", "system:masters")
"""Built-in roles that can create pods, and so gain every permission in the namespace."""
_OWN_ROLES = (
    "system:aggregate-to-admin",
    "system:aggregate-to-edit",
    "system:controller:",
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:kubelet-api-admin",
    "system:node",
)
"""Beginnings of roles by which Kubernetes' own parts make pods and read Secrets."""
_NARROW_ROLES = (
    "view",
    "system:auth-delegator",
    "system:basic-user",
    "system:discovery",
    "system:monitoring",
    "system:public-info-viewer",
    "extension-apiserver-authentication-reader",
)
"""Roles that Kubernetes brings and by which no Secret is read and no pod is made or entered."""
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
    "inferenceservices",
    *("workflows", "cronworkflows", "workflowtemplates", "clusterworkflowtemplates"),
    *("tasks", "taskruns", "pipelines", "pipelineruns"),
    *("jobsets", "trainjobs", "mpijobs", "pytorchjobs", "tfjobs", "xgboostjobs"),
    *("rollouts", "clonesets", "scaledjobs", "sparkapplications"),
    *("virtualmachines", "virtualmachineinstances"),
)
"""Kinds that create pods, and so can run a pod with any service account of the namespace."""


@about(is_kind(*_BINDINGS))
def _no_cluster_admin(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    role = at(resource.manifest, "roleRef", "name")
    if role in _WIDE_ROLES or str(role).startswith(_OWN_ROLES):
        yield Violation("roleRef.name", str(role))
    for subject in listed(resource.manifest.get("subjects")):
        if at(subject, "name") == "system:masters":
            yield Violation("subjects", "system:masters")


@about(is_kind(*_BINDINGS))
def _role_at_hand(resource: Resource, scope: Scope) -> Iterator[Violation]:
    kind, name = (at(resource.manifest, "roleRef", key) for key in ("kind", "name"))
    homes = (resource.namespace,) if kind == "Role" else ("",)
    known = not isinstance(name, str) or any(
        role.name == name and role.namespace in homes for role in scope.of(str(kind))
    )
    judged = str(name).startswith(_OWN_ROLES) or name in (*_WIDE_ROLES, *_NARROW_ROLES)
    if not known and not judged:
        yield Violation("roleRef.name", f"{kind} {name} is not among the manifests")


@about(is_kind(*_ROLES))
def _no_wildcards(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for number, rule in _rules(resource):
        for key in ("apiGroups", "resources", "verbs", "nonResourceURLs"):
            for value in listed(rule.get(key)):
                # "pods/*" includes every subresource that gives access to a pod.
                if value == "*" or str(value).endswith("/*"):
                    yield Violation(f"rules[{number}].{key}", shown(value))
    if at(resource.manifest, "aggregationRule") is not None:
        yield Violation("aggregationRule", "aggregates other roles, which are not in the manifests")


def _without(resources: tuple[str, ...], verbs: tuple[str, ...], *, named: bool = False) -> Check:
    """Returns a check that no role allows some verbs on some resources.

    Args:
        resources: The protected resources.
        verbs: The forbidden verbs.
        named: Whether a role that names single objects is allowed.
    """

    def check(resource: Resource, _scope: Scope) -> Iterator[Violation]:
        for number, rule in _rules(resource):
            allowed = {str(verb) for verb in listed(rule.get("verbs"))}
            touched = set(_touched(rule, resources))
            names = listed(rule.get("resourceNames"))
            # An empty name is the one that a list of all objects has.
            if named and names and all(str(name) for name in names):
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
        do="Remove the permission, or limit it with resourceNames. Waive the rule for a "
        "controller that needs the permission.",
        theme="least-privilege",
        check=check,
        controls={**({"CIS": (cis,)} if cis else {}), **(others or {})},
    )


RULES = (
    _role_rule(
        "rbac-no-cluster-admin",
        f"Nobody is bound to a role with full permissions: {', '.join(_WIDE_ROLES)}.",
        _no_cluster_admin,
        "5.1.1",
        {"NSA": ("C-0035",)},
    ),
    Rule(
        id="rbac-role-at-hand",
        what="Every role that is bound is among the manifests, so that its rights can be judged; "
        f"or it is one of Kubernetes' own with few rights: {', '.join(_NARROW_ROLES)}.",
        do="Add the role to the manifests; waive this for a role that you have read.",
        theme="least-privilege",
        check=_role_at_hand,
        needs_all=True,
        controls={"CIS": ("5.1.1",)},
    ),
    _role_rule(
        "rbac-no-wildcard",
        "No role uses the wildcard '*' or aggregates the permissions of other roles.",
        _no_wildcards,
        "5.1.3",
        {"Checkov": ("CKV_K8S_49",)},
    ),
    _role_rule(
        "rbac-no-secrets",
        "No role reads Secrets, except specific ones by name.",
        _without(("secrets",), _READ, named=True),
        "5.1.2",
        {"Kubescape": ("C-0015", "C-0186")},
    ),
    _role_rule(
        "rbac-no-pod-creation",
        "No role creates pods or workloads, through which it could get every permission in the "
        "namespace. For kinds of other projects, the rule uses a list.",
        _without(_POD_MAKERS, ("create", "update", "patch")),
        "5.1.4",
    ),
    _role_rule(
        "rbac-no-escalation",
        "No role can grant permissions that it does not have.",
        _without(
            (*_RIGHTS, *_IDENTITIES),
            ("bind", "escalate", "impersonate"),
        ),
        "5.1.8",
        {"Checkov": ("CKV_K8S_157", "CKV_K8S_158")},
    ),
    _role_rule(
        "rbac-no-volume-creation",
        "No role creates persistent volumes, which can be host paths.",
        _without(("persistentvolumes",), ("create",)),
        "5.1.9",
    ),
    _role_rule(
        "rbac-no-node-proxy",
        "No role can bypass the API server and call the kubelet.",
        _without(("nodes/proxy",), (*_READ, *_WRITE)),
        "5.1.10",
    ),
    _role_rule(
        "rbac-no-certificate-approval",
        "No role approves certificates, which would allow it to impersonate anybody.",
        _without(
            ("certificatesigningrequests/approval", "signers"), ("update", "patch", "approve")
        ),
        "5.1.11",
        {"Checkov": ("CKV_K8S_156",)},
    ),
    _role_rule(
        "rbac-no-webhooks",
        "No role changes admission webhooks or policies, which can read and change every object.",
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
        "No role creates service account tokens.",
        _without(("serviceaccounts/token",), ("create",)),
        "5.1.13",
    ),
    _role_rule(
        "rbac-no-pod-access",
        "No role can access running pods through exec, attach, port-forward, proxy or ephemeral "
        "containers.",
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
