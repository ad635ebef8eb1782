"""Replicas of a model: how many are wanted and ready, and why others are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from textwrap import shorten
from typing import Any

from breakeven.cluster.connection import Cluster
from breakeven.cluster.status.snapshot import Cause, NotReady
from breakeven.manifests.serving.labels import (
    GROUP_NAME,
    WEIGHTS_LABELS,
    answering_labels,
)
from breakeven.policy.manifest import at, listed, mapped
from breakeven.settings.stack import Settings

_IMAGE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_CONFIG = {"CreateContainerConfigError", "CreateContainerError"}
_WEIGHTS_WORDS = ("persistentvolumeclaim", "volume")
_LONGEST = 160


def replicas_of(
    cluster: Cluster, settings: Settings
) -> tuple[int | None, int, tuple[NotReady, ...]]:
    """Returns how many replicas are wanted and ready, and why the others are not.

    Wanted is None where the model is not deployed. Raises as `Cluster.get` does.
    """
    namespace = settings.network.namespace
    spans = settings.engine.pipeline_parallel > 1
    path = (
        f"/apis/leaderworkerset.x-k8s.io/v1/namespaces/{namespace}/leaderworkersets/{GROUP_NAME}"
        if spans
        else f"/apis/apps/v1/namespaces/{namespace}/deployments/{settings.name}"
    )
    owner = cluster.find(path)
    if owner is None:
        return None, 0, tuple(_waiting_weights(cluster, namespace))
    selector = ",".join(f"{key}={value}" for key, value in answering_labels(settings).items())
    pods = tuple(cluster.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector))
    wanted = int(at(owner, "spec", "replicas") or 0)
    ready = sum(1 for pod in pods if is_ready(pod))
    found = [cause_of(pod) for pod in pods if not is_ready(pod) and not _leaves(pod)]
    found += [refused] * (wanted - len(pods)) if (refused := _refused(owner)) else []
    return wanted, ready, tuple(_counted(found))


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Tells whether a pod is ready and stays."""
    conditions = listed(at(pod, "status", "conditions"))
    is_ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return is_ready and not _leaves(pod)


def _leaves(pod: Mapping[str, Any]) -> bool:
    return bool(at(pod, "metadata", "deletionTimestamp"))


def _refused(owner: Mapping[str, Any]) -> tuple[Cause, str] | None:
    """Returns why pods are not even made; None where they are."""
    for condition in listed(at(owner, "status", "conditions")):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            message = str(condition.get("message", ""))
            return (Cause.QUOTA if "quota" in message else Cause.SCHEDULING), message
    return None


def cause_of(pod: Mapping[str, Any]) -> tuple[Cause, str]:
    """Returns why a pod does not serve, and the cluster's words for it."""
    for condition in listed(at(pod, "status", "conditions")):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return _unscheduled(str(condition.get("message", "no node yet")))
    for kind, is_init in (("initContainerStatuses", True), ("containerStatuses", False)):
        for status in listed(at(pod, "status", kind)):
            if found := _of_container(status, is_init=is_init):
                return found
    return Cause.STARTING, "its containers are being created"


def _unscheduled(message: str) -> tuple[Cause, str]:
    if "nvidia.com/" in message or "amd.com/" in message:
        return Cause.GPU, message
    if any(word in message.lower() for word in _WEIGHTS_WORDS):
        return Cause.WEIGHTS, message
    return (Cause.GPU if "affinity" in message or "taint" in message else Cause.SCHEDULING), message


def _of_container(status: Mapping[str, Any], *, is_init: bool) -> tuple[Cause, str] | None:
    name, state = str(status["name"]), mapped(status.get("state"))
    waiting, ended = mapped(state.get("waiting")), mapped(state.get("terminated"))
    reason, said = str(waiting.get("reason", "")), str(waiting.get("message", ""))
    if reason in _IMAGE:
        return Cause.IMAGE, said or reason
    if reason in _CONFIG:
        return Cause.SECRET, said or reason
    last = mapped(at(status, "lastState", "terminated")) if reason == "CrashLoopBackOff" else ended
    if reason == "CrashLoopBackOff" or (ended and ended.get("exitCode")):
        words = str(last.get("message") or last.get("reason") or "no message").strip()
        return Cause.CRASH, f"{name} ended with {last.get('exitCode', '?')}: {words}"
    if is_init or "running" not in state or status.get("ready"):
        return None
    if not status.get("started"):
        return Cause.STARTING, f"{name} loads the model (startup probe)"
    return Cause.PROBE, f"{name} is running and fails its readiness probe"


def _waiting_weights(cluster: Cluster, namespace: str) -> Iterator[NotReady]:
    """Yields the Job that fetches weights, which the model waits for."""
    selector = ",".join(f"{key}={value}" for key, value in WEIGHTS_LABELS.items())
    for job in cluster.items(f"/apis/batch/v1/namespaces/{namespace}/jobs", labelSelector=selector):
        if not at(job, "status", "succeeded"):
            pods = cluster.items(
                f"/api/v1/namespaces/{namespace}/pods",
                labelSelector=f"job-name={job['metadata']['name']}",
            )
            detail = shorten(_of_job(job, tuple(pods)), _LONGEST, placeholder=" …")
            yield NotReady(cause=Cause.WEIGHTS, replicas=1, detail=detail)


def _of_job(job: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]) -> str:
    """Returns what a Job that fetches weights has come to, with its newest pod's reason."""
    name, failed = job["metadata"]["name"], int(at(job, "status", "failed") or 0)
    attempts = f"{failed} {'attempt' if failed == 1 else 'attempts'} failed"
    conditions = listed(at(job, "status", "conditions"))
    if any(each["type"] == "Failed" and each["status"] == "True" for each in conditions):
        said = f"Job {name} has failed"
    else:
        said = f"Job {name} is downloading them"
        said += f"; {attempts}" if failed else ""
    troubled = [pod for pod in pods if at(pod, "status", "phase") in {"Failed", "Pending"}]
    troubled.sort(key=lambda pod: str(at(pod, "metadata", "creationTimestamp")))
    return f"{said}: {_reason(troubled[-1])}" if troubled else said


def _reason(pod: Mapping[str, Any]) -> str:
    _, words = cause_of(pod)
    # The container's message is the end of its log, whose last line says why.
    return words.strip().splitlines()[-1].split("failed: ", 1)[-1]


def _counted(found: Iterable[tuple[Cause, str]]) -> Iterator[NotReady]:
    by_cause: dict[Cause, list[str]] = {}
    for cause, detail in found:
        by_cause.setdefault(cause, []).append(shorten(detail, _LONGEST, placeholder=" …"))
    for cause, details in by_cause.items():
        yield NotReady(cause=cause, replicas=len(details), detail=details[0])
