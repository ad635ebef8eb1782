"""GPU nodes that GKE's autoscaler starts and stops for a compute class."""

from __future__ import annotations

from breakeven.manifests.gpu_pool.pool import Pool, Scheduling, pool_name
from breakeven.manifests.resource import Resource
from breakeven.manifests.templates import render_manifest
from breakeven.settings.stack import Stack

COMPUTE_CLASS_LABEL = "cloud.google.com/compute-class"


def gke_compute_class_pool(stack: Stack) -> Pool:
    """Returns one compute class whose choices are tried in order, and no node pool made by hand.

    Its order is capacity type first, then machine type, so that a dearer machine of the same
    purchase comes before the next purchase. Other than a Karpenter node pool it has no limit of
    GPUs: the most replicas are the limit, and Google's quota behind it.
    """
    name, pool = pool_name(stack), stack.pool
    manifest = render_manifest(
        "gpu_pool/compute-class.yaml.j2",
        {
            "name": name,
            "accelerator": pool.gpu.gke_accelerator,
            "gpus": pool.gpus_per_node,
            "disk": pool.kind.root_volume_class,
            "volume_gigabytes": pool.node_volume_gigabytes,
            "service_account": pool.gke.service_account,
            "reservations": list(pool.gke.reservations),
            "choices": [
                {
                    "machine_type": instance_type,
                    "spot": capacity_type == "spot",
                    "reserved": capacity_type == "reserved",
                }
                for capacity_type in pool.capacity_types
                for instance_type in pool.instance_types
            ],
        },
    )
    return Pool(
        resources=(Resource(name=name, manifest=manifest),),
        # GKE labels and taints the nodes of a class with its name, and adds the toleration to pods
        # that select it.
        scheduling=Scheduling.on_gpu_nodes({COMPUTE_CLASS_LABEL: name}),
        weights_scheduling=Scheduling(),
    )
