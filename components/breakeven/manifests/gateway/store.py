"""Where the gateways count what teams have used: Valkey with a volume."""

from __future__ import annotations

from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs, DeploymentStrategyArgs
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    ContainerPortArgs,
    ExecActionArgs,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpecArgs,
    PersistentVolumeClaimVolumeSourceArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    ProbeArgs,
    ResourceRequirementsArgs,
    Service,
    ServicePortArgs,
    ServiceSpecArgs,
    VolumeArgs,
    VolumeMountArgs,
    VolumeResourceRequirementsArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs

import pulumi
from breakeven.manifests.gateway.labels import STORE, STORE_LABELS, STORE_PORT
from breakeven.manifests.serving.environment import from_secret
from breakeven.manifests.serving.labels import described
from breakeven.manifests.serving.security import container_security, pod_security
from breakeven.resources.component import KitComponent
from breakeven.settings.groups import GatewaySettings
from breakeven.settings.stack import Settings

_FOLDER = "/data"


def add_store(
    component: KitComponent,
    settings: Settings,
    gateway: GatewaySettings,
    *,
    namespace: pulumi.Input[str],
    service_account: pulumi.Input[str],
) -> None:
    """Makes volume, pod and Service.

    One pod: while it moves, the own replicas serve on, and of teams with limits, whose money could
    not be counted, nothing goes to the API.
    """
    metadata = ObjectMetaArgs(name=STORE, namespace=namespace, labels=described(STORE_LABELS))
    volume = component.add(
        PersistentVolumeClaim(
            STORE,
            metadata=ObjectMetaArgs(
                name=STORE,
                namespace=namespace,
                labels=described(STORE_LABELS),
                # A class that waits for the first pod binds nothing before there is one.
                annotations={"pulumi.com/skipAwait": "true"},
            ),
            spec=PersistentVolumeClaimSpecArgs(
                access_modes=["ReadWriteOnce"],
                storage_class_name=settings.weights.storage_class,
                resources=VolumeResourceRequirementsArgs(requests={"storage": "1Gi"}),
            ),
            opts=component.child_options(),
        )
    )
    component.add(
        Deployment(
            STORE,
            metadata=metadata,
            spec=DeploymentSpecArgs(
                replicas=1,
                selector=LabelSelectorArgs(match_labels=dict(STORE_LABELS)),
                # Two at once would write to the same volume.
                strategy=DeploymentStrategyArgs(type="Recreate"),
                template=PodTemplateSpecArgs(
                    metadata=ObjectMetaArgs(labels=described(STORE_LABELS)),
                    spec=PodSpecArgs(
                        service_account_name=service_account,
                        automount_service_account_token=False,
                        enable_service_links=False,
                        security_context=pod_security(),
                        containers=[_container(gateway)],
                        volumes=[
                            VolumeArgs(
                                name="data",
                                persistent_volume_claim=PersistentVolumeClaimVolumeSourceArgs(
                                    claim_name=volume.metadata.name
                                ),
                            )
                        ],
                    ),
                ),
            ),
            opts=component.child_options(),
        )
    )
    component.add(
        Service(
            STORE,
            metadata=metadata,
            spec=ServiceSpecArgs(
                type="ClusterIP",
                selector=dict(STORE_LABELS),
                ports=[ServicePortArgs(name="valkey", port=STORE_PORT, target_port=STORE_PORT)],
            ),
            opts=component.child_options(),
        )
    )


def store_script(port: int, folder: str) -> str:
    """Returns the shell script that becomes Valkey.

    Its password comes by standard input, so no list of processes has it; and no pipe, whose shell
    would stay and take the signal to stop.

    Args:
        port: Port to listen on.
        folder: Where its files lie.
    """
    arguments = [
        f"--port {port}",
        f"--dir {folder}",
        # Each second's additions reach the volume; a crash forgets a second at most.
        "--appendonly yes",
        "--appendfsync everysec",
        "--save ''",
        # Sums are never thrown away for want of room: writing fails instead, and is seen.
        "--maxmemory 192mb",
        "--maxmemory-policy noeviction",
        "-",  # the last one: read the rest from standard input
    ]
    return f"exec valkey-server {' '.join(arguments)} <<END\nrequirepass $STORE_PASSWORD\nEND\n"


def _probe(*, failures: int) -> ProbeArgs:
    return ProbeArgs(
        exec_=ExecActionArgs(
            command=["sh", "-c", 'REDISCLI_AUTH="$STORE_PASSWORD" valkey-cli ping | grep -q PONG']
        ),
        period_seconds=5,
        timeout_seconds=5,
        failure_threshold=failures,
    )


def _container(gateway: GatewaySettings) -> ContainerArgs:
    return ContainerArgs(
        name="valkey",
        image=gateway.store_image,
        image_pull_policy="IfNotPresent",
        command=["sh", "-c"],
        args=[store_script(STORE_PORT, _FOLDER)],
        env=[from_secret("STORE_PASSWORD", secret=gateway.secret, key="store-password")],
        ports=[ContainerPortArgs(container_port=STORE_PORT)],
        security_context=container_security(read_only_root=True),
        resources=ResourceRequirementsArgs(
            requests={"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "128Mi"},
            limits={"memory": "256Mi", "ephemeral-storage": "256Mi"},
        ),
        startup_probe=_probe(failures=24),
        readiness_probe=_probe(failures=6),
        liveness_probe=_probe(failures=6),
        volume_mounts=[VolumeMountArgs(name="data", mount_path=_FOLDER)],
    )
