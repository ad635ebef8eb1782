"""How many pods a gateway needs for the traffic, and what part of a CPU node they take.

A gateway's work grows with requests and with what it streams: vLLM sends each token as an event of
its own. Pods follow each hour's peak minute, as replicas do in a plan; a few always run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from breakeven.catalog.gateway_work import SECONDS_PER_CHUNK, SECONDS_PER_REQUEST
from breakeven.cost.bill.registered import Registered
from breakeven.cost.demand.load import Load
from breakeven.cost.fleet.plan import units_needed

_GRID = 129
"""Volumes at which pods are counted for a curve; between two of them a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPods:
    """The pods of a stack's gateway.

    Attributes:
        lowest: Pods that run at any load.
        sets: Sets of such pods; 2 where requests that stay inside have their own.
        cores: CPU cores that a pod uses before another is added.
        millicores: CPU that a pod asks for.
        memory_bytes: Memory that a pod asks for.
        other_millicores: CPU that the other pods with it ask for, which count for the limits.
        other_memory_bytes: Their memory.
    """

    lowest: int
    cores: float
    millicores: int
    memory_bytes: int
    other_millicores: int = 0
    other_memory_bytes: int = 0
    sets: int = 1

    def share_of_node(self, vcpus: int, memory_gib: float) -> tuple[Decimal, Decimal]:
        """Returns the part of a CPU node that a pod takes, and that of the other pods with it.

        Args:
            vcpus: Virtual CPUs of the node.
            memory_gib: Its memory in GiB.
        """

        def part(millicores: int, memory_bytes: int) -> Decimal:
            return max(
                Decimal(millicores) / 1000 / vcpus,
                Decimal(memory_bytes) / (Decimal(repr(memory_gib)) * 2**30),
            )

        return (
            part(self.millicores, self.memory_bytes),
            part(self.other_millicores, self.other_memory_bytes),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedGateway:
    """What a stack that is not in mode hybrid would need in it.

    Attributes:
        pods: Of its gateway then.
        resources: What it would register besides and pay for.
    """

    pods: GatewayPods
    resources: tuple[Registered, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPeak:
    """The busiest minute of the week at a gateway, and the pods that it asks for.

    Attributes:
        requests_per_second: That come.
        chunks_per_second: Events of streams, if all answers are streamed.
        cores: CPU cores of all pods.
        pods: That it asks for, of one set.
    """

    requests_per_second: float
    chunks_per_second: float
    cores: float
    pods: int


def chunks_per_request(load: Load) -> float:
    """Returns the events of a mean answer that is streamed, of whoever answers at more length."""
    return max(load.output_tokens, load.own_output_tokens)


def seconds_per_request(load: Load) -> float:
    """Returns CPU seconds of the gateway for a mean request whose answer is streamed."""
    return SECONDS_PER_REQUEST + chunks_per_request(load) * SECONDS_PER_CHUNK


def gateway_peak(pods: GatewayPods, loads: Sequence[Load]) -> GatewayPeak:
    """Returns the busiest minute of the week, as if all models had theirs in it.

    Args:
        pods: Of the gateway.
        loads: Of each model.
    """
    peaks = [float(load.requests_per_second().max()) * load.burst_factor for load in loads]
    chunks = [peak * chunks_per_request(load) for peak, load in zip(peaks, loads, strict=True)]
    cores = sum(peak * seconds_per_request(load) for peak, load in zip(peaks, loads, strict=True))
    return GatewayPeak(
        requests_per_second=sum(peaks),
        chunks_per_second=sum(chunks),
        cores=cores,
        pods=max(int(units_needed(cores, pods.cores)), pods.lowest),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayCurve:
    """Pods of one set beyond those that always run, averaged over a week, by volume.

    Attributes:
        lowest: Pods that always run.
        pods_per_token: For each hour, pods that its peak minute asks for, for one token a day.
    """

    lowest: int
    pods_per_token: NDArray[np.float64]

    def beyond(self, tokens_per_day: float) -> float:
        """Returns them for one volume."""
        return float(self._beyond(np.asarray([tokens_per_day]))[0])

    def at(self, tokens_per_day: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns them for many volumes in rising order, as a line through some of them."""
        grid = np.linspace(0, float(tokens_per_day[-1]), _GRID)
        return np.interp(tokens_per_day, grid, self._beyond(grid))

    def _beyond(self, volumes: NDArray[np.float64]) -> NDArray[np.float64]:
        pods = units_needed(np.outer(volumes, self.pods_per_token), 1.0)
        return np.asarray(np.maximum(pods - self.lowest, 0).mean(axis=1), dtype=np.float64)


def gateway_curve(pods: GatewayPods, loads: Sequence[Load]) -> GatewayCurve:
    """Returns how a gateway's pods follow the volume of all models, in their proportion.

    Args:
        pods: Of the gateway.
        loads: Of each model.
    """
    total = sum(load.tokens_per_day for load in loads)
    hours = max(len(load.shape) for load in loads)
    cores = sum(
        np.resize(load.requests_per_second(), hours) * load.burst_factor * seconds_per_request(load)
        for load in loads
    )
    return GatewayCurve(lowest=pods.lowest, pods_per_token=np.asarray(cores) / (total * pods.cores))
