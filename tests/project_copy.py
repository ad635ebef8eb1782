"""A copy of the project that a test may change, with a state folder of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from breakeven.settings.files import ROOT, with_settings

HARDENING = ("--policy-pack", "policies/hardening/run")
"""Options of a preview; the packs are there after `add_policy_packs`."""
COPIED = ("Pulumi.yaml", "__main__.py", "components", "charts", "stacks")


@dataclass(frozen=True)
class Project:
    """A copy of the project that a test may change.

    Attributes:
        root: Its folder.
        environment: Variables of the commands that are run in it.
        longest_seconds: How long one of them may take.
    """

    root: Path
    environment: Mapping[str, str]
    longest_seconds: float = 300

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs pulumi in the project; the caller looks at the exit code."""
        try:
            return subprocess.run(
                ["pulumi", *arguments, "--non-interactive"],
                cwd=self.root,
                env=dict(self.environment),
                capture_output=True,
                text=True,
                timeout=self.longest_seconds,
                check=False,
            )
        finally:
            _end_orphans(self.root)

    def set(self, stack: str, **values: object) -> None:
        """Changes settings in a stack file by their dotted keys; None removes one."""
        path = self.root / "stacks" / f"Pulumi.{stack}.yaml"
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        changes = {f"breakeven:{key}": value for key, value in values.items()}
        document["config"] = with_settings(document["config"], changes)
        path.write_text(yaml.safe_dump(document), encoding="utf-8")

    def preview(self, stack: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Previews a stack, which is made first."""
        made = self.pulumi("stack", "init", stack)
        assert made.returncode == 0, made.stderr
        return self.pulumi("preview", "--stack", stack, *arguments)

    def preview_json(self, stack: str) -> dict[str, Any]:
        """Previews a stack that must succeed, and returns what `--json` prints."""
        result = self.preview(stack, "--json")
        assert result.returncode == 0, result.stdout + result.stderr
        parsed: dict[str, Any] = json.loads(result.stdout)
        return parsed


def _end_orphans(root: Path) -> None:
    """Ends language hosts that an engine left: one that refuses a value at once does not wait."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.ppid() == 1 and Path(process.cwd()) == root:
                process.terminate()


def copy_project(folder: Path) -> Project:
    """Copies the project into a folder; it has an empty state and no way to a cluster."""
    if shutil.which("pulumi") is None:
        pytest.fail("pulumi is not on PATH; run the tests by: make test")
    root = folder / "project"
    root.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name)  # with what Python compiled, where it did
        else:
            shutil.copy(source, root / name)
    # The engine asks for today's prices, and the book of this checkout only grows older.
    pricing = root / "components" / "breakeven" / "settings" / "pricing.py"
    lasting = re.sub(
        r"(max_age_days: Integer = Field\(\s*default=)\d+",
        r"\g<1>36_500",
        pricing.read_text(encoding="utf-8"),
    )
    pricing.write_text(lasting, encoding="utf-8")
    state = folder / "state"
    state.mkdir()
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("KUBE")},
        "HOME": str(folder),
        "PULUMI_BACKEND_URL": f"file://{state}?metadata=skip",  # as the bootstrap sets it
        "PULUMI_CONFIG_PASSPHRASE": "only for this test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "NO_COLOR": "1",
    }
    environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
    # An official Pulumi keeps plugins in its home; ours is set by the bootstrap.
    environment.setdefault("PULUMI_HOME", str(Path.home() / ".pulumi"))
    return Project(root, environment)


def add_policy_packs(project: Project) -> None:
    """Copies the policy packs, too, and lets no waiver expire with this checkout."""
    shutil.copytree(ROOT / "policies", project.root / "policies")
    for path in (project.root / "stacks" / "waivers").glob("*.yaml"):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for waiver in document["waivers"]:
            waiver["expires"] = date(2999, 12, 31)
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
