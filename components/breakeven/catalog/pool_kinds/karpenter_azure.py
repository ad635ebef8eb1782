"""Nodes that AKS node auto-provisioning, a Karpenter, starts and stops on Azure."""

from __future__ import annotations

from breakeven.catalog.pool_kinds.pool_kind import PoolKind

KARPENTER_AZURE = PoolKind(
    name="karpenter-azure",
    can_grow=True,
    cloud="azure",
    is_clouds_default=True,
    purchases=("on-demand", "spot"),
    purchases_hint="AKS node auto-provisioning uses no capacity reservations; a reserved instance "
    "is a discount on on-demand machines: state it as pricing.commitmentPercent",
    # Free where the machine's own disk is large enough, which AKS prefers. The price list has no
    # price for it, so a stack states one.
    root_volume_class="node-os-disk",
    root_volume_is_ephemeral=True,
    required_settings=("instanceTypes", "capacityTypes"),
    custom_resources=("karpenter.sh/v1:NodePool", "karpenter.azure.com/v1beta1:AKSNodeClass"),
)
