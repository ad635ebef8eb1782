"""Throughput keeps its laws, and meets what was published as far as is stated."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from breakeven.catalog.gpus import Gpu, find_gpu, load_gpus
from breakeven.catalog.models import PRECISION_BYTES, ModelFacts, find_model
from breakeven.cost.capacity.calibration import load_calibration
from breakeven.cost.capacity.capacity import (
    PUBLISHED_ERROR_PERCENT,
    USER_ERROR_PERCENT,
    ModelDoesNotFitError,
    ReplicaCapacity,
    replica_capacity,
)
from breakeven.cost.capacity.measurements import MeasuredPoint, load_points
from breakeven.cost.capacity.roofline import Engine, RequestShape, step_times
from breakeven.reports.sentences.descriptions import capacity_source
from breakeven.settings.files import ROOT
from tests.unit.cost.drawn_replicas import (
    altered,
    any_gpu,
    any_model,
    any_parallel,
    any_precision,
    fitted,
    lengths,
)


def capacity(
    model: ModelFacts,
    gpu: Gpu,
    *,
    precision: str = "bf16",
    parallel: int = 1,
    longest: int = 4096,
    tokens: tuple[int, int] = (1024, 256),
    cached: float = 0.0,
    limit: int = 10_000,
    measured: float | None = None,
) -> ReplicaCapacity:
    return replica_capacity(
        model,
        precision=precision,
        gpu=gpu,
        tensor_parallel=parallel,
        gpu_memory_utilization=0.9,
        max_model_length=longest,
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        cached_input_share=cached,
        concurrency_limit=limit,
        measured_output_tokens_per_second=measured,
    )


@given(
    model=any_model,
    gpu=any_gpu,
    precision=any_precision,
    parallel=any_parallel,
    input_tokens=lengths,
    output_tokens=lengths,
    cached=st.floats(0, 1),
)
def test_rates_latencies_and_band_agree(
    *,
    model: ModelFacts,
    gpu: Gpu,
    precision: str,
    parallel: int,
    input_tokens: int,
    output_tokens: int,
    cached: float,
) -> None:
    assume(fitted(model, gpu, precision=precision, parallel=parallel, longest=8192).fits)
    result = capacity(
        model,
        gpu,
        precision=precision,
        parallel=parallel,
        longest=8192,
        tokens=(input_tokens, output_tokens),
        cached=cached,
        limit=256,
    )
    rate = result.requests_per_second
    assert 1 <= result.concurrent_requests <= 256
    assert result.output_tokens_per_second == pytest.approx(rate * output_tokens)
    assert result.total_tokens_per_second == pytest.approx(rate * (input_tokens + output_tokens))
    share = result.error_percent / 100
    assert result.low_requests_per_second == pytest.approx(rate * (1 - share))
    assert result.high_requests_per_second == pytest.approx(rate * (1 + share))
    # Requests in flight are rate x time in flight. The first token may take longer than the share
    # of compute that it takes from others: a step at least, with its overhead.
    in_flight = output_tokens * result.latencies.inter_token + result.prefill_seconds
    assert rate * in_flight >= result.concurrent_requests * (1 - 1e-9)
    assert capacity_source(result)


@given(
    model=any_model,
    gpu=any_gpu,
    precision=any_precision,
    figure=st.sampled_from(["bandwidth_gb_per_second", "memory_gib", "bf16_tflops"]),
    factor=st.floats(1, 3),
    tokens=st.sampled_from([(1024, 256), (256, 1024), (4000, 64)]),
)
def test_a_better_gpu_never_serves_less(
    *,
    model: ModelFacts,
    gpu: Gpu,
    precision: str,
    figure: str,
    factor: float,
    tokens: tuple[int, int],
) -> None:
    worse = altered(gpu)
    better = altered(gpu, **{figure: getattr(gpu, figure) * factor})
    assume(fitted(model, worse, precision=precision).fits)
    before = capacity(model, worse, precision=precision, tokens=tokens)
    after = capacity(model, better, precision=precision, tokens=tokens)
    assert before.requests_per_second <= after.requests_per_second * (1 + 1e-9)


@given(any_model, any_gpu, st.floats(0, 1), st.floats(0, 1))
def test_cached_input_never_lowers_capacity(
    model: ModelFacts, gpu: Gpu, one: float, other: float
) -> None:
    assume(fitted(model, gpu).fits)
    less, more = sorted((one, other))
    first, second = capacity(model, gpu, cached=less), capacity(model, gpu, cached=more)
    assert first.requests_per_second <= second.requests_per_second * (1 + 1e-9)
    assert second.prefill_seconds <= first.prefill_seconds * (1 + 1e-9)


@given(any_model, any_gpu, st.integers(1, 512), st.integers(0, 512))
def test_admitting_more_requests_serves_no_less_and_no_token_faster(
    model: ModelFacts, gpu: Gpu, limit: int, more: int
) -> None:
    # Not through capacity(): two published points of different limits need not be in line.
    engine = Engine(model=model, precision="bf16", gpu=gpu, tensor_parallel=1)
    request = RequestShape(input_tokens=1024, output_tokens=256)
    few, many = step_times(engine, request, limit), step_times(engine, request, limit + more)
    assert few.decode <= many.decode
    assert few.output_tokens_per_second(limit, 256) <= (
        many.output_tokens_per_second(limit + more, 256) * (1 + 1e-9)
    )


def test_a_mixture_reads_few_experts_for_one_token_and_all_for_many() -> None:
    model, gpu = find_model("gpt-oss-120b"), find_gpu("h100")
    engine = Engine(model=model, precision="mxfp4", gpu=gpu, tensor_parallel=1)
    request = RequestShape(input_tokens=100, output_tokens=100)
    constants = load_calibration().constants(model, gpu, "mxfp4", 1)
    bandwidth = gpu.bandwidth_gb_per_second * 1e9 * constants.memory_efficiency
    overhead = constants.step_seconds + model.layers * constants.layer_seconds
    weights = model.weight_bytes("mxfp4")
    assert step_times(engine, request, 1).decode < 0.1 * weights / bandwidth + overhead
    assert step_times(engine, request, 200).decode > weights / bandwidth


def test_tensor_parallelism_costs_more_over_pcie_than_over_nvlink() -> None:
    model, l40s = find_model("llama-3.3-70b-instruct"), find_gpu("l40s")
    nvlink = altered(l40s, link_gb_per_second=450.0)
    slow, fast = (
        capacity(model, gpu, precision="fp8", parallel=4).requests_per_second
        for gpu in (l40s, nvlink)
    )
    assert slow < 0.75 * fast


def test_a_replica_without_room_for_one_request_has_no_capacity() -> None:
    with pytest.raises(ModelDoesNotFitError, match=r"llama-3\.3-70b-instruct in bf16.*1 x h100"):
        capacity(find_model("llama-3.3-70b-instruct"), find_gpu("h100"))


# What is known better than by the roofline


@given(any_model, any_gpu, st.floats(1, 1e5))
def test_the_users_measurement_wins_even_where_memory_seems_short(
    model: ModelFacts, gpu: Gpu, measured: float
) -> None:
    result = capacity(model, gpu, measured=measured)
    assert result.method == "own-measurement"
    assert result.output_tokens_per_second == measured
    assert result.error_percent == USER_ERROR_PERCENT
    assert result.latencies.inter_token > 0
    assert result.prefill_seconds > 0


def point_capacity(point: MeasuredPoint, **changes: int) -> ReplicaCapacity:
    values = {"input": point.input_tokens, "output": point.output_tokens, **changes}
    return capacity(
        find_model(point.model),
        find_gpu(point.gpu),
        precision=point.precision,
        parallel=point.tensor_parallel,
        longest=point.input_tokens + point.output_tokens,
        tokens=(values["input"], values["output"]),
        limit=point.concurrency,
    )


STEADY = [point for point in load_points() if point.kind == "steady"]


def test_every_point_is_complete_and_there_once() -> None:
    points = load_points()
    for point in points:
        assert point.gpu in load_gpus()
        assert point.precision in PRECISION_BYTES
        assert point.source, point
        assert point.license, point
        assert point.engine, point
        assert point.as_of.year >= 2026
        assert point.output_tokens_per_second > 0
        assert find_model(point.model).splits_over(point.tensor_parallel)
    assert len(set(points)) == len(points)


def test_the_file_of_points_is_sorted_with_a_line_for_each() -> None:
    path = ROOT / "components/breakeven/catalog/data/throughput.json"
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(load_points()) + 2
    models = [json.loads(line.rstrip(","))["model"] for line in lines[1:-1]]
    assert models == sorted(models)


def test_a_published_measurement_of_the_engine_goes_before_the_roofline() -> None:
    for point in STEADY[::9]:
        if not fitted(
            find_model(point.model),
            find_gpu(point.gpu),
            precision=point.precision,
            parallel=point.tensor_parallel,
            longest=point.input_tokens + point.output_tokens,
        ).fits:
            continue
        result = point_capacity(point)
        if result.held_requests < point.concurrency:
            continue  # not told from one with fewer in flight
        assert result.method == "published-measurement"
        assert result.measured is not None
        assert result.measured.source in capacity_source(result)
        assert result.error_percent == PUBLISHED_ERROR_PERCENT


def test_a_model_of_the_same_shape_counts_as_the_same() -> None:
    result = capacity(
        find_model("llama-3.3-70b-instruct"),
        find_gpu("h200"),
        precision="fp8",
        tokens=(1024, 1024),
        limit=64,
    )
    assert result.output_tokens_per_second == pytest.approx(1679.2)


def test_other_lengths_limits_and_precisions_fall_back_on_the_roofline() -> None:
    model, gpu = find_model("llama-3.1-70b-instruct"), find_gpu("h200")

    def method(tokens: tuple[int, int], limit: int, precision: str = "fp8") -> str:
        return capacity(model, gpu, precision=precision, tokens=tokens, limit=limit).method

    assert method((1024, 1024), 64) == "published-measurement"
    assert method((1200, 900), 80) == "published-measurement"
    assert method((1400, 1024), 64) == "roofline"
    assert method((1024, 700), 64) == "roofline"
    assert method((1024, 1024), 16) == "roofline"
    assert method((1024, 1024), 64, "int8") == "roofline"


# Several nodes


def of_nodes(nodes: int, concurrency: int) -> float:
    engine = Engine(
        model=find_model("llama-3.1-405b-instruct"),
        precision="bf16",
        gpu=find_gpu("h100"),
        tensor_parallel=8,
        pipeline_parallel=nodes,
    )
    request = RequestShape(input_tokens=1024, output_tokens=256)
    times = step_times(engine, request, concurrency)
    return times.output_tokens_per_second(concurrency, request.output_tokens)


@given(st.integers(2, 8), st.integers(1, 512))
def test_nodes_in_a_row_serve_more_than_one_and_less_than_as_many(
    nodes: int, concurrency: int
) -> None:
    alone, row = of_nodes(1, concurrency), of_nodes(nodes, nodes * concurrency)
    # Each node works on its own group of requests; the network between them is what is lost.
    assert alone < row < nodes * alone


@given(st.integers(2, 8))
def test_one_request_gains_nothing_from_nodes_in_a_row(nodes: int) -> None:
    model, gpu = find_model("llama-3.1-405b-instruct"), find_gpu("h100")
    request = RequestShape(input_tokens=1024, output_tokens=256)
    one, row = (
        step_times(
            Engine(
                model=model, precision="bf16", gpu=gpu, tensor_parallel=8, pipeline_parallel=count
            ),
            request,
            count,
        )
        for count in (1, nodes)
    )
    assert row.decode > one.decode
    assert row.first_token > one.first_token


def test_no_measurement_of_one_node_speaks_for_several() -> None:
    measured = next(point for point in STEADY if point.gpu == "h100")

    def over(nodes: int) -> ReplicaCapacity:
        return replica_capacity(
            find_model(measured.model),
            precision=measured.precision,
            gpu=find_gpu(measured.gpu),
            tensor_parallel=measured.tensor_parallel,
            pipeline_parallel=nodes,
            gpu_memory_utilization=0.9,
            max_model_length=measured.input_tokens + measured.output_tokens,
            input_tokens=measured.input_tokens,
            output_tokens=measured.output_tokens,
            cached_input_share=0.0,
            concurrency_limit=measured.concurrency,
            measured_output_tokens_per_second=None,
        )

    assert over(1).method == "published-measurement"
    assert over(2).is_unknown
