"""The parts of every Kubernetes cluster: etcd, API server, controller manager, scheduler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus

import urllib3

from rig.api import Api, answers
from rig.part import Part
from rig.ports import LOOPBACK
from rig.settings import Plan

# Addresses of services; no pod of a rig ever calls one.
SERVICE_NETWORK = "10.96.0.0/16"
ADAPTER_HOST = "keda-metrics-apiserver.keda.svc"

_HEALTH_SECONDS = 2.0


def healthy(address: str, ca_file: str | None = None) -> Callable[[], bool]:
    """Return a question: whether an address answers with success."""
    pool = urllib3.PoolManager(
        ca_certs=ca_file, timeout=urllib3.Timeout(total=_HEALTH_SECONDS), retries=False
    )

    def ask() -> bool:
        try:
            return pool.request("GET", address).status == HTTPStatus.OK
        except urllib3.exceptions.HTTPError:
            return False

    return ask


def etcd(plan: Plan) -> Part:
    """The database. Its data is thrown away with the rig, so it never waits for the disk."""
    client, peer = plan.address("etcd"), plan.address("etcd-peer")
    return Part(
        name="etcd",
        command=[
            str(plan.programs["etcd"]),
            f"--data-dir={plan.folder.part('etcd')}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
        ready=healthy(f"{client}/health"),
        ports=[plan.ports["etcd"], plan.ports["etcd-peer"]],
    )


# A loopback address can be no endpoint, and no pod of a rig looks for one.
_WITHOUT_PODS = ("--endpoint-reconciler-type=none",)


def api_server(plan: Plan, further: Sequence[str] = _WITHOUT_PODS) -> Part:
    """The API server, with Pod Security and aggregation as in a cluster that is well kept.

    Args:
        plan: The plan.
        further: Flags besides; one that is given twice means its last value.
    """
    certificates = plan.folder.certificates
    api = Api.connect(plan.api_server, certificates)
    return Part(
        name="kube-apiserver",
        command=[
            str(plan.programs["kube-apiserver"]),
            f"--etcd-servers={plan.address('etcd')}",
            f"--bind-address={LOOPBACK}",
            f"--secure-port={plan.ports['api-server']}",
            f"--tls-cert-file={certificates / 'tls.crt'}",
            f"--tls-private-key-file={certificates / 'tls.key'}",
            f"--client-ca-file={certificates / 'ca.crt'}",
            "--authorization-mode=Node,RBAC",
            "--anonymous-auth=false",
            f"--service-account-key-file={certificates / 'service-accounts.pub'}",
            f"--service-account-signing-key-file={certificates / 'service-accounts.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-cluster-ip-range={SERVICE_NETWORK}",
            f"--requestheader-client-ca-file={certificates / 'front-proxy' / 'ca.crt'}",
            "--requestheader-allowed-names=front-proxy",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={certificates / 'front-proxy' / 'front-proxy.crt'}",
            f"--proxy-client-key-file={certificates / 'front-proxy' / 'front-proxy.key'}",
            *further,
        ],
        # kube-system is made by the API server itself, once it can write. It is not healthy before
        # it has made the roles as well, and controllers give up where that takes ten seconds.
        ready=lambda: answers(lambda: api.get("/api/v1/namespaces/kube-system")) and api.healthy(),
        ports=[plan.ports["api-server"]],
    )


def controller_manager(plan: Plan, further: Sequence[str] = ()) -> Part:
    """Kubernetes' own controllers, with further flags."""
    certificates, tuning = plan.folder.certificates, plan.tuning
    return Part(
        name="kube-controller-manager",
        command=[
            str(plan.programs["kube-controller-manager"]),
            *_served(plan, "controller-manager"),
            f"--service-account-private-key-file={certificates / 'service-accounts.key'}",
            f"--root-ca-file={certificates / 'ca.crt'}",
            f"--service-cluster-ip-range={SERVICE_NETWORK}",
            f"--horizontal-pod-autoscaler-sync-period={tuning.scaling_seconds}s",
            f"--node-monitor-grace-period={tuning.node_grace_seconds}s",
            *further,
        ],
        ready=healthy(
            f"{plan.address('controller-manager', 'https')}/healthz", str(certificates / "ca.crt")
        ),
        ports=[plan.ports["controller-manager"]],
    )


def scheduler(plan: Plan) -> Part:
    """The scheduler."""
    return Part(
        name="kube-scheduler",
        command=[str(plan.programs["kube-scheduler"]), *_served(plan, "scheduler")],
        ready=healthy(
            f"{plan.address('scheduler', 'https')}/healthz",
            str(plan.folder.certificates / "ca.crt"),
        ),
        ports=[plan.ports["scheduler"]],
    )


def _served(plan: Plan, use: str) -> list[str]:
    config = plan.folder.kubeconfig
    return [
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={plan.ports[use]}",
        f"--tls-cert-file={plan.folder.certificates / 'tls.crt'}",
        f"--tls-private-key-file={plan.folder.certificates / 'tls.key'}",
        "--leader-elect=false",
    ]
