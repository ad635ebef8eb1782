"""Nodes that Cluster API makes, on any infrastructure that has a provider for it."""

from __future__ import annotations

from breakeven.catalog.pool_kinds.pool_kind import PoolKind

CLUSTER_API = PoolKind(
    name="cluster-api",
    can_grow=True,
    # With no machine to look at, the cluster autoscaler cannot tell what the next one would have.
    starts_from_zero=False,
    purchases=("on-demand",),
    purchases_hint="the machine template says how a machine is bought",
    runs_in_closed_network=True,
    required_settings=(
        "clusterApi.cluster",
        "clusterApi.version",
        "clusterApi.bootstrapTemplate",
        "clusterApi.machineTemplate",
    ),
    custom_resources=("cluster.x-k8s.io/v1beta2:MachineDeployment",),
    uses_management_cluster=True,
)
