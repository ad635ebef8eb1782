"""Replicas, their updates, and their address."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from breakeven.manifests.serving.labels import LEADER_LABELS
from breakeven.manifests.serving.service import service_annotations
from tests.recording import FETCHING, STACKS, Registration, settings_of

Served = Callable[..., Registration]


@pytest.mark.parametrize("stack", STACKS)
def test_the_number_of_replicas_has_one_owner(served: Served, stack: str) -> None:
    replicas = settings_of(stack).replicas
    spec = served(stack).engine.spec
    assert spec.get("replicas") == (None if replicas.autoscaling else replicas.min)


@pytest.mark.parametrize(
    ("stack", "overrides", "surge"),
    [
        ("aws-prod", {}, 1),  # Karpenter brings a node, and the volume can be shared
        ("dev", {}, 0),  # the volume is held by one node
        ("article", {}, 0),  # four replicas on four GPUs
        ("article", {"replicas.min": 3, "replicas.max": 3}, 1),  # one GPU is spare on the same node
        ("on-prem", {}, 0),
    ],
)
def test_an_update_adds_a_replica_only_where_a_gpu_is_spare(
    served: Served, stack: str, overrides: dict[str, object], surge: int
) -> None:
    # Without one, a surge waits forever (production-stack#107).
    strategy = served(stack, **overrides).engine.spec["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": surge, "maxUnavailable": 1 - surge}


@pytest.mark.parametrize("stack", FETCHING)
def test_no_gpu_waits_for_a_download(served: Served, stack: str) -> None:
    registration = served(stack)
    assert registration.engine.depends_on(registration.fetching)


@pytest.mark.parametrize("stack", FETCHING)
def test_selectors_match_the_pods_and_not_those_of_the_job(served: Served, stack: str) -> None:
    registration = served(stack)
    serving = registration.engine.template["metadata"]["labels"]
    fetching = registration.fetching.template["metadata"]["labels"]
    selectors = [
        registration.one("PodDisruptionBudget").spec["selector"]["matchLabels"],
        registration.one("Service").spec["selector"],
    ]
    if registration.engine.kind == "Deployment":
        selectors.append(registration.engine.spec["selector"]["matchLabels"])
    # LeaderWorkerSet itself puts its label on the first pod of each replica.
    serving = {**serving, **LEADER_LABELS}
    for selector in selectors:
        assert selector.items() <= serving.items()
        assert not selector.items() <= fetching.items()


@pytest.mark.parametrize("stack", STACKS)
def test_a_drain_takes_one_replica_at_a_time_and_is_never_blocked(
    served: Served, stack: str
) -> None:
    # kserve#4574 asks for one; minAvailable with a single replica blocks every drain.
    spec = served(stack).one("PodDisruptionBudget").spec
    assert spec["maxUnavailable"] == 1
    assert "minAvailable" not in spec
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


@pytest.mark.parametrize("stack", FETCHING)
def test_the_account_of_the_pods_has_no_token(served: Served, stack: str) -> None:
    registration = served(stack)
    account = registration.one("ServiceAccount")
    assert account.inputs["automountServiceAccountToken"] is False
    for pod in (registration.engine.pod, registration.fetching.pod):
        assert pod["serviceAccountName"] == account.metadata["name"]


@pytest.mark.parametrize("stack", STACKS)
def test_all_names_are_fixed_and_in_the_namespace(served: Served, stack: str) -> None:
    children = [item for item in served(stack).resources if item.type.startswith("kubernetes:")]
    cluster_wide = {"AKSNodeClass", "ComputeClass", "EC2NodeClass", "NodePool"}
    for resource in children:
        assert re.fullmatch(r"[a-z][a-z0-9-]{0,62}", resource.metadata["name"])
        if resource.kind == "MachineDeployment":
            assert resource.metadata["namespace"] == "clusters"
        elif resource.kind not in cluster_wide:
            assert resource.metadata["namespace"] == "llm"


def test_inside_the_cluster_nothing_is_exposed(served: Served) -> None:
    service = served("dev").one("Service")
    assert service.spec["type"] == "ClusterIP"
    assert "annotations" not in service.metadata


def test_a_load_balancer_is_private_and_knows_its_callers(served: Served) -> None:
    service = served("aws-prod").one("Service")
    assert service.spec["type"] == "LoadBalancer"
    assert service.spec["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    # Network rules see the client's address only if no node puts its own in place of it.
    assert service.spec["externalTrafficPolicy"] == "Local"
    scheme = "service.beta.kubernetes.io/aws-load-balancer-scheme"
    assert service.metadata["annotations"][scheme] == "internal"


@pytest.mark.parametrize(
    ("cloud", "annotation", "value"),
    [
        ("aws", "service.beta.kubernetes.io/aws-load-balancer-scheme", "internal"),
        ("azure", "service.beta.kubernetes.io/azure-load-balancer-internal", "true"),
        ("gcp", "networking.gke.io/load-balancer-type", "Internal"),
    ],
)
def test_each_cloud_is_told_to_stay_private(cloud: str, annotation: str, value: str) -> None:
    settings = settings_of(
        "on-prem",
        **{
            "pricing.cloud": cloud,
            "network.exposure": "internal-load-balancer",
            "network.clientNetworks": ["10.0.0.0/8"],
        },
    )
    assert service_annotations(settings)[annotation] == value
