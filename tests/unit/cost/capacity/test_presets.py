"""Every preset can be estimated on at least one GPU."""

from __future__ import annotations

import re

import pytest

from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import load_models
from breakeven.cost.capacity.capacity import replica_capacity
from breakeven.cost.capacity.memory_fit import smallest_fits

LENGTH = 8192


@pytest.mark.parametrize("name", load_models())
def test_a_preset_has_a_capacity_on_what_is_suggested(name: str) -> None:
    model = load_models()[name]
    length = min(LENGTH, model.max_model_length)
    suggestions = smallest_fits(model, max_model_length=length)
    assert suggestions
    found = re.fullmatch(r"(\w+) on (?:(\d) nodes of )?(\d) x (\S+)", suggestions[0])
    assert found is not None
    precision, nodes, parallel, gpu = found.groups()
    capacity = replica_capacity(
        model,
        precision=precision,
        gpu=find_gpu(gpu),
        tensor_parallel=int(parallel),
        pipeline_parallel=int(nodes or 1),
        gpu_memory_utilization=0.9,
        max_model_length=length,
        input_tokens=1024,
        output_tokens=256,
        cached_input_share=0.0,
        concurrency_limit=256,
        measured_output_tokens_per_second=None,
    )
    assert capacity.requests_per_second > 0
    assert capacity.concurrent_requests >= 1


def test_there_are_at_least_60() -> None:
    assert len(load_models()) >= 60
