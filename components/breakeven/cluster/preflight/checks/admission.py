"""Every manifest, admitted by the API server without being kept, and the rights to create it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from breakeven.cluster.connection import Cluster, UnknownKindError
from breakeven.cluster.errors import ForbiddenError, RefusedError
from breakeven.cluster.preflight.check import Check, Probe, always
from breakeven.cluster.preflight.finding import Finding, failed, passed
from breakeven.manifests.resource import Resource
from breakeven.policy.manifest import Pod

AT_ONCE = 8
"""Calls at one time; API servers queue more of one user."""

VERBS = ("create", "get", "watch", "patch", "delete")
"""What `pulumi up`, `refresh` and `destroy` do with every resource."""

_T = TypeVar("_T")
_R = TypeVar("_R")


def _all_at_once(work: Callable[[_T], _R], over: Iterable[_T]) -> list[_R]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, over))


def _dry_run(probe: Probe) -> Iterator[Finding]:
    """Yields what the API server says about manifests and the pods that they start."""

    def admit(resource: Resource) -> str | None:
        manifest = _in_existing_namespace(probe, resource.manifest, resource.context)
        return _refusal(probe.clusters[resource.context], resource.key, manifest)

    def admit_pod(pod: Pod) -> str | None:
        manifest = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "breakeven-preflight",
                "namespace": pod.namespace,
                "labels": pod.labels or {},
            },
            # Its ServiceAccount is one of the stack's manifests, so it may not be there yet.
            "spec": {key: item for key, item in pod.spec.items() if key != "serviceAccountName"},
        }
        names = ", ".join(container.name for container in pod.containers())
        return _refusal(
            probe.cluster, f"a pod with {names}", _in_existing_namespace(probe, manifest)
        )

    refused = [
        *_all_at_once(admit, probe.needs.resources),
        *_all_at_once(admit_pod, probe.needs.pods),
    ]
    told = [each for each in dict.fromkeys(refused) if each]
    for each in told:
        yield failed(each, "fix what the message names, then run preflight again")
    if not told:
        absent = [each for each in probe.needs.own_namespaces if probe.namespace(each) is None]
        where = (
            f"; checked in namespace {probe.cluster.namespace}, because {', '.join(absent)} does "
            "not exist yet"
        )
        yield passed(f"{len(refused)} manifests and pods are admitted{where if absent else ''}")


def _in_existing_namespace(
    probe: Probe, manifest: Mapping[str, Any], context: str = ""
) -> dict[str, Any]:
    """Moves a manifest out of a namespace that is not there, where nothing could be admitted."""
    metadata = dict(manifest["metadata"])
    namespace = metadata.get("namespace")
    if namespace and probe.namespace(str(namespace), context) is None:
        metadata["namespace"] = probe.clusters[context].namespace
    return {**manifest, "metadata": metadata}


def _refusal(cluster: Cluster, name: str, manifest: Mapping[str, Any]) -> str | None:
    """Returns why a manifest is refused; None where it is admitted, or another check says why."""
    try:
        cluster.dry_run(manifest)
    except (UnknownKindError, ForbiddenError):
        return None
    except RefusedError as error:
        return f"{name}: {' '.join(error.detail.split())}"
    return None


def _rights(probe: Probe) -> Iterator[Finding]:
    places = {
        (each.context, str(each.manifest["apiVersion"]), each.kind, each.namespace or "")
        for each in probe.needs.resources
    }
    asked = [(*place, verb) for place in sorted(places) for verb in VERBS]

    def ask(question: tuple[str, str, str, str, str]) -> tuple[str, str, str] | None:
        context, version, kind, namespace, verb = question
        cluster = probe.clusters[context]
        known = cluster.kinds(version).get(kind)
        if known is None:
            return None
        group = version.rpartition("/")[0]
        resource = f"{known['name']}.{group}" if group else str(known["name"])
        attributes = {
            "group": group,
            "resource": known["name"],
            "verb": verb,
            "namespace": namespace,
        }
        return None if _may(cluster, attributes) else (namespace, resource, verb)

    missing: dict[tuple[str, str], list[str]] = {}
    for answer in _all_at_once(ask, asked):
        if answer is not None:
            namespace, resource, verb = answer
            missing.setdefault((namespace, resource), []).append(verb)
    for (namespace, resource), verbs in sorted(missing.items()):
        where = f"in namespace {namespace}" if namespace else "in the whole cluster"
        kind = "role" if namespace else "clusterrole"
        scope = f" -n {namespace}" if namespace else ""
        yield failed(
            f"missing permission to {', '.join(verbs)} {resource} {where}",
            f"ask an administrator to grant it: kubectl create {kind} breakeven-deploy{scope} "
            f"--verb={','.join(verbs)} --resource={resource}, and bind it to your user",
        )
    if not missing:
        yield passed(
            f"permission to {', '.join(VERBS)} all {len(places)} kinds in their namespaces"
        )


def _may(cluster: Cluster, attributes: Mapping[str, Any]) -> bool:
    """Asks the API server whether its user has a right."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": dict(attributes)},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    return bool(cluster.create(path, review)["status"].get("allowed"))


CHECKS = (
    Check(
        id="admission",
        asks="a server-side dry run of every manifest and of every pod that it starts: validation, "
        "PodSecurity, quotas, limit ranges and admission webhooks",
        applies=always,
        run=_dry_run,
    ),
    Check(
        id="rights",
        asks="rights of the current user for everything that will be created "
        "(SelfSubjectAccessReview)",
        applies=always,
        run=_rights,
    ),
)
