"""Assumptions and ledgers for tests, with one figure changed at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from breakeven.catalog.apis.prices import ApiPrice
from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import find_model
from breakeven.catalog.price import Price
from breakeven.catalog.price_book import PriceBook
from breakeven.cost.assumptions import Assumptions, ClusterShare
from breakeven.cost.bill.node_cost import OwnedNode, RentedNode
from breakeven.cost.bill.registered import GPU_POOL, Registered
from breakeven.cost.bill.staffing import Staffing
from breakeven.cost.calendar import THIRTY_DAYS
from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.capacity.latency import Latencies
from breakeven.cost.capacity.roofline import Engine
from breakeven.cost.demand.load import Load, flat_shape
from breakeven.cost.fleet.plan import Fleet, FleetWeek
from breakeven.cost.fleet.simulation.result import SimulatedWeek, WeekTotals
from breakeven.cost.gateway import GatewayPods

TODAY = date(2026, 11, 24)

WEEK = FleetWeek(
    mean_nodes=2.0,
    peak_replicas=3,
    busy_share=0.25,
    unserved_share=0.0,
)
"""Two nodes on average, a quarter of their time busy."""

GATEWAY_PODS = GatewayPods(lowest=2, cores=0.3, millicores=500, memory_bytes=2**30)
"""Those of the shipped gateway, without what counts for the limits."""


def api(reference: str, usd_per_million: str, tokens: int = 1000) -> ApiPrice:
    """An API with a blended price."""
    return ApiPrice(
        reference=reference,
        usd_per_request=Decimal(usd_per_million) * tokens / 10**6,
        usd_per_million_tokens=Decimal(usd_per_million),
        source="test",
        as_of=TODAY,
    )


def capacity(requests_per_second: float, error_percent: float = 25.0) -> ReplicaCapacity:
    """A replica that serves that many requests of 500 and 500 tokens."""
    return ReplicaCapacity(
        requests_per_second=requests_per_second,
        output_tokens_per_second=requests_per_second * 500,
        total_tokens_per_second=requests_per_second * 1000,
        low_requests_per_second=requests_per_second * (1 - error_percent / 100),
        high_requests_per_second=requests_per_second * (1 + error_percent / 100),
        error_percent=error_percent,
        concurrent_requests=32,
        held_requests=32,
        latencies=Latencies(inter_token=0.02, inter_token_p95=0.03, first_token_p95=0.13),
        prefill_seconds=0.1,
        method="roofline",
    )


def price(usd: str, unit: str, identifier: str = "test") -> Price:
    """A list price of today."""
    return Price(
        identifier=identifier,
        usd=Decimal(usd),
        unit=unit,
        source="test",
        as_of=TODAY,
        confidence="list",
    )


def node(usd_per_hour: str) -> RentedNode:
    """A node that is paid by the hour."""
    return RentedNode(price(usd_per_hour, "node-hour", "node/test"), 1, "test-node", "on-demand")


def owned_node(**changes: Any) -> OwnedNode:
    """A node that was given away, and takes nothing while it runs."""
    base = OwnedNode(
        purchase_price=Decimal(0),
        amortization_years=1,
        residual_share=Decimal(0),
        power_watts=0,
        power_usage_effectiveness=Decimal(1),
        electricity_price_per_kwh=Decimal(0),
        rack_and_support_per_month=Decimal(0),
        gpus=1,
    )
    return replace(base, **changes)


def engine(model_name: str) -> Engine:
    """One GPU that serves a model of that name."""
    return Engine(
        model=replace(find_model("llama-3.1-8b-instruct"), name=model_name),
        precision="bf16",
        gpu=find_gpu("l40s"),
        tensor_parallel=1,
    )


def simulated(hours: int = 168, **changes: Any) -> SimulatedWeek:
    """A week in which one replica on one node answers everything in time."""
    totals = WeekTotals(
        hours=float(hours),
        node_hours=float(hours),
        gpu_hours=float(hours),
        busy_share=0.5,
        mean_replicas=1.0,
        peak_replicas=1,
        replica_starts=0,
        node_starts=0,
        requests=1000,
        served=1000,
        in_flight_at_start=0,
        in_flight_at_end=0,
        mean_queueing_seconds=0.0,
        objective_share=1.0,
        cold_share=0.0,
        overflow_share=0.0,
    )
    return SimulatedWeek(
        totals=replace(totals, **changes),
        objective_seconds=2.0,
        replicas=(1.0,) * hours,
        nodes=(1.0,) * hours,
    )


def assumptions(**changes: Any) -> Assumptions:
    """A flat load of 100 million tokens a day on one-GPU nodes, thirty days a month."""
    load = Load(
        tokens_per_day=100_000_000,
        input_tokens=500,
        output_tokens=500,
        cached_input_share=0.0,
        shape=flat_shape(),
        shape_source="flat",
        burst_factor=1.0,
    )
    fleet = Fleet(
        lowest=1,
        highest=8,
        autoscaling=True,
        replicas_per_node=1,
        gpus_per_node=1,
        fixed_nodes=None,
        start_seconds=300,
        scale_down_seconds=300,
    )
    base = Assumptions(
        stack="test",
        engine=engine("a-model"),
        load=load,
        capacity=capacity(1.0),
        fleet=fleet,
        simulated=simulated(),
        node=node("1"),
        cluster=ClusterShare(
            control_plane=None,
            control_plane_share=Decimal(1),
            system_instance_type="",
            system_nodes=0,
            nat_gateway_share=Decimal(0),
            image_gigabytes=10,
        ),
        cloud="aws",
        region="us-east-1",
        staffing=Staffing(
            engineer_salary=Decimal(120_000),
            engineer_share=Decimal("0.2"),
            on_call_per_month=Decimal(0),
            contingency_share=Decimal(0),
        ),
        api_in_use=api("test/api", "1"),
        hosted=(api("test/hosted", "0.5"),),
        budget_per_month=None,
        data_may_leave=True,
        book=PriceBook.load(today=TODAY),
        calendar=THIRTY_DAYS,
    )
    return replace(base, **changes)


def pool() -> Registered:
    """The GPU pool as its component registers itself."""
    return Registered("pool", GPU_POOL, {"kind": "existing", "nodeVolumeGigabytes": 100})


def volume(storage_class: str = "gp3", size: str = "100Gi") -> Registered:
    """A volume claim."""
    return Registered(
        "weights",
        "kubernetes:core/v1:PersistentVolumeClaim",
        {
            "spec": {
                "storageClassName": storage_class,
                "resources": {"requests": {"storage": size}},
            }
        },
    )
