"""The real engine over a copy of the project, with a local state folder and no cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project_copy import Project, add_policy_packs, copy_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh copy of the project with an empty state folder of its own and no way to a cluster."""
    return copy_project(tmp_path)


@pytest.fixture
def with_packs(project: Project) -> Project:
    """The project with its policy packs, and waivers that do not expire with this checkout."""
    add_policy_packs(project)
    return project
