"""The processes of a cluster with nodes, besides those of every cluster and of each node."""

from __future__ import annotations

import sys
from pathlib import Path

from node.places import ADDRESS, OUTSIDE
from rig import control_plane, observers
from rig.part import Part
from rig.ports import is_taken
from rig.settings import Plan

_TOOLS = Path(__file__).resolve().parents[1]


def api_server(plan: Plan) -> Part:
    """The API server, at an address that pods reach."""
    certificates = plan.folder.certificates
    return control_plane.api_server(
        plan,
        [
            "--bind-address=0.0.0.0",
            f"--advertise-address={ADDRESS}",
            "--allow-privileged=true",
            "--enable-admission-plugins=NodeRestriction",
            f"--kubelet-client-certificate={certificates / 'admin.crt'}",
            f"--kubelet-client-key={certificates / 'admin.key'}",
            f"--kubelet-certificate-authority={certificates / 'ca.crt'}",
            "--kubelet-preferred-address-types=InternalIP",
        ],
    )


def controller_manager(plan: Plan) -> Part:
    """Kubernetes' controllers, each with rights of its own."""
    return control_plane.controller_manager(plan, ["--use-service-account-credentials=true"])


def prometheus(plan: Plan) -> Part:
    """Prometheus, which scrapes engines and gateways as the operator would let it."""
    part = "app.kubernetes.io/component"
    engines = observers.of_pods(plan, "model", {part: "engine"})
    gateways = observers.of_pods(plan, "gateway", {part: "gateway"}, "metrics")
    return observers.prometheus(plan, [engines, gateways])


def outside(plan: Plan) -> Part:
    """Stands in for the internet: the hub of models, and an API."""
    return Part(
        name="outside",
        command=[sys.executable, "-m", "node.outside", OUTSIDE, str(plan.folder.root)],
        environment={"PYTHONPATH": str(_TOOLS), "PYTHONUNBUFFERED": "1"},
        ready=lambda: is_taken(443, OUTSIDE),
    )


def stand_ins(plan: Plan) -> Part:
    """Who brings volumes and secrets."""
    ready = plan.folder.part("stand-ins-ready")
    return Part(
        name="stand-ins",
        command=[
            *(sys.executable, "-m", "node.standins", plan.api_server),
            *(str(plan.folder.certificates), str(plan.folder.root / "volumes"), str(ready)),
        ],
        environment={
            "PYTHONPATH": f"{_TOOLS}:{_TOOLS.parent / 'components'}",
            "PYTHONUNBUFFERED": "1",
        },
        ready=ready.exists,
    )
