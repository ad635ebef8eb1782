"""A second preview reuses the first one's estimate, unless something changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.project_copy import Project

STACK = "hybrid"


def _preview(project: Project) -> dict[str, Any]:
    result = project.pulumi("preview", "--stack", STACK, "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _kept(project: Project) -> dict[Path, int]:
    caches = Path(project.environment["XDG_CACHE_HOME"])
    return {path: path.stat().st_mtime_ns for path in caches.rglob("*.json")}


def _with_caches(project: Project, tmp_path: Path) -> Project:
    environment = {**project.environment, "XDG_CACHE_HOME": str(tmp_path / "caches")}
    return replace(project, environment=environment)


def _inputs(preview: dict[str, Any]) -> dict[str, object]:
    """The inputs of each resource; the engine's order and times are others in every run."""
    return {step["urn"]: step["newState"].get("inputs") for step in preview["steps"]}


def _told(preview: dict[str, Any]) -> list[str]:
    return [entry["message"] for entry in preview.get("diagnostics", [])]


def test_a_preview_of_an_unchanged_stack_shows_and_registers_the_same(
    project: Project, tmp_path: Path
) -> None:
    project = _with_caches(project, tmp_path)
    made = project.pulumi("stack", "init", STACK)
    assert made.returncode == 0, made.stderr
    first = _preview(project)
    kept = _kept(project)
    assert len(kept) == 1
    again = _preview(project)
    assert _kept(project) == kept, "the second preview planned again"
    assert _inputs(again) == _inputs(first)
    assert _told(again) == _told(first)

    project.set(STACK, **{"traffic.tokensPerDay": 700_000_000})
    changed = _preview(project)
    assert len(_kept(project)) == 2
    assert _told(changed) != _told(first)


def test_a_setting_that_is_a_secret_keeps_nothing_on_disk(project: Project, tmp_path: Path) -> None:
    project = _with_caches(project, tmp_path)
    assert project.pulumi("stack", "init", STACK).returncode == 0
    path = "breakeven:network.clientNamespaces[0]"
    said = project.pulumi("config", "set", "--stack", STACK, "--secret", "--path", path, "default")
    assert said.returncode == 0, said.stderr
    result = project.pulumi("preview", "--stack", STACK)
    assert result.returncode == 0, result.stdout + result.stderr
    assert not _kept(project)
