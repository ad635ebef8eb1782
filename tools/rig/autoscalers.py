"""What brings nodes and replicas: kwok, Karpenter, KEDA, LeaderWorkerSet."""

from __future__ import annotations

import yaml

from rig.control_plane import healthy
from rig.part import Part
from rig.ports import LOOPBACK, is_taken
from rig.settings import Plan

# Karpenter asks which version the cluster is, and answers of API servers older than this are
# refused; ours is newer.
_OLDEST_KUBERNETES = "1.30.0"

# Without the first two KEDA looks for the file of a service account; an empty WATCH_NAMESPACE means
# all namespaces.
_KEDA = {"KEDA_CLUSTER_OBJECT_NAMESPACE": "keda", "POD_NAMESPACE": "keda", "WATCH_NAMESPACE": ""}


def kwok(plan: Plan) -> Part:
    """Simulated kubelets: every node with kwok's annotation works, and so do its pods.

    How they behave is written in Stage objects, which a test may add to.
    """
    return Part(
        name="kwok",
        command=[
            str(plan.programs["kwok"]),
            f"--kubeconfig={plan.folder.kubeconfig}",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            "--node-lease-duration-seconds=40",
            "--enable-crds=Stage",
            f"--server-address={LOOPBACK}:{plan.ports['kwok']}",
        ],
        ready=healthy(f"{plan.address('kwok')}/healthz"),
        ports=[plan.ports["kwok"]],
    )


def karpenter(plan: Plan) -> Part:
    """Karpenter, whose cloud is simulated and sells the machines of the price book."""
    return Part(
        name="karpenter",
        command=[str(plan.programs["karpenter"])],
        environment={
            "KUBECONFIG": str(plan.folder.kubeconfig),
            "SYSTEM_NAMESPACE": "kube-system",
            "KARPENTER_SERVICE": "karpenter",
            "DISABLE_LEADER_ELECTION": "true",
            "KUBERNETES_MIN_VERSION": _OLDEST_KUBERNETES,
            "INSTANCE_TYPES_FILE_PATH": str(plan.folder.part("instance-types.json")),
            "SOLD_OUT_FILE": str(plan.folder.sold_out),
            "NODE_REGISTRATION_DELAY": plan.tuning.node_registration,
            "BATCH_IDLE_DURATION": plan.tuning.batch_idle,
            "BATCH_MAX_DURATION": plan.tuning.batch_longest,
            "METRICS_PORT": str(plan.ports["karpenter-metrics"]),
            "HEALTH_PROBE_PORT": str(plan.ports["karpenter-health"]),
        },
        ready=healthy(f"{plan.address('karpenter-health')}/readyz"),
        ports=[plan.ports["karpenter-metrics"], plan.ports["karpenter-health"]],
    )


def keda_operator(plan: Plan) -> Part:
    """KEDA, which turns a ScaledObject into an autoscaler and asks Prometheus for its numbers."""
    return Part(
        name="keda-operator",
        command=[
            str(plan.programs["keda-operator"]),
            f"--kubeconfig={plan.folder.kubeconfig}",
            f"--cert-dir={plan.folder.certificates}",
            "--enable-cert-rotation=false",
            "--leader-elect=false",
            f"--metrics-bind-address={LOOPBACK}:{plan.ports['keda-metrics']}",
            f"--health-probe-bind-address={LOOPBACK}:{plan.ports['keda-health']}",
            f"--metrics-service-bind-address={LOOPBACK}:{plan.ports['keda-grpc']}",
        ],
        environment={
            **_KEDA,
            # The stack names Prometheus by its name in a cluster, which resolves to nothing here.
            # Prometheus answers requests of a client that takes it for its proxy, whatever their
            # host; calls to loopback addresses, such as those to the API server, use no proxy.
            "HTTP_PROXY": plan.prometheus,
        },
        ready=healthy(f"{plan.address('keda-health')}/readyz"),
        ports=[plan.ports[use] for use in ("keda-metrics", "keda-health", "keda-grpc")],
    )


def keda_adapter(plan: Plan) -> Part:
    """KEDA's metrics server, which the API server asks on behalf of autoscalers."""
    config, certificates = plan.folder.kubeconfig, plan.folder.certificates
    return Part(
        name="keda-adapter",
        command=[
            str(plan.programs["keda-adapter"]),
            f"--kubeconfig={config}",
            f"--lister-kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            f"--bind-address={LOOPBACK}",
            f"--secure-port={plan.ports['adapter']}",
            f"--port={plan.ports['adapter-metrics']}",
            f"--tls-cert-file={certificates / 'tls.crt'}",
            f"--tls-private-key-file={certificates / 'tls.key'}",
            f"--cert-dir={certificates}",
            f"--metrics-service-address=localhost:{plan.ports['keda-grpc']}",
        ],
        environment=_KEDA,
        ready=healthy(f"{plan.address('adapter', 'https')}/healthz", str(certificates / "ca.crt")),
        ports=[plan.ports["adapter"], plan.ports["adapter-metrics"]],
    )


def leader_worker_sets(plan: Plan) -> Part:
    """The controller of replicas that span several nodes, with its webhooks."""
    webhook, health = plan.ports["lws-webhook"], plan.address("lws-health")
    config = plan.folder.part("lws.yaml")
    config.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "config.lws.x-k8s.io/v1alpha1",
                "kind": "Configuration",
                "internalCertManagement": {"enable": False},
                "webhook": {
                    "host": LOOPBACK,
                    "port": webhook,
                    "certDir": str(plan.folder.certificates),
                },
            }
        ),
        encoding="utf-8",
    )
    healthy_itself = healthy(f"{health}/readyz")
    return Part(
        name="lws",
        command=[
            str(plan.programs["lws"]),
            f"--config={config}",
            f"--kubeconfig={plan.folder.kubeconfig}",
            f"--health-probe-bind-address={LOOPBACK}:{plan.ports['lws-health']}",
            "--metrics-bind-address=0",
            "--leader-elect=false",
        ],
        # It says that it is ready before its webhooks are, without which no such replica is made.
        ready=lambda: healthy_itself() and is_taken(webhook),
        ports=[webhook, plan.ports["lws-health"]],
    )
