"""What watches: Prometheus, and the stand-ins for controllers that need a cloud."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from rig.control_plane import healthy
from rig.part import Part
from rig.ports import LOOPBACK
from rig.settings import Plan


def prometheus(plan: Plan, more: Sequence[Mapping[str, object]] = ()) -> Part:
    """Prometheus, which scrapes Karpenter, KEDA, and every address in the folder of targets.

    Args:
        plan: What it is started with.
        more: Further entries of its scrape_configs.
    """
    folder = plan.folder.part("prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "prometheus.yaml"
    config.write_text(yaml.safe_dump(_configuration(plan, more)), encoding="utf-8")
    return Part(
        name="prometheus",
        command=[
            str(plan.programs["prometheus"]),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={LOOPBACK}:{plan.ports['prometheus']}",
            "--web.enable-lifecycle",
            "--log.level=warn",
        ],
        ready=healthy(f"{plan.prometheus}/-/ready"),
        ports=[plan.ports["prometheus"]],
    )


def stand_ins(plan: Plan) -> Part:
    """What only a cloud's controllers could make ready: volumes, load balancers and so on."""
    ready = plan.folder.part("stand-ins-ready")
    return Part(
        name="stand-ins",
        command=[
            sys.executable,
            "-m",
            "rig.standins",
            plan.api_server,
            str(plan.folder.certificates),
            str(ready),
        ],
        environment={
            "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
            "PYTHONUNBUFFERED": "1",
        },
        ready=ready.exists,
    )


def of_pods(
    plan: Plan, job: str, labels: Mapping[str, str], port: str = "http"
) -> dict[str, object]:
    """Returns the entry that finds pods as the operator does for a PodMonitor, labels included.

    Args:
        plan: What Prometheus is started with.
        job: Name of the PodMonitor; its namespace is put before it.
        labels: Of the pods.
        port: Name of the containers' port.
    """
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    meta = "__meta_kubernetes"
    return {
        "job_name": job,
        "kubernetes_sd_configs": [
            {
                "role": "pod",
                "kubeconfig_file": str(plan.folder.kubeconfig),
                "selectors": [{"role": "pod", "label": selector}],
            }
        ],
        "relabel_configs": [
            {
                "source_labels": [f"{meta}_pod_container_port_name"],
                "regex": port,
                "action": "keep",
            },
            *(
                {"source_labels": [f"{meta}_{source}"], "target_label": target}
                for source, target in (
                    ("namespace", "namespace"),
                    ("pod_name", "pod"),
                    ("pod_container_name", "container"),
                )
            ),
            {
                "source_labels": [f"{meta}_namespace"],
                "target_label": "job",
                "replacement": f"$1/{job}",
            },
        ],
    }


def _configuration(plan: Plan, more: Sequence[Mapping[str, object]]) -> dict[str, object]:
    interval = f"{plan.tuning.scrape_seconds}s"
    return {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [f"{plan.folder.targets}/*.rules.yaml"],
        "scrape_configs": [
            {
                "job_name": "rig",
                "honor_labels": True,
                "static_configs": [
                    {"targets": [f"{LOOPBACK}:{plan.ports[use]}"], "labels": {"part": part}}
                    for part, use in (
                        ("karpenter", "karpenter-metrics"),
                        ("keda-operator", "keda-metrics"),
                    )
                ],
            },
            {
                "job_name": "targets",
                "honor_labels": True,
                "file_sd_configs": [
                    {"files": [f"{plan.folder.targets}/*.json"], "refresh_interval": interval}
                ],
            },
            *map(dict, more),
        ],
    }
