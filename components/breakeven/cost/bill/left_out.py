"""What a bill leaves out because nobody states it or it is small; reports name what applies."""

from __future__ import annotations

from enum import StrEnum

from breakeven.catalog.clouds import find_cloud
from breakeven.catalog.storage_classes import storage_class
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.node_cost import OwnedNode

_ON_PREMISES = "none"


class LeftOut(StrEnum):
    """A cost that a stack has and no line of its bill."""

    TEXT_BETWEEN_ZONES = "text-between-zones"
    TEXT_TO_INTERNET = "text-to-internet"
    LOGS = "logs"
    WRITING_WEIGHTS = "writing-weights"
    SHARED_HARDWARE = "shared-hardware"


def left_out(assumptions: Assumptions) -> tuple[LeftOut, ...]:
    """Returns what a stack pays outside its bill."""
    cluster = assumptions.cluster
    in_cloud = assumptions.cloud != _ON_PREMISES
    pays_zones = cluster.gateway is not None and bool(
        find_cloud(assumptions.cloud).zone_traffic_ends
    )
    applies = {
        LeftOut.TEXT_BETWEEN_ZONES: in_cloud and not pays_zones,
        LeftOut.TEXT_TO_INTERNET: pays_zones,
        LeftOut.LOGS: in_cloud and not cluster.log_gigabytes,
        LeftOut.WRITING_WEIGHTS: any(
            storage_class(model.cloud, model.cluster.weights_class).charges_reads
            for model in assumptions.models
        ),
        LeftOut.SHARED_HARDWARE: isinstance(assumptions.node, OwnedNode)
        and not assumptions.node.shared_price,
    }
    return tuple(one for one, does in applies.items() if does)
