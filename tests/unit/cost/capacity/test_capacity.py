"""Throughput keeps its laws, and meets what was published as far as is stated."""

from collections import defaultdict
from statistics import mean

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from breakeven.catalog.gpus import Gpu, find_gpu, load_gpus
from breakeven.catalog.models import ModelFacts, find_model
from breakeven.cost.capacity.capacity import (
    PUBLISHED_ERROR_PERCENT,
    USER_ERROR_PERCENT,
    ModelDoesNotFitError,
    ReplicaCapacity,
    replica_capacity,
    roofline_error_percent,
)
from breakeven.cost.capacity.measurements import MeasuredPoint, load_points
from breakeven.cost.capacity.roofline import Engine, RequestShape, step_times
from breakeven.reports.sentences.descriptions import capacity_source
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
    engine = Engine(model=model, precision="int4", gpu=gpu, tensor_parallel=1)
    request = RequestShape(input_tokens=100, output_tokens=100)
    bandwidth = gpu.bandwidth_gb_per_second * 1e9 * 0.8
    weights = model.weight_bytes("int4")
    assert step_times(engine, request, 1).decode < 0.1 * weights / bandwidth + 1.1e-3
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
        longest=16_384 if point.gpu.startswith("h") else 4_096,
        tokens=(values["input"], values["output"]),
        limit=point.concurrency,
    )


POINTS = load_points()
point_ids = [f"{point.model}-{point.gpu}-c{point.concurrency}" for point in POINTS]


@pytest.mark.parametrize("point", POINTS, ids=point_ids)
def test_every_point_is_complete(point: MeasuredPoint) -> None:
    assert point.gpu in load_gpus()
    assert point.source
    assert point.as_of.year >= 2026
    assert point.output_tokens_per_second > 0
    assert find_model(point.model).splits_over(point.tensor_parallel)


def test_no_point_is_there_twice() -> None:
    keys = {
        (p.model, p.precision, p.gpu, p.tensor_parallel, p.request, p.concurrency) for p in POINTS
    }
    assert len(keys) == len(POINTS)


@pytest.mark.parametrize("point", POINTS, ids=point_ids)
def test_a_published_measurement_is_returned_as_it_is(point: MeasuredPoint) -> None:
    result = point_capacity(point)
    assert result.method == "published-measurement"
    assert result.measured is not None
    assert point.source in capacity_source(result)
    assert result.error_percent == PUBLISHED_ERROR_PERCENT
    # NIM at concurrency 100 is told from 50 by nothing that the cache admits here.
    if (point.model, point.concurrency) != ("llama-3.3-70b-instruct", 100):
        assert result.output_tokens_per_second == pytest.approx(point.output_tokens_per_second)


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


# How good the roofline is


def roofline_error(point: MeasuredPoint) -> float:
    """Returns the roofline over the measurement, less 1; requests in flight as the cache admits."""
    model = find_model(point.model)
    engine = Engine(
        model=model,
        precision=point.precision,
        gpu=find_gpu(point.gpu),
        tensor_parallel=point.tensor_parallel,
    )
    concurrency = point_capacity(point).concurrent_requests
    times = step_times(engine, point.request, concurrency)
    predicted = times.output_tokens_per_second(concurrency, point.output_tokens)
    return predicted / point.output_tokens_per_second - 1


@pytest.mark.parametrize(
    ("gpu", "held_out", "mean_percent", "bias_percent"),
    [
        # Not fitted on: NIM's 70B fp8 on two H100, concurrency 1 to 100 (-5 to -26 %; its own
        # engine may hold the cache in fp8), and one or two points each of older GPUs.
        ("h100", True, 12.7, -12.7),
        ("rtx-4090", True, 7.4, 7.4),
        ("a10g", True, 14.9, 14.9),
        ("a100-40", True, 9.4, -9.4),
        # From the table of which 60 rows were fitted on. H200: 70B +6 and +7 %, 8B in fp8 -27 and
        # -48 %.
        ("h100", False, 5.4, -2.1),
        ("h200", False, 21.9, -15.6),
    ],
)
def test_the_roofline_errs_as_much_as_is_stated(
    gpu: str, mean_percent: float, bias_percent: float, *, held_out: bool
) -> None:
    errors = defaultdict(list)
    for point in POINTS:
        errors[point.gpu, point.held_out].append(100 * roofline_error(point))
    of_class = errors[gpu, held_out]
    assert mean(abs(error) for error in of_class) == pytest.approx(mean_percent, abs=0.1)
    assert mean(of_class) == pytest.approx(bias_percent, abs=0.1)


@pytest.mark.parametrize("point", POINTS, ids=point_ids)
def test_the_band_covers_every_point_but_two(point: MeasuredPoint) -> None:
    engine = Engine(
        model=find_model(point.model),
        precision=point.precision,
        gpu=find_gpu(point.gpu),
        tensor_parallel=point.tensor_parallel,
    )
    error = 100 * roofline_error(point)
    if point.output_tokens_per_second == 917.3:  # NIM at concurrency 100
        assert error == pytest.approx(-25.5, abs=0.1)
    elif point.output_tokens_per_second == 9446.2:  # 8B in fp8 on H200, 1,000 / 100
        assert error == pytest.approx(-47.9, abs=0.1)
    else:
        assert abs(error) <= roofline_error_percent(engine)


@pytest.mark.parametrize(
    ("name", "precision", "gpu", "parallel", "percent"),
    [
        ("llama-3.3-70b-instruct", "fp8", "h100", 2, 25),
        ("llama-3.1-8b-instruct", "bf16", "rtx-4090", 1, 25),
        ("llama-3.1-8b-instruct", "bf16", "a10g", 1, 35),
        ("llama-3.1-8b-instruct", "bf16", "l40s", 1, 35),
        ("llama-3.1-8b-instruct", "fp8", "h100", 1, 40),
        ("gpt-oss-120b", "int4", "h100", 1, 50),
        ("llama-3.3-70b-instruct", "fp8", "l40s", 4, 50),
        ("llama-3.1-8b-instruct", "bf16", "mi300x", 1, 50),
    ],
)
def test_the_band_is_wider_where_less_is_known(
    name: str, precision: str, gpu: str, parallel: int, percent: float
) -> None:
    engine = Engine(
        model=find_model(name), precision=precision, gpu=find_gpu(gpu), tensor_parallel=parallel
    )
    assert roofline_error_percent(engine) == percent


@pytest.mark.parametrize(
    ("name", "precision", "gpu", "millions", "percent_off"),
    [
        # Total tokens a day of one GPU, 1,024 / 256, as an earlier form of the same roofline gave
        # them: memory as on the data sheet, requests counted at their full length. That form took
        # int8 on A100 at the bf16 peak; A100 has int8 units of twice that.
        ("llama-2-13b-chat", "int8", "a10g", 55, -2.1),
        ("llama-2-13b-chat", "int8", "l4", 31, -1.1),
        ("llama-2-13b-chat", "int8", "l40s", 182, 2.9),
        ("llama-2-13b-chat", "int8", "a100-80", 330, 30.6),
        ("llama-2-13b-chat", "int8", "h100", 786, 3.1),
        ("llama-3.1-8b-instruct", "bf16", "a10g", 120, 8.9),
        ("llama-3.1-8b-instruct", "bf16", "l4", 88, 12.6),
        ("llama-3.1-8b-instruct", "bf16", "l40s", 634, 2.7),
        ("llama-3.1-8b-instruct", "bf16", "h100", 2230, 5.1),
    ],
)
def test_capacity_examples_are_met_as_far_as_is_stated(
    name: str, precision: str, gpu: str, millions: float, percent_off: float
) -> None:
    result = capacity(find_model(name), find_gpu(gpu), precision=precision)
    a_day = result.total_tokens_per_second * 86_400 / 1e6
    assert 100 * (a_day / millions - 1) == pytest.approx(percent_off, abs=0.1)


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
    measured = next(point for point in load_points() if point.gpu == "h100")

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
    assert (over(2).method, over(2).error_percent) == ("roofline", 50.0)
