"""The stack in the rig: deployed by Pulumi, its clocks compressed, its nodes counted, removed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.loop.case import Case, Clock
from breakeven.cost.fleet.simulation.autoscaler import REMOVAL_SECONDS
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS
from rig.api import Api
from rig.cluster import Rig
from rig.settings import Tuning
from tests.project_copy import Project, copy_project

NAMESPACE = "llm"
DOWN_WITHIN_SECONDS = 180.0

_SCALED_OBJECT = f"/apis/keda.sh/v1alpha1/namespaces/{NAMESPACE}/scaledobjects/model"
_WAKING_WINDOW = 120
"""Of the requests that wake the first replica: [2m] in charts/autoscaling/scaled-object.yaml.j2."""


def tuning_of(configuration: FleetConfiguration, clock: Clock) -> Tuning:
    """The rig's clocks, compressed."""
    return Tuning(
        scrape_seconds=1,
        scaling_seconds=clock.whole(STEP_SECONDS),
        node_registration=f"{clock.real(configuration.node_start_seconds):.1f}s",
        batch_idle="100ms",
        batch_longest="1s",
    )


def load_seconds(configuration: FleetConfiguration) -> float:
    """What a replica takes on a node that is there."""
    return configuration.fleet.start_seconds - configuration.node_start_seconds


def compress(api: Api, configuration: FleetConfiguration, clock: Clock) -> None:
    """Scale the time settings of the objects that the stack made."""
    policy = {"type": "Percent", "value": 100}
    removal = {"type": "Pods", "value": 1, "periodSeconds": clock.whole(REMOVAL_SECONDS)}
    window = clock.whole(configuration.fleet.scale_down_seconds)
    behaviour = {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "policies": [{**policy, "periodSeconds": clock.whole(configuration.growth_seconds)}],
        },
        "scaleDown": {"stabilizationWindowSeconds": window, "policies": [removal]},
    }
    triggers = [
        _compressed(trigger, clock) for trigger in api.get(_SCALED_OBJECT)["spec"]["triggers"]
    ]
    api.merge(
        _SCALED_OBJECT,
        {
            "spec": {
                "pollingInterval": clock.whole(STEP_SECONDS),
                "cooldownPeriod": window,
                "triggers": triggers,
                "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behaviour}},
            }
        },
    )
    # One node at a time, every 25 seconds, would be minutes of this clock: see docs/closed-loop.md.
    disruption = {"consolidateAfter": "0s", "budgets": [{"nodes": "100%"}]}
    for pool in api.items("/apis/karpenter.sh/v1/nodepools"):
        name = pool["metadata"]["name"]
        api.merge(f"/apis/karpenter.sh/v1/nodepools/{name}", {"spec": {"disruption": disruption}})


def node_types(api: Api) -> list[str]:
    """The machine types of all nodes that are paid: from their order until they are gone."""
    label = "node.kubernetes.io/instance-type"
    return [
        claim["metadata"]["labels"].get(label, "ordered")
        for claim in api.items("/apis/karpenter.sh/v1/nodeclaims")
    ]


def wanted_replicas(api: Api) -> int:
    """The replicas that the autoscaler wants."""
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/model"
    return int(api.get(path)["spec"]["replicas"])


def deployed(rig: Rig, folder: Path, case: Case) -> Project:
    """Deploy the stack to the rig by Pulumi."""
    copied = copy_project(folder)
    environment = {**copied.environment, "KUBECONFIG": str(rig.kubeconfig)}
    project = replace(copied, environment=environment)
    project.set(case.stack, **case.overrides)
    _pulumi(project, "stack", "init", case.stack)
    _pulumi(project, "up", "--stack", case.stack, "--yes", "--skip-preview")
    return project


def removed(rig: Rig, project: Project, case: Case) -> None:
    """Remove the stack, and wait until its last node is gone.

    Raises:
        TimeoutError: A node stays.
    """
    _pulumi(project, "destroy", "--stack", case.stack, "--yes", "--skip-preview")
    patience = time.monotonic() + DOWN_WITHIN_SECONDS
    while node_types(rig.api):
        if time.monotonic() > patience:
            msg = f"nodes are left after destroy: {node_types(rig.api)}"
            raise TimeoutError(msg)
        time.sleep(1)


def _compressed(trigger: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    # Prometheus looks every second, and an increase needs two looks.
    window = max(3, clock.whole(_WAKING_WINDOW))
    metadata = {
        key: value.replace("[2m]", f"[{window}s]") for key, value in trigger["metadata"].items()
    }
    return {**trigger, "metadata": metadata}


def _pulumi(project: Project, *arguments: str) -> None:
    result = project.pulumi(*arguments)
    if result.returncode:
        raise RuntimeError(result.stdout[-4000:] + result.stderr[-2000:])
