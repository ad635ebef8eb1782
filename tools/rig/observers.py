"""What watches: Prometheus, and the stand-ins for controllers that need a cloud."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from rig.control_plane import healthy
from rig.part import Part
from rig.ports import LOOPBACK
from rig.settings import Plan


def prometheus(plan: Plan) -> Part:
    """Prometheus, which scrapes Karpenter, KEDA, and every address in the folder of targets."""
    folder = plan.folder.part("prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "prometheus.yaml"
    config.write_text(yaml.safe_dump(_configuration(plan)), encoding="utf-8")
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


def _configuration(plan: Plan) -> dict[str, object]:
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
        ],
    }
