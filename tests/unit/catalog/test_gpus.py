"""Facts about GPUs are complete, plausible and found by name."""

import json

import pytest

from breakeven.catalog.gpus import (
    Gpu,
    UnknownGpuError,
    device_names,
    find_gpu,
    gpu_names,
    load_gpus,
)
from breakeven.cost.capacity.measurements import load_points
from breakeven.settings.files import ROOT

DATA = ROOT / "components/breakeven/catalog/data/gpus.json"

GPUS = list(load_gpus().values())
OWN_RATIOS = ("rtx-4090", "rtx-5090", "b300", "gb300")
"""Cards whose fp32 sums halve the peak of floats, and GPUs that nearly lack int8."""


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: gpu.name)
def test_every_entry_is_complete_and_dense(gpu: Gpu) -> None:
    assert gpu.name == gpu.name.lower()
    assert gpu.source
    parts = gpu.parts
    assert 14 < gpu.memory_gib * parts < 300
    assert 300 <= gpu.bandwidth_gb_per_second * parts <= 8000
    assert 16 <= gpu.link_gb_per_second * parts <= 900
    assert 70 <= gpu.watts * parts <= 1400
    assert gpu.part_of == "" or find_gpu(gpu.part_of).memory_gib / parts == pytest.approx(
        gpu.memory_gib, rel=0.01
    )
    # Half the bits, twice the operations; a sparse figure would stand out as four times.
    for eight_bit in (gpu.fp8_tflops, gpu.int8_tops):
        if eight_bit is not None and gpu.name not in OWN_RATIOS:
            assert eight_bit == pytest.approx(2 * gpu.bf16_tflops, rel=0.02)
    if gpu.fp4_tflops is not None:
        assert gpu.fp8_tflops is not None
        # The Ultra generation has three times as many fp4 as fp8 operations.
        ratio = 3 if gpu.name in ("b300", "gb300") else 2
        fp8 = gpu.bf16_tflops * 2 if gpu.name == "rtx-5090" else gpu.fp8_tflops
        assert gpu.fp4_tflops >= ratio * fp8 * 0.99
        assert gpu.fp4_tflops <= 4 * gpu.fp8_tflops
    assert gpu.shares_over_pcie is (gpu.link_gb_per_second <= 64)  # a PCIe 5.0 x16 slot
    assert gpu.shares_over_pcie is (gpu.linked_gpus == 1)
    assert gpu.vendor == "nvidia" or not gpu.is_suggested
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


def test_fp4_units_are_used_for_nvfp4_on_nvidia_only() -> None:
    b200, h200, mi355x = find_gpu("b200"), find_gpu("h200"), find_gpu("mi355x")
    assert b200.compute_tera("nvfp4") == 9_000
    assert b200.compute_tera("mxfp4") == b200.bf16_tflops
    assert h200.compute_tera("nvfp4") == h200.bf16_tflops
    assert b200.supports("nvfp4")
    assert not mi355x.supports("nvfp4")
    assert mi355x.supports("mxfp4")


def test_a_mig_profile_is_a_gpu_by_its_shares() -> None:
    whole, part = find_gpu("h100"), find_gpu("H100/2g.20gb")
    assert part.name == "h100/2g.20gb"
    assert part.memory_gib == pytest.approx(whole.memory_gib * 2 / 8, rel=0.06)
    assert part.bandwidth_gb_per_second == pytest.approx(whole.bandwidth_gb_per_second * 2 / 8)
    assert part.bf16_tflops == pytest.approx(whole.bf16_tflops * 2 / 7)
    assert part.watts == 200
    assert (part.whole, part.profile, part.parts) == ("h100", "2g.20gb", 3)
    assert part.device_resource == "nvidia.com/mig-2g.20gb"
    with pytest.raises(UnknownGpuError, match=r"near: h100/1g\.10gb"):
        find_gpu("h100/1g.99gb")
    with pytest.raises(UnknownGpuError):
        find_gpu("l4/1g.10gb")


def test_a_time_slice_is_an_equal_share_that_sees_all_of_the_memory() -> None:
    whole, part = find_gpu("l4"), find_gpu("L4/shared-4")
    assert (part.name, part.whole, part.parts, part.linked_gpus) == ("l4/shared-4", "l4", 4, 1)
    assert part.memory_gib == whole.memory_gib / 4
    assert part.bandwidth_gb_per_second == whole.bandwidth_gb_per_second / 4
    assert part.compute_tera("fp8") == whole.compute_tera("fp8") / 4
    assert part.visible_memory_share == 0.25
    assert find_gpu("h100/1g.10gb").visible_memory_share == whole.visible_memory_share == 1
    assert part.device_resource == "nvidia.com/gpu.shared"
    for name in ("l4/shared-5", "mi300x/shared-2", "l4-half/shared-2"):
        with pytest.raises(UnknownGpuError):
            find_gpu(name)


@pytest.mark.parametrize("gpu", [gpu for gpu in GPUS if gpu.mig_profiles], ids=lambda gpu: gpu.name)
def test_the_instances_of_a_profile_fill_a_gpu_at_most(gpu: Gpu) -> None:
    """NVIDIA MIG user guide, "Supported MIG profiles": numbers of instances available."""
    parts = [gpu.sliced(profile) for profile in gpu.mig_profiles]
    expected = {6: [7, 4, 3, 2, 1, 1], 3: [4, 2, 1], 2: [2, 1]}
    assert [part.parts for part in parts] == expected[len(parts)]
    for part in parts:
        assert part.memory_gib * part.parts <= gpu.memory_gib
        assert part.bf16_tflops * part.parts <= gpu.bf16_tflops * 1.001
    assert parts[-1].memory_gib == gpu.memory_gib


def test_kernels_that_vllm_lacks_on_a_generation() -> None:
    """Minimum capabilities in vLLM's `Mxfp4Config` and `FlashMLASparseBackend`."""
    t4, a100, l40s, h200 = (find_gpu(name) for name in ("t4", "a100-80", "l40s", "h200"))
    b300, pro, mi300x = (find_gpu(name) for name in ("b300", "rtx-pro-6000", "mi300x"))
    assert not t4.supports("mxfp4")
    assert all(gpu.supports("mxfp4") for gpu in (a100, l40s, h200, b300, pro, mi300x))
    assert [gpu.has_sparse_attention for gpu in (t4, a100, l40s, h200, b300, pro, mi300x)] == [
        *(False, False, False),
        *(True, True, False, True),
    ]
    assert all((gpu.compute_capability is None) is (gpu.vendor == "amd") for gpu in GPUS)


def test_each_vendor_names_its_devices_and_taints() -> None:
    assert find_gpu("mi300x").device_resource == find_gpu("mi300x").taint == "amd.com/gpu"
    assert find_gpu("l4").device_resource == find_gpu("l4").taint == "nvidia.com/gpu"
    assert {find_gpu(name).name for name in gpu_names()} == set(gpu_names())


def test_a_gpu_is_found_in_any_case_and_an_unknown_one_says_what_is_near() -> None:
    assert find_gpu("L40S") is find_gpu("l40s")
    with pytest.raises(UnknownGpuError, match=r"h1000.*near: h100") as caught:
        find_gpu("h1000")
    assert caught.value.near[0] == "h100"
    assert isinstance(caught.value, LookupError)


def test_the_processors_of_a_node_are_no_gpu() -> None:
    cpu = find_gpu("CPU")
    assert cpu.is_cpu
    assert cpu.name in device_names()
    assert cpu.name not in (*gpu_names(), *load_gpus())
    assert cpu.device_resource == cpu.taint == cpu.profile == ""
    assert not any(find_gpu(name).is_cpu for name in gpu_names())
