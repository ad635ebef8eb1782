"""Cases of charts/monitoring/rules/gpu.yaml.j2."""

from __future__ import annotations

from tests.prometheus.cases.series import Case, gpu, up

XID = "DCGM_FI_DEV_XID_ERRORS"
BUSY = "DCGM_FI_DEV_GPU_UTIL"
HEAT = "DCGM_FI_DEV_THERMAL_VIOLATION"

GPU = {"Hostname": "node-1", "gpu": "0"}

CASES = [
    Case("GpuHardwareError", (gpu(XID, "0x30"),), 20, firing=False),
    Case(
        "GpuHardwareError",
        (gpu(XID, "0x10 79x20"),),
        20,
        firing=True,
        summary="GPU 0 of node-1 reports Xid 79, a hardware or driver fault.",
        labels=GPU,
    ),
    Case("GpuHardwareError", (gpu(XID, "0x10 48x20", honoured=True),), 20, firing=True),
    # The pod that held the GPU is gone; its last word still counts.
    Case("GpuHardwareError", (gpu(XID, "0x10 48x5 _x20"),), 30, firing=True),
    Case("GpuHardwareError", (gpu(XID, "0x10 31x20"),), 20, firing=False),
    Case(
        "GpuApplicationError",
        (gpu(XID, "0x10 31x60"),),
        20,
        firing=True,
        summary="GPU 0 of node-1 reports Xid 31, typical of an engine error.",
        labels=GPU,
    ),
    # The exporter goes on showing it: not new any more.
    Case("GpuApplicationError", (gpu(XID, "0x10 31x60"),), 40, firing=False),
    Case("GpuApplicationError", (gpu(XID, "0x10 79x60"),), 20, firing=False),
    Case(
        "GpuThrottled",
        (gpu(HEAT, "0+1000x60"),),
        30,
        firing=True,
        summary="GPU 0 of node-1 is throttled because it is too hot.",
        labels={**GPU, "pod": "model-a"},
    ),
    Case("GpuThrottled", (gpu(HEAT, "5000x60"),), 30, firing=False),  # it was, once
    Case("GpuThrottled", (gpu(HEAT, "0x10 0+1000x5 5000x60"),), 30, firing=False),  # for 5 minutes
    Case("GpuMetricsMissing", (up("1x60"), gpu(BUSY, "50x60")), 30, firing=False),
    Case("GpuMetricsMissing", (up("1x60"),), 30, firing=True),
    Case(
        "GpuMetricsMissing", (up("1x60", "a"), up("1x60", "b"), gpu(BUSY, "50x60")), 30, firing=True
    ),
    Case("GpuMetricsMissing", (up("0x60"),), 30, firing=False),  # that is ModelUnavailable's
]
