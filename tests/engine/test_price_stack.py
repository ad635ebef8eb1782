"""One line prices a program of somebody else, in the real engine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from components.project import ROOT

PROGRAM = """
from components.breakeven import price_stack
price_stack(LINE)
import pulumi, pulumi_kubernetes as k8s
drawn = k8s.Provider("drawn", render_yaml_to_directory="rendered")
k8s.core.v1.PersistentVolumeClaim(
    "data",
    spec={
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "gp3",
        "resources": {"requests": {"storage": "100Gi"}},
    },
    opts=pulumi.ResourceOptions(provider=drawn),
)
"""


def preview(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    (folder / "state").mkdir()
    (folder / "Pulumi.yaml").write_text("name: other\nruntime: python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(PROGRAM.replace("LINE", line), encoding="utf-8")
    environment = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": "any",
        "PYTHONPATH": str(ROOT),
    }
    for command in (["stack", "init", "t"], ["preview", "--stack", "t"]):
        done = subprocess.run(
            ["pulumi", *command, "--non-interactive"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
    return done


def test_the_preview_of_another_program_shows_its_cost(tmp_path: Path) -> None:
    done = preview(tmp_path, 'cloud="aws", region="us-east-1"')
    assert done.returncode == 0, done.stdout + done.stderr
    assert "What does stack t cost a month?" in done.stdout
    assert "data (gp3)" in done.stdout
    assert "$8.00" in done.stdout


def test_a_price_that_is_none_is_told(tmp_path: Path) -> None:
    done = preview(tmp_path, 'prices={"volume/aws/gp3": "cheap"}')
    assert done.returncode != 0
    assert 'volume/aws/gp3: found "cheap"' in done.stdout + done.stderr
