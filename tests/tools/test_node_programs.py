"""A setup of the node builds what its parts start, and nothing else."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from bootstrap import cluster, node, programs
from node.cluster import TwoNodes
from node.images import COREDNS, PAUSE
from node.node_parts import of_node
from node.places import SECOND
from rig.folder import Folder
from rig.settings import Plan, Tuning

_IN_IMAGES = {name.rpartition("/")[2] for name in (COREDNS, PAUSE)}


class _Asked(defaultdict[str, Path]):
    def __missing__(self, name: str) -> Path:
        self[name] = Path("/programs") / name
        return self[name]


def test_a_setup_of_the_node_builds_the_programs_that_its_parts_start(
    tmp_path: Path,
) -> None:
    asked = _Asked()
    folder = Folder(tmp_path)
    for each in (folder.logs, folder.targets, folder.root / "data"):
        each.mkdir(parents=True)
    plan = Plan.choose(folder, asked, Tuning())
    # The second node's parts are the first one's programs, in namespaces that do not exist here.
    for name in TwoNodes.parts.keys() - of_node(SECOND).keys():
        TwoNodes.parts[name](plan)
    built = (*cluster.FOR_CONTAINERS, *node.PROGRAMS, programs.PROMETHEUS)
    assert {program.name for program in built} == asked.keys() | _IN_IMAGES
