"""The roofline meets measurements that its fit has not seen, and says where nobody measured."""

from collections import Counter

import pytest

from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import find_model
from breakeven.cost.capacity.calibration import TRANSFERRED, Calibration, load_calibration
from breakeven.cost.capacity.capacity import class_of
from breakeven.cost.capacity.roofline import Engine, RequestShape, step_times
from calibration.fit import judged, samples


def engine(name: str, gpu: str, parallel: int, precision: str = "bf16", nodes: int = 1) -> Engine:
    return Engine(
        model=find_model(name),
        precision=precision,
        gpu=find_gpu(gpu),
        tensor_parallel=parallel,
        pipeline_parallel=nodes,
    )


def test_the_held_out_third_is_met_within_a_fifth_and_nine_in_ten_within_their_bands() -> None:
    every = samples()
    held_out = [sample for sample in every if sample.held_out]
    assert 0.3 <= len(held_out) / len(every) <= 0.36
    found = judged(held_out, load_calibration())
    assert found["all"]["mean_error_percent"] <= 20
    assert found["all"]["inside_band_percent"] >= 90


def test_no_band_is_wider_than_35_percent() -> None:
    assert max(one.band_percent for one in load_calibration().classes) <= 35


def test_no_class_with_ten_measurements_is_unknown() -> None:
    calibration = load_calibration()
    unknown = Counter(
        sample.key
        for sample in samples()
        if calibration.class_of(
            sample.engine.model, sample.engine.gpu, sample.engine.tensor_parallel
        )
        is None
    )
    assert max(unknown.values(), default=0) < 10


def test_the_split_is_by_engine_so_that_both_parts_have_all_of_them() -> None:
    parts = Counter[bool]()
    for sample in samples():
        if sample.point.model == "gpt-oss-120b" and sample.point.gpu == "h200":
            parts[sample.held_out] += 1
    assert parts[False] >= 2 * parts[True] - 4 > 0


@pytest.mark.parametrize(
    ("name", "precision", "gpu", "parallel", "generation"),
    [
        ("llama-3.3-70b-instruct", "fp8", "h100", 2, "hopper"),
        ("llama-3.3-70b-instruct", "fp8", "h100-nvl", 2, "hopper"),
        ("llama-3.1-8b-instruct", "bf16", "rtx-4090", 4, "ada-consumer"),
        ("llama-3.1-405b-instruct", "fp8", "mi300x", 8, "cdna3"),
        ("llama-3.1-8b-instruct", "bf16", "l40s", 1, TRANSFERRED),
        ("llama-3.1-8b-instruct", "bf16", "a10g", 1, TRANSFERRED),
        # Nobody has published these.
        ("llama-3.3-70b-instruct", "fp8", "l40s", 4, None),
        ("llama-3.1-8b-instruct", "bf16", "mi300x", 1, None),
        ("gpt-oss-20b", "mxfp4", "l4", 1, None),
    ],
)
def test_what_nobody_measured_is_unknown(
    name: str, precision: str, gpu: str, parallel: int, generation: str | None
) -> None:
    found = class_of(engine(name, gpu, parallel, precision))
    assert (found and found.generation) == generation


def test_several_nodes_are_unknown() -> None:
    assert class_of(engine("llama-3.1-405b-instruct", "h100", 8, "fp8", nodes=2)) is None


def test_each_request_in_flight_adds_to_a_step_and_the_cache_is_not_all_of_it() -> None:
    one = engine("llama-3.1-8b-instruct", "h100", 1)
    request = RequestShape(input_tokens=1, output_tokens=1)
    content = load_calibration()
    values = {**content.constants_by_name}
    values["generations"] = {
        name: {**each, "request": 0.0} for name, each in values["generations"].items()
    }
    without = Calibration({"constants": values, "classes": []})
    added = step_times(one, request, 100).decode - step_times(one, request, 100, without).decode
    assert added == pytest.approx(
        100 * content.constants(one.model, one.gpu, one.precision, 1).request_seconds
    )
