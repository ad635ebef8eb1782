"""Every custom resource of every stack against the schema of its CRD.

The schemas are the projects' own, but for GKE's ComputeClass: Google publishes that CRD nowhere
with a licence, so it is checked against its documented fields. See tests/schemas/NOTICE.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.crd_schemas import FOLDER, flaws_of
from tests.pools import CLUSTER_API
from tests.recording import STACKS, Recorded, register_stack, stack_of

CHAIN = ["reserved", "on-demand", "spot"]
VARIANTS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "aws chain": ("aws-prod", {"pool.capacityTypes": CHAIN, "pricing.overrides": {}}),
    "azure spot": ("aks", {"pool.capacityTypes": ["spot", "on-demand"]}),
    "gke with an account": (
        "gke",
        {"pool.gke.serviceAccount": "llm-nodes@example.iam.gserviceaccount.com"},
    ),
    "cluster api": ("on-prem", CLUSTER_API),
    "gateway with a certificate of cert-manager": (
        "hybrid",
        {
            "gateway.tls.secret": "gateway-certificate",
            "gateway.tls.issuer": "internal",
            "gateway.hostname": "llm.example.internal",
            "gateway.route.kind": "ingress",
        },
    ),
    "gateway behind a Gateway": (
        "hybrid",
        {
            "gateway.hostname": "llm.example.internal",
            "gateway.route.kind": "http-route",
            "gateway.route.gateway": "edge/web",
        },
    ),
    "gateway that speaks TLS behind a Gateway": (
        "hybrid",
        {
            "gateway.hostname": "llm.example.internal",
            "gateway.route.kind": "http-route",
            "gateway.route.gateway": "edge/web",
            "gateway.route.caConfigMap": "authority",
            "gateway.tls.secret": "gateway-certificate",
            "gateway.tls.egressSecret": "egress-certificate",
            "gateway.tls.issuer": "internal",
        },
    ),
    "the cluster's own inference gateway": (
        "gke",
        {
            "gateway.kind": "inference-pool",
            "gateway.inferencePool.endpointPicker": "picker",
            "gateway.route.gateway": "edge/inference",
            "network.clientNamespaces": ["edge", "llm"],
        },
    ),
    "scheduled": ("aws-prod", {"replicas.schedule": ["mon-fri 08:00-18:00 4"]}),
    "several nodes, scaled": (
        "owned-h100",
        {"replicas.autoscaling": True, "replicas.max": 2, "pool.gpuQuota": 0},
    ),
}


def custom_resources(stack: str, overrides: Mapping[str, object]) -> list[Recorded]:
    resources = register_stack(stack_of(stack, **overrides)).resources
    return [item for item in resources if is_custom(item)]


def is_custom(item: Recorded) -> bool:
    """Kubernetes' own groups have no dot, or end in k8s.io without a CRD."""
    group = item.type.removeprefix("kubernetes:").partition("/")[0]
    return (
        item.type.startswith("kubernetes:")
        and "." in group
        and group not in ("networking.k8s.io", "rbac.authorization.k8s.io")
    )


def with_inputs(item: Recorded, **changed: object) -> Recorded:
    return Recorded(replace(item.resource, manifest={**item.inputs, **changed}))


CASES = {**{stack: (stack, {}) for stack in STACKS}, **VARIANTS}


@pytest.mark.parametrize("case", CASES)
def test_an_api_server_would_take_every_custom_resource_whole(case: str) -> None:
    stack, overrides = CASES[case]
    for resource in custom_resources(stack, overrides):
        assert flaws_of(resource) == [], resource.name


def test_every_schema_is_used() -> None:
    used = {
        f"{item.type.removeprefix('kubernetes:').replace('/', '_').replace(':', '_')}.json"
        for stack, overrides in CASES.values()
        for item in custom_resources(stack, overrides)
    }
    assert used == {path.name for path in FOLDER.glob("*.json")}


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"unknownField": 1}, "unknownField"),
        ({"disruption": {"consolidationPolicy": "WhenIdle"}}, "WhenIdle"),
        ({"template": {}}, "'spec' is a required property"),
        ({"weight": 101}, "101 is greater than the maximum"),
    ],
)
def test_a_flaw_is_found(change: Mapping[str, object], flaw: str) -> None:
    [pool] = [item for item in custom_resources("dev", {}) if item.kind == "NodePool"]
    broken = with_inputs(pool, spec={**pool.spec, **change})
    assert any(flaw in found for found in flaws_of(broken))


def test_a_resource_in_the_wrong_scope_is_found() -> None:
    [pool] = [item for item in custom_resources("dev", {}) if item.kind == "NodePool"]
    metadata = {**pool.metadata, "namespace": "llm"}
    broken = with_inputs(pool, metadata=metadata)
    assert flaws_of(broken) == ["metadata/namespace: a NodePool is Cluster"]
