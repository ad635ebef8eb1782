"""Facts about GPUs are complete, plausible and found by name."""

import json

import pytest

from breakeven.catalog.gpus import Gpu, UnknownGpuError, find_gpu, load_gpus
from breakeven.cost.capacity.measurements import load_points
from breakeven.settings.files import ROOT

DATA = ROOT / "components/breakeven/catalog/data/gpus.json"

GPUS = list(load_gpus().values())


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: gpu.name)
def test_every_entry_is_complete_and_dense(gpu: Gpu) -> None:
    assert gpu.name == gpu.name.lower()
    assert gpu.source
    assert 20 < gpu.memory_gib < 300
    assert 300 <= gpu.bandwidth_gb_per_second <= 8000
    assert 32 <= gpu.link_gb_per_second <= 900
    assert 70 <= gpu.watts <= 1000
    # Half the bits, twice the operations; a sparse figure would stand out as four times.
    for eight_bit in (gpu.fp8_tflops, gpu.int8_tops):
        if eight_bit is not None and gpu.name != "rtx-4090":
            assert eight_bit == pytest.approx(2 * gpu.bf16_tflops, rel=0.02)
    assert gpu.shares_over_pcie is (gpu.link_gb_per_second <= 64)  # a PCIe 5.0 x16 slot
    assert gpu.is_deployable or not gpu.is_suggested
    assert gpu.gke_accelerator or not gpu.needs_hyperdisk


def test_no_gpu_is_called_calibrated_without_a_published_measurement() -> None:
    measured = {find_gpu(one.gpu).calibration for one in load_points()}
    assert {gpu.calibration for gpu in GPUS} <= measured


def test_no_name_is_there_twice() -> None:
    entries = json.loads(DATA.read_text(encoding="utf-8"))["gpus"]
    assert len({entry["name"] for entry in entries}) == len(entries) == len(GPUS)


def test_eight_bits_without_units_for_them_run_at_the_bf16_peak() -> None:
    a10g, l40s = find_gpu("a10g"), find_gpu("l40s")
    assert a10g.compute_tera("fp8") == a10g.bf16_tflops
    assert a10g.compute_tera("int8") == a10g.int8_tops
    assert l40s.compute_tera("fp8") == l40s.fp8_tflops
    assert l40s.compute_tera("int4") == l40s.compute_tera("bf16") == l40s.bf16_tflops


def test_a_gpu_is_found_in_any_case_and_an_unknown_one_says_what_is_near() -> None:
    assert find_gpu("L40S") is find_gpu("l40s")
    with pytest.raises(UnknownGpuError, match=r"h1000.*near: h100") as caught:
        find_gpu("h1000")
    assert caught.value.near[0] == "h100"
    assert isinstance(caught.value, LookupError)
