"""Metrics of GPU vendors' exporters, as series that alerts and dashboards share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from breakeven.manifests.monitoring.promql import exported_pod_selector, pod_selector
from breakeven.settings.stack import Settings

HEAT = "breakeven:gpu_thermal_throttling:rate5m"
"""Recorded series of thermal throttling."""

_RATIO = ":ratio"
_OVER_TIME = {":rate5m": ("rate", "5m"), ":increase1h": ("increase", "1h")}
"""Function and window of counters, by name of the recorded series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuExporter:
    """The exporter of a vendor's GPUs.

    Attributes:
        name: Its common name.
        metrics: Its metric by the name of the recorded series.
        renamed: Its label by the label of the recorded series, if they differ.
        source: Source of names and labels.
    """

    name: str
    metrics: Mapping[str, str]
    renamed: Mapping[str, str]
    source: str

    @property
    def has_xid(self) -> bool:
        """Whether it reports NVIDIA's error codes."""
        return "breakeven:gpu_xid:last" in self.metrics

    def recorded(self, settings: Settings) -> list[tuple[str, str]]:
        """Returns name and query of every recorded series of one model's GPUs, by pod and GPU.

        Prometheus renames the pod's labels where the exporter is scraped without honorLabels,
        which is the default of NVIDIA's operator; either way is understood.
        """
        return [(record, self._query(settings, record)) for record in self.metrics]

    def _query(self, settings: Settings, record: str) -> str:
        exported, plain = (
            self._metric(record, selector)
            for selector in (exported_pod_selector(settings), pod_selector(settings))
        )
        series = f'label_replace({exported}, "pod", "$1", "exported_pod", "(.+)") or {plain}'
        for label, own in self.renamed.items():
            series = f'label_replace({series}, "{label}", "$1", "{own}", "(.+)")'
        share = " / 100" if record.endswith(_RATIO) else ""
        return f"max by (Hostname, gpu, pod) ({series}){share}"

    def _metric(self, record: str, selector: str) -> str:
        series = f"{self.metrics[record]}{{{selector}}}"
        for ending, (function, window) in _OVER_TIME.items():
            if record.endswith(ending):
                return f"{function}({series}[{window}])"
        return series


_NVIDIA = GpuExporter(
    name="the DCGM exporter",
    metrics={
        "breakeven:gpu_utilisation:ratio": "DCGM_FI_DEV_GPU_UTIL",
        "breakeven:gpu_xid:last": "DCGM_FI_DEV_XID_ERRORS",
        "breakeven:gpu_power:watts": "DCGM_FI_DEV_POWER_USAGE",
        "breakeven:gpu_temperature:celsius": "DCGM_FI_DEV_GPU_TEMP",
        "breakeven:gpu_memory_used:mebibytes": "DCGM_FI_DEV_FB_USED",
        # Empty if the exporter does not collect it; see docs/monitoring.md.
        HEAT: "DCGM_FI_DEV_THERMAL_VIOLATION",
    },
    renamed={},
    source="NVIDIA/dcgm-exporter 084a245dc715, etc/dcp-metrics-included.csv",
)

_AMD = GpuExporter(
    name="AMD's device metrics exporter",
    metrics={
        "breakeven:gpu_utilisation:ratio": "gpu_gfx_activity",
        "breakeven:gpu_uncorrected_errors:increase1h": "gpu_ecc_uncorrect_total",
        "breakeven:gpu_power:watts": "gpu_package_power",
        "breakeven:gpu_temperature:celsius": "gpu_junction_temperature",
        "breakeven:gpu_memory_used:mebibytes": "gpu_used_vram",
        HEAT: "gpu_violation_socket_thermal_residency_accumulated",
    },
    renamed={"Hostname": "hostname", "gpu": "gpu_id"},
    source="ROCm/device-metrics-exporter 0778d3ab4d66, docs/configuration/metricslist.md",
)


def exporter_of(settings: Settings) -> GpuExporter:
    """Returns the exporter of the vendor of a model's GPUs."""
    return _AMD if settings.pool.gpu.vendor == "amd" else _NVIDIA
