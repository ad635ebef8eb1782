"""What a failed test leaves behind is removed, first by the engine, and reported."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from functools import partial

from rig.api import Api, answers
from rig.cluster import PARTS, Rig
from tests.cluster.deploying import end_updates
from tests.cluster.inventory import inventory, leftovers, objects
from tests.project_copy import Project

# Whatever goes away by itself has gone by then; the rest is deleted.
_PATIENCE_SECONDS = 15.0


def clean(project: Project, rig: Rig, before: set[str]) -> Iterator[str]:
    """Brings the cluster back to what it was.

    Args:
        project: Whose stacks are destroyed.
        rig: Its parts that have ended are started again.
        before: The inventory to come back to.

    Yields:
        What was done.
    """
    if count := end_updates():
        yield f"{count} updates were still running and were killed"
    for name in PARTS:
        if rig.process(name).running() is None:
            rig.start_part(name)
            yield f"{name} had ended and was started again"
    if inventory(rig.api) <= before:
        return
    yield from _destroy(project)
    if left := leftovers(rig.api, before, seconds=_PATIENCE_SECONDS):
        yield from _delete(rig.api, before)
        yield f"what the engine had left: {', '.join(sorted(left))}"
    assert not leftovers(rig.api, before), "the cluster cannot be brought back to what it was"


def _destroy(project: Project) -> Iterator[str]:
    listed = project.pulumi("stack", "ls", "--json")
    for stack in json.loads(listed.stdout):
        name = stack["name"]
        project.pulumi("cancel", "--stack", name, "--yes")
        try:
            result = project.pulumi(
                *("destroy", "--stack", name, "--yes", "--skip-preview", "--continue-on-error")
            )
        except subprocess.TimeoutExpired as error:
            yield f"stack {name} not destroyed: {error}"
            continue
        if result.returncode == 0:
            yield f"stack {name} destroyed"
        else:
            yield f"stack {name} not destroyed: {result.stdout[-800:]}"


def _delete(api: Api, before: set[str]) -> Iterator[str]:
    """Deletes what is left; what waits for a controller that does not come is let go."""
    for release in (False, True):
        for name, path in objects(api).items():
            if name in before:
                continue
            if release and answers(partial(api.get, path)):
                api.merge(path, {"metadata": {"finalizers": None}})
                yield f"{name} had finalizers that nobody worked on"
            api.delete(path)
        if not leftovers(api, before, seconds=_PATIENCE_SECONDS):
            return
