"""Runs the steps of a measurement as Jobs in the stack's namespace, and removes each one."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from breakeven.cluster.connection import Cluster
from breakeven.cluster.errors import ClusterError
from breakeven.cluster.measuring.objects import Step, further_objects, job, weights_of
from breakeven.cluster.preflight.probe_pods import ended_with, pull_of
from breakeven.cluster.status.replicas import is_ready
from breakeven.manifests.serving.labels import ENGINE_PORT, answering_labels, replicas_key
from breakeven.policy.manifest import at, listed
from breakeven.settings.stack import Settings

_POLL_SECONDS = 2.0
_START_SECONDS = 600.0
"""For which a pod may wait for its image and a node."""
_SHARED = {"ReadWriteMany", "ReadOnlyMany"}


class MeasuringError(ClusterError):
    """A step in the cluster gave no result; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """The replica that is measured.

    Attributes:
        pod: Its name.
        address: Where it answers, without /v1.
        node: Its node.
        engine: Specification of its pods, as the stack renders it.
        tokenizer: Folder with its tokenizer, in the pod that generates the load.
        shares_weights: Whether pods on other nodes can mount its weights as well.
    """

    pod: str
    address: str
    node: str
    engine: Mapping[str, Any]
    tokenizer: str
    shares_weights: bool


def find_replica(
    cluster: Cluster, settings: Settings, manifests: Mapping[str, Mapping[str, Any]]
) -> Replica:
    """Finds a replica that is ready, the one that has run longest.

    Args:
        cluster: Where.
        settings: Of the model.
        manifests: Of the stack, by kind and name.

    Raises:
        MeasuringError: None is ready, or its weights are in no volume.
        ClusterError: As `Cluster.get`.
    """
    namespace = settings.network.namespace
    selector = ",".join(f"{key}={value}" for key, value in answering_labels(settings).items())
    pods = [
        pod
        for pod in cluster.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
        if is_ready(pod)
    ]
    if not pods:
        msg = (
            f"no replica of {settings.name} is ready in namespace {namespace}, so there is nothing "
            "to measure. See why: breakeven status, or scale up"
        )
        raise MeasuringError(msg)
    pod = min(
        pods, key=lambda each: (str(at(each, "status", "startTime")), each["metadata"]["name"])
    )
    engine = pod_template(manifests[replicas_key(settings)])
    try:
        folder, volume, _ = weights_of(engine)
    except LookupError as error:
        msg = (
            f"the weights of {settings.name} are in no volume ({error}), and the tokenizer is with "
            "them. Measure from outside: kubectl port-forward, then --target"
        )
        raise MeasuringError(msg) from None
    return Replica(
        pod=str(pod["metadata"]["name"]),
        address=_address(settings, str(at(pod, "status", "podIP"))),
        node=str(at(pod, "spec", "nodeName")),
        engine=engine,
        tokenizer=folder,
        shares_weights=_is_shared(cluster, namespace, volume),
    )


def pod_template(owner: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the specification of the pods that answer, of a Deployment or LeaderWorkerSet."""
    template = at(owner, "spec", "template") or at(
        owner, "spec", "leaderWorkerTemplate", "leaderTemplate"
    )
    template = template or at(owner, "spec", "leaderWorkerTemplate", "workerTemplate")
    return dict(template["spec"])


def _address(settings: Settings, address: str) -> str:
    host = f"[{address}]" if ip_address(address).version == 6 else address  # noqa: PLR2004  # IPv6
    return f"{settings.network.scheme}://{host}:{ENGINE_PORT}"


def _is_shared(cluster: Cluster, namespace: str, volume: Mapping[str, Any]) -> bool:
    claim = at(volume, "persistentVolumeClaim", "claimName")
    if not claim:
        return False  # an image or a folder that the replica's node has already
    path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{claim}"
    found = cluster.find(path) or {}
    return bool(_SHARED.intersection(listed(at(found, "spec", "accessModes"))))


@dataclass(frozen=True, slots=True, kw_only=True)
class InCluster:
    """Where steps run.

    Attributes:
        cluster: The cluster.
        settings: Of the model.
        replica: The replica that is measured.
        image: With guidellm, by digest.
        poll_seconds: How long to wait before the Job is looked at again.
        start_seconds: For which a pod may wait for its image and a node.
    """

    cluster: Cluster
    settings: Settings
    replica: Replica
    image: str
    poll_seconds: float = _POLL_SECONDS
    start_seconds: float = _START_SECONDS

    def run(self, configuration: Mapping[str, Any], seconds: int) -> str:
        """Holds one concurrency by a Job, and returns guidellm's figures as JSON.

        The Job, its ConfigMap and its network rules are removed at the end, also after an error and
        Ctrl-C. Where this program is killed, the Job ends by itself and takes the rest along.

        Args:
            configuration: Of guidellm, without the key.
            seconds: That the run may take once it has started.

        Raises:
            MeasuringError: It gives no result.
            ClusterError: The API server does not answer, or refuses.
        """
        step = Step(
            name=f"measure-{secrets.token_hex(4)}",
            namespace=self.settings.network.namespace,
            model=self.settings.name,
            image=self.image,
            engine=self.replica.engine,
            node="" if self.replica.shares_weights else self.replica.node,
            configuration=configuration,
            seconds=seconds + int(self.start_seconds),
        )
        with self._objects(step):
            return self._result(step, seconds)

    @contextmanager
    def _objects(self, step: Step) -> Iterator[None]:
        path = f"/apis/batch/v1/namespaces/{step.namespace}/jobs"
        try:
            made = self.cluster.create(path, job(step))
            for each in further_objects(step, made):
                self.cluster.create(self.cluster.path_of(each).rpartition("/")[0], each)
            yield
        finally:
            # What belongs to the Job goes with it.
            self.cluster.delete(f"{path}/{step.name}", propagationPolicy="Background")

    def _result(self, step: Step, seconds: int) -> str:
        path = f"/api/v1/namespaces/{step.namespace}/pods"
        began = time.monotonic()
        started: float | None = None
        why = "no pod was made; see the events of the namespace"
        while True:
            found = list(self.cluster.items(path, labelSelector=f"job-name={step.name}"))
            pod = found[0] if found else {}
            said = ended_with(pod)
            if said is not None:
                return self._read(pod, said)
            pulled, reason = pull_of(pod) if pod else (None, why)
            if pulled is False:
                msg = f"no node pulls {step.image}: {reason}. State another one by --image"
                raise MeasuringError(msg)
            now = time.monotonic()
            if started is None and at(pod, "status", "phase") == "Running":
                started = now
            if started is None and now - began > self.start_seconds:
                msg = (
                    f"the pod of the load did not start within {self.start_seconds:.0f} s: {reason}"
                )
                raise MeasuringError(msg)
            if started is not None and now - started > seconds:
                msg = f"guidellm did not end within {seconds} s. The replica may hang; see its log"
                raise MeasuringError(msg)
            time.sleep(self.poll_seconds)

    def _read(self, pod: Mapping[str, Any], said: str) -> str:
        try:
            document = json.loads(said)
        except ValueError:
            document = None
        if at(pod, "status", "phase") == "Failed" or not isinstance(document, dict):
            last = (said.strip().splitlines() or ["it said nothing"])[-1]
            msg = (
                f"guidellm gave no result in the cluster: {last[:300]}. Check the replica "
                f"{self.replica.pod}, and that NetworkPolicies admit the pod of the load"
            )
            raise MeasuringError(msg)
        return said
