"""A replica has the estimate's speed at the planned batch, and the roofline's at others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import find_model
from breakeven.cost.capacity.capacity import replica_capacity
from breakeven.cost.capacity.roofline import Engine, RequestShape
from breakeven.cost.fleet.simulation.configuration import ReplicaSpeed, speed_of

MODEL, GPU = find_model("llama-3.1-8b-instruct"), find_gpu("l40s")
ENGINE = Engine(model=MODEL, precision="bf16", gpu=GPU, tensor_parallel=1)


def service(planned: int, slots: int, measured: float | None = None) -> ReplicaSpeed:
    capacity = replica_capacity(
        MODEL,
        precision="bf16",
        gpu=GPU,
        tensor_parallel=1,
        gpu_memory_utilization=0.9,
        max_model_length=8192,
        input_tokens=1024,
        output_tokens=256,
        cached_input_share=0.0,
        concurrency_limit=planned,
        measured_output_tokens_per_second=measured,
    )
    request = RequestShape(input_tokens=1024, output_tokens=256)
    return speed_of(capacity, ENGINE, request, slots)


@given(st.integers(1, 100), st.integers(0, 60))
def test_the_planned_batch_serves_the_planned_rate(planned: int, more: int) -> None:
    one = service(planned, planned + more)
    # Below the planned batch the line is the roofline itself but for its bend.
    rate = planned / one.seconds(planned)
    assert rate == pytest.approx(one.planned_requests_per_second, rel=0.02)


def test_a_measurement_scales_all_batches_alike() -> None:
    plain = service(48, 128)
    output = plain.planned_requests_per_second * 256
    slower = service(48, 128, measured=output / 2)
    assert slower.seconds_alone == pytest.approx(2 * plain.seconds_alone, rel=1e-6)
    assert slower.seconds_full == pytest.approx(2 * plain.seconds_full, rel=1e-6)


@given(st.integers(1, 256), st.floats(0, 400), st.floats(0, 400))
def test_more_in_flight_is_never_quicker(slots: int, one: float, other: float) -> None:
    replica = service(32, max(slots, 32))
    assert replica.seconds(min(one, other)) <= replica.seconds(max(one, other))
    assert replica.seconds(slots * 1000) == pytest.approx(replica.seconds_full)
