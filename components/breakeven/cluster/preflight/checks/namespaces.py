"""Namespaces, what they enforce and what they allow, and the Secrets in them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from breakeven.cluster.errors import ForbiddenError
from breakeven.cluster.preflight.check import Check, Probe, always
from breakeven.cluster.preflight.finding import Finding, failed, passed, unknown, warning
from breakeven.cluster.preflight.needs import TLS_KEYS, SecretNeed
from breakeven.cluster.quantities import quantity, total_of
from breakeven.policy.manifest import at, mapped

PART_OF = "app.kubernetes.io/part-of"
ENFORCE = "pod-security.kubernetes.io/enforce"


def _namespaces(probe: Probe) -> Iterator[Finding]:
    for context, name in probe.needs.foreign_namespaces:
        found = probe.namespace(name, context)
        if found is None:
            where = f" --context {context}" if context else ""
            yield failed(
                f"missing namespace {name}, which the stack does not create",
                f"kubectl create namespace {name}{where}",
            )
        else:
            yield passed(f"namespace {name} exists; {_owner(found)}")
    for name in probe.needs.own_namespaces:
        found = probe.namespace(name)
        if found is not None:
            yield _own(probe, name, found)
        elif any(need.namespace == name for need in probe.needs.secrets):
            yield failed(
                f"namespace {name} does not exist yet, but must contain the stack's Secrets "
                "before the deployment",
                f"kubectl create namespace {name}",
            )
        else:
            yield passed(f"the stack creates namespace {name}")


def _owner(namespace: dict[str, Any]) -> str:
    labels = mapped(namespace["metadata"].get("labels"))
    keys = ("app.kubernetes.io/managed-by", "kustomize.toolkit.fluxcd.io/name", "name")
    owner = next((labels[key] for key in keys if key in labels), None)
    return f"managed by {owner}" if owner else "managed by others"


def _own(probe: Probe, name: str, found: dict[str, Any]) -> Finding:
    if found["metadata"].get("deletionTimestamp"):
        return failed(
            f"namespace {name} is being deleted",
            f"wait until it is gone: kubectl wait --for=delete namespace/{name}",
        )
    path = f"/apis/apps/v1/namespaces/{name}/deployments"
    others = [
        str(each["metadata"]["name"])
        for each in probe.cluster.items(path)
        if mapped(each["metadata"].get("labels")).get(PART_OF) != "breakeven"
    ]
    if others:
        return warning(
            f"namespace {name} contains other Deployments ({', '.join(sorted(others)[:3])}), "
            "which `pulumi destroy` of the stack would delete",
            "set network.namespace to a namespace only for this stack",
        )
    return passed(f"namespace {name} exists")


def _pod_security(probe: Probe) -> Iterator[Finding]:
    for resource in probe.needs.resources:
        if resource.kind != "Namespace":
            continue
        name = str(resource.manifest["metadata"]["name"])
        wanted = mapped(resource.manifest["metadata"].get("labels")).get(ENFORCE)
        found = probe.namespace(name)
        labels = mapped(at(found, "metadata", "labels"))
        if found is None or labels.get(ENFORCE) == wanted:
            yield passed(f"namespace {name} enforces PodSecurity level {wanted}")
        else:
            yield warning(
                f"namespace {name} enforces PodSecurity level {labels.get(ENFORCE, 'none')}; the "
                f"stack will set {wanted}",
                f"check that other pods in it comply with {wanted}: kubectl label "
                f"--dry-run=server --overwrite namespace {name} {ENFORCE}={wanted}",
            )


def _secrets(probe: Probe) -> Iterator[Finding]:
    for need in probe.needs.secrets:
        yield _secret(probe, need)


def _secret(probe: Probe, need: SecretNeed) -> Finding:
    path = f"/api/v1/namespaces/{need.namespace}/secrets/{need.name}"
    try:
        found = probe.cluster.find(path)
    except ForbiddenError:
        return unknown(
            f"cannot read Secret {need.namespace}/{need.name}",
            f"needs permission to get secrets in namespace {need.namespace}",
        )
    exists = found is not None
    # Only the names of its keys go any further.
    missing = sorted(need.keys - frozenset(mapped(at(found, "data"))))
    if exists and not missing:
        told = f" with {', '.join(sorted(need.keys))}" if need.keys else ""
        return passed(f"Secret {need.namespace}/{need.name} exists{told}")
    what = f"lacks {', '.join(missing)}" if exists else "is missing"
    return failed(f"Secret {need.namespace}/{need.name} {what}", _secret_fix(need, exists))


def _secret_fix(need: SecretNeed, exists: bool) -> str:  # noqa: FBT001  # one of two
    if exists:
        values = ", ".join(f'"{key}": "VALUE"' for key in sorted(need.keys))
        return (
            f"kubectl -n {need.namespace} patch secret {need.name} "
            f"--patch '{{\"stringData\": {{{values}}}}}'"
        )
    create = f"kubectl -n {need.namespace} create secret"
    if need.pulls_images:
        return (
            f"{create} docker-registry {need.name} "
            "--docker-server=HOST --docker-username=USER --docker-password=PASSWORD"
        )
    if need.keys == TLS_KEYS:
        return f"{create} tls {need.name} --cert=FILE --key=FILE"
    values = " ".join(f"--from-literal={key}=VALUE" for key in sorted(need.keys))
    return f"{create} generic {need.name} {values}".rstrip()


def _quotas(probe: Probe) -> Iterator[Finding]:
    looked = False
    for name in probe.needs.own_namespaces:
        if probe.namespace(name) is None:
            continue
        wanted = total_of(probe.needs, name)
        for quota in probe.cluster.items(f"/api/v1/namespaces/{name}/resourcequotas"):
            looked = True
            yield from _quota(name, quota, wanted)
        for limit in probe.cluster.items(f"/api/v1/namespaces/{name}/limitranges"):
            looked = True
            yield from _limit_range(probe, name, limit)
    if not looked:
        yield passed("the stack's namespace has no quota and no limit range")


def _quota(name: str, quota: dict[str, Any], wanted: dict[str, Decimal]) -> Iterator[Finding]:
    status = mapped(quota.get("status")) or mapped(quota.get("spec"))
    hard, used = mapped(status.get("hard")), mapped(status.get("used"))
    short = [
        f"{key}: {hard[key]} allowed, {amount.normalize():f} needed at the peak"
        for key, amount in sorted(wanted.items())
        if key in hard and quantity(hard[key]) < amount
    ]
    label = f"quota {name}/{quota['metadata']['name']}"
    if short:
        yield failed(
            f"{label} is too small: {'; '.join(short)}",
            f"raise it: kubectl -n {name} edit resourcequota {quota['metadata']['name']}; or lower "
            "replicas.max",
        )
    else:
        full = [key for key in hard if key in used and quantity(used[key]) >= quantity(hard[key])]
        yield passed(f"{label} has room" + (f"; full: {', '.join(full)}" if full else ""))


def _limit_range(probe: Probe, name: str, limit: dict[str, Any]) -> Iterator[Finding]:
    label = f"limit range {name}/{limit['metadata']['name']}"
    broken = []
    for rule in at(limit, "spec", "limits") or ():
        if rule.get("type") != "PersistentVolumeClaim":
            continue  # what it says about pods is judged by the dry run
        for claim in probe.needs.claims:
            size = quantity(claim["spec"]["resources"]["requests"]["storage"])
            least, most = at(rule, "min", "storage"), at(rule, "max", "storage")
            if (least and size < quantity(least)) or (most and size > quantity(most)):
                broken.append(f"claims from {least or 0} to {most or 'any size'}")
    if broken:
        yield failed(f"{label} only allows {', '.join(broken)}", f"kubectl -n {name} edit {label}")
    else:
        yield passed(f"{label} allows the stack's claims")


CHECKS = (
    Check(
        id="namespaces",
        asks="the stack's namespace, and other namespaces that it deploys to, such as monitoring",
        applies=always,
        run=_namespaces,
    ),
    Check(
        id="pod-security",
        asks="PodSecurity level of the stack's namespace",
        applies=always,
        run=_pod_security,
    ),
    Check(
        id="secrets",
        asks="every Secret that pods reference, with its keys; values are never printed",
        applies=lambda needs: bool(needs.secrets),
        run=_secrets,
    ),
    Check(
        id="quotas",
        asks="quotas and limit ranges of the stack's namespace, compared with the needs of "
        "replicas.max",
        applies=always,
        run=_quotas,
    ),
)
