"""What cannot hold, or would lead out, where nothing may leave."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.addresses import outside_addresses
from breakeven.catalog.pool_kinds import POOL_KINDS
from breakeven.settings.fields import Conflict
from breakeven.settings.stack import Settings

_AIR_GAPPED = "with network.boundary air-gapped"


def air_gap(settings: Settings) -> Iterator[Conflict]:
    """Yields what a stack lacks inside the boundary, and what would lead out of it."""
    yield from _needed(settings)
    yield from _ways_out(settings)


def _needed(settings: Settings) -> Iterator[Conflict]:
    network, adapters = settings.network, settings.model.lora_adapters
    if not network.registry:
        yield _conflict("network.registry", "empty", f"Needed {_AIR_GAPPED}: the registry inside")
    if not settings.weights_are_there:
        allowed = f"Needed {_AIR_GAPPED}: a volume with the weights; or weights.image"
        yield _conflict("weights.claim", "empty", allowed, "weights.image")
    if adapters:
        names = ", ".join(adapter.name for adapter in adapters)
        allowed = (
            "Allowed: none; a bundle contains only the model. Merge the adapters into its weights"
        )
        yield _conflict("model.loraAdapters", f"{names}, {_AIR_GAPPED}", allowed)
    kind = settings.pool.kind
    if not kind.runs_in_closed_network:
        inside = [each.name for each in POOL_KINDS.values() if each.runs_in_closed_network]
        found = f"{kind.name} requests nodes from a cloud, {_AIR_GAPPED}"
        yield _conflict("pool.kind", found, f"Allowed: {', '.join(inside)}")


def _ways_out(settings: Settings) -> Iterator[Conflict]:
    network = settings.network
    if network.data_may_leave:
        yield _conflict("network.dataMayLeave", f"true, {_AIR_GAPPED}", "Allowed: false")
    if network.has_load_balancer:
        yield _conflict(
            "network.exposure",
            f'found "{network.exposure}", {_AIR_GAPPED}',
            "Allowed: cluster; clients outside the cluster use an ingress in one of "
            "network.clientNamespaces",
        )
    if network.client_networks:
        found = f"{', '.join(network.client_networks)}, {_AIR_GAPPED}"
        allowed = "Allowed: none; name namespaces in network.clientNamespaces"
        yield _conflict("network.clientNetworks", found, allowed)
    address = settings.monitoring.prometheus_address
    if any(outside_addresses(address, ())):
        found, allowed = f"{address}, {_AIR_GAPPED}", "Allowed: http://SERVICE.NAMESPACE.svc:PORT"
        yield _conflict("monitoring.prometheusAddress", found, allowed)


def _conflict(key: str, found: str, allowed: str, *needs: str) -> Conflict:
    return Conflict(key, found, allowed, ("network.boundary", *needs))
