"""What a failed test leaves does not reach the next one."""

from __future__ import annotations

from rig.api import Api
from rig.cluster import Rig
from tests.cluster.cleaning import clean
from tests.cluster.deploying import up
from tests.cluster.inventory import inventory
from tests.project_copy import Project


def test_stacks_other_objects_and_ended_parts_are_brought_back_and_each_is_reported(
    project: Project, rig: Rig, api: Api
) -> None:
    before = inventory(api)
    up(project, "on-prem")
    api.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "namespace": "default",
                "name": "forgotten",
                "finalizers": ["example.com/nobody-works-on-it"],
            },
        }
    )
    rig.stop_part("kwok")
    told = list(clean(project, rig, before))
    assert inventory(api) == before
    assert told[0] == "kwok had ended and was started again"
    assert told[1] == "stack on-prem destroyed"
    assert "configmaps/default/forgotten" in told[-1]
