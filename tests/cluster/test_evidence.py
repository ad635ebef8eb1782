"""Evidence compares what the stack file states with what a real update deployed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cluster.deploying import destroy, pulumi, up
from tests.project_copy import Project

STACK = "on-prem"


def deployed(project: Project, state: Path) -> dict[str, Any]:
    """Returns what evidence says about the state that the engine exports."""
    pulumi(project, "stack", "export", "--stack", STACK, "--file", str(state))
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from breakeven.cli.start import main; main()"),
            *("evidence", STACK, "--state", str(state)),
        ],
        cwd=project.root,
        env={**project.environment, "PYTHONPATH": str(project.root / "components")},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)["deployed"]
    return found


def test_what_is_deployed_does_not_differ_until_the_stack_file_changes(
    project: Project, tmp_path: Path
) -> None:
    up(project, STACK)
    state = tmp_path / "state.json"
    same = deployed(project, state)
    assert same["resources"] > 0
    assert same["changes"] == []
    project.set(STACK, **{"network.clientNamespaces": ["assistants", "reports"]})
    changed = deployed(project, state)["changes"]
    assert {change["resource"].partition("/")[0] for change in changed} == {"NetworkPolicy"}
    destroy(project, STACK)
