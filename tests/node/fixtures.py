"""What the tests of one node and of two begin with: nodes, and a project that deploys to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bootstrap.console import Console
from bootstrap.layout import Layout
from breakeven.settings.files import ROOT
from node.places import Places
from node.starting import Started, start
from tests.node import machine
from tests.node.pods import client_of
from tests.project_copy import Project, copy_project

# An engine starts within a minute and a half on a machine of its own.
_LONGEST_COMMAND_SECONDS = 1800


@contextmanager
def started(folder: Path, nodes: int = 1) -> Iterator[Started]:
    """Starts nodes, which leave the machine as it was: that is asked at the end."""
    layout = Layout.of(ROOT, os.environ)
    before = machine.snapshot()
    running = start(layout, Places.of(layout, folder), Console(), nodes=nodes)
    try:
        yield running
    finally:
        # First, whatever else goes wrong: nothing else ends it.
        running.namespaces.end()
        client_of(running).api_client.rest_client.pool_manager.clear()
        running.api.pool.clear()
    assert machine.differences(before) == []


def project_for(node: Started, folder: Path) -> Project:
    """Copies the project, so that it deploys to the node."""
    copied = copy_project(folder)
    environment = {**copied.environment, "KUBECONFIG": str(node.kubeconfig)}
    return replace(copied, environment=environment, longest_seconds=_LONGEST_COMMAND_SECONDS)
