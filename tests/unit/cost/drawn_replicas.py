"""Models, GPUs and what fits into them, for tests that draw them."""

from hypothesis import strategies as st

from breakeven.catalog.gpus import Gpu, load_gpus
from breakeven.catalog.models import ModelFacts, load_models
from breakeven.cost.capacity.memory_fit import MemoryFit, memory_fit
from breakeven.cost.capacity.roofline import Engine

any_model = st.sampled_from([model for model in load_models().values() if model.generates])
any_gpu = st.sampled_from(list(load_gpus().values()))
any_precision = st.sampled_from(["bf16", "fp8", "int8", "int4"])
any_parallel = st.sampled_from([1, 2, 4, 8])
lengths = st.integers(1, 4096)


def fitted(
    model: ModelFacts,
    gpu: Gpu,
    *,
    precision: str = "bf16",
    parallel: int = 1,
    utilization: float = 0.9,
    longest: int = 4096,
    request: int = 1280,
    nodes: int = 1,
    adapter_bytes: int = 0,
) -> MemoryFit:
    engine = Engine(
        model=model,
        precision=precision,
        gpu=gpu,
        tensor_parallel=parallel,
        pipeline_parallel=nodes,
    )
    return memory_fit(
        engine,
        gpu_memory_utilization=utilization,
        max_model_length=longest,
        request_tokens=request,
        adapter_bytes=adapter_bytes,
    )


def altered(gpu: Gpu, **changes: object) -> Gpu:
    values = {name: getattr(gpu, name) for name in Gpu.__slots__}
    return Gpu(**{**values, "name": "unpublished", **changes})
