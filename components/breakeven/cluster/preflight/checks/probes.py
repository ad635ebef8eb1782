"""What only pods can tell: whether NetworkPolicies are enforced, and whether images are pulled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

from breakeven.cluster.connection import Cluster
from breakeven.cluster.preflight.check import Check, Probe, always
from breakeven.cluster.preflight.finding import Finding, failed, passed, unknown
from breakeven.cluster.preflight.probe_pods import (
    ended_with,
    pod_states,
    probe_namespace,
    pull_of,
    start_pod,
)

_OPEN, _CLOSED = 8081, 8080
_SERVER = f"""
import http.server, threading
for port in ({_OPEN}, {_CLOSED}):
    server = http.server.HTTPServer(("", port), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever).start()
"""
_CLIENT = f"""
import socket, sys, time
def reached(port, tries):
    for _ in range(tries):
        try:
            socket.create_connection((sys.argv[1], port), 3).close()
            return True
        except OSError:
            time.sleep(1)
    return False
said = f"open={{reached({_OPEN}, 20)}} closed={{reached({_CLOSED}, 3)}}"
open("/dev/termination-log", "w").write(said)
"""


def _policies(probe: Probe) -> Iterator[Finding]:
    """Yields whether a pod reaches a port that a policy closes, and one that it leaves open."""
    # Nodes need this image anyway, and Python is in it.
    image = probe.needs.stack.models[0].engine.image
    with probe_namespace(probe.cluster) as namespace:
        policies = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
        probe.cluster.create(policies, _policy())
        start_pod(
            probe.cluster,
            namespace,
            "server",
            image,
            ["python3", "-c", _SERVER],
            labels={"breakeven/probe": "server"},
        )
        said = _said(probe.cluster, namespace, image, probe.seconds)
    if said == "open=True closed=False":
        yield passed("NetworkPolicies are enforced: a pod reached only the open port")
    elif said == "open=True closed=True":
        yield failed(
            "NetworkPolicies are not enforced: a pod reached a port that a policy blocks",
            "install a CNI plugin that enforces them, such as Cilium or Calico; on EKS, set "
            "enableNetworkPolicy of the VPC CNI; on GKE, enable Dataplane V2; on AKS, use "
            "--network-policy",
        )
    else:
        yield unknown(
            f"the probe did not finish: {said or 'a pod did not start within the time limit'}",
            "raise --probe-seconds; the check image-pull shows whether nodes can pull the image",
        )


def _policy() -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "open-one-port"},
        "spec": {
            "podSelector": {"matchLabels": {"breakeven/probe": "server"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": _OPEN, "protocol": "TCP"}]}],
        },
    }


def _said(cluster: Cluster, namespace: str, image: str, seconds: float) -> str:
    """Starts the client once the server has an address, and returns what it said."""
    is_started = False
    for pods in pod_states(cluster, namespace, seconds):
        address = pods.get("server", {}).get("status", {}).get("podIP")
        if address and not is_started:
            command = ["python3", "-c", _CLIENT, str(address)]
            start_pod(cluster, namespace, "client", image, command)
            is_started = True
        said = ended_with(pods.get("client", {}))
        if said is not None:
            return said
    return ""


def _images(probe: Probe) -> Iterator[Finding]:
    """Yields for each image whether a node pulls it, with the stack's own pull Secrets."""
    secrets = tuple(need.name for need in probe.needs.secrets if need.pulls_images)
    own = next((each for each in probe.needs.own_namespaces if probe.namespace(each)), None)
    place = nullcontext(own) if own else probe_namespace(probe.cluster)
    with place as namespace:
        names = {f"breakeven-pull-{n}": image for n, image in enumerate(probe.needs.images)}
        try:
            for name, image in names.items():
                start_pod(
                    probe.cluster, str(namespace), name, image, ["true"], pull_secrets=secrets
                )
            outcome: dict[str, tuple[bool | None, str]] = {}
            for pods in pod_states(probe.cluster, str(namespace), probe.seconds):
                outcome = {name: pull_of(pods.get(name, {})) for name in names}
                if all(done is not None for done, _ in outcome.values()):
                    break
        finally:
            for name in names if own else ():
                probe.cluster.delete(f"/api/v1/namespaces/{namespace}/pods/{name}")
    for name, (done, why) in outcome.items():
        yield _image(names[name], done, why)


def _image(image: str, done: bool | None, why: str) -> Finding:  # noqa: FBT001  # one of three
    if done:
        return passed(f"a node pulled {image}")
    if done is None:
        return unknown(f"{image}: {why}", "raise --probe-seconds, or check the node's events")
    return failed(
        f"no node could pull {image}: {why}",
        "check the image name, the pull Secret, and that nodes can reach the registry",
    )


CHECKS = (
    Check(
        id="network-policies",
        asks="whether NetworkPolicies are enforced, tested with two pods",
        applies=always,
        run=_policies,
        starts_pods=True,
    ),
    Check(
        id="image-pull",
        asks="whether nodes can pull the stack's images from their registries",
        applies=always,
        run=_images,
        starts_pods=True,
    ),
)
