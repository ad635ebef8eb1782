"""Programs of somebody else, as docs/use-elsewhere.md has them, in the real engine."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from breakeven.settings.files import ROOT

PRICED = """
from breakeven.resources.price_stack import price_stack
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


def preview(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    (folder / "state").mkdir()
    (folder / "Pulumi.yaml").write_text("name: other\nruntime: python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(program, encoding="utf-8")
    environment = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": "any",
        "PYTHONPATH": str(ROOT / "components"),
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
    done = preview(tmp_path, PRICED.replace("LINE", 'cloud="aws", region="us-east-1"'))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Monthly cost of stack t" in done.stdout
    assert "Volume data (gp3)" in done.stdout
    assert "$8.00" in done.stdout


def test_an_invalid_price_is_reported(tmp_path: Path) -> None:
    done = preview(tmp_path, PRICED.replace("LINE", 'prices={"volume/aws/gp3": "cheap"}'))
    assert done.returncode != 0
    assert 'volume/aws/gp3: found "cheap"' in done.stdout + done.stderr


def test_the_documented_program_registers_all_components(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "use-elsewhere.md").read_text(encoding="utf-8")
    [program] = re.findall(r"```python\n(import pulumi\n.*?)```", page, flags=re.DOTALL)
    done = preview(tmp_path, program)
    assert done.returncode == 0, done.stdout + done.stderr
    for kind in ("serving:VllmServing", "autoscaling:Autoscaling", "network:NetworkRules"):
        assert f"breakeven:{kind}" in done.stdout
