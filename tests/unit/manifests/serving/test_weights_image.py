"""Weights in an OCI image that is mounted: no volume, no download, no way to the internet."""

from __future__ import annotations

from collections.abc import Callable

from breakeven.manifests.serving.rollout import rollout_of
from tests.recording import Registration, register_stack, settings_of, stack_of

Served = Callable[..., Registration]

IMAGE = f"registry.example.com/models/llama@sha256:{'a' * 64}"
MOUNTED = {
    "weights.image": IMAGE,
    "weights.accessMode": "ReadWriteOnce",
    "weights.hubTokenSecret": "",
}
ADAPTER = f"sql=acme/sql-lora@{'1' * 40}"


def test_the_engine_reads_the_image_at_the_commits_folder(served: Served) -> None:
    registration = served("aws-prod", **MOUNTED)
    [volume] = [each for each in registration.engine.pod["volumes"] if each["name"] == "weights"]
    assert volume == {
        "name": "weights",
        "image": {"reference": IMAGE, "pullPolicy": "IfNotPresent"},
    }
    path = registration.engine.container["args"][0]
    assert path == f"/weights/{settings_of('aws-prod').model.revision}"


def test_nothing_is_fetched_and_nothing_may_leave() -> None:
    resources = register_stack(stack_of("aws-prod", **MOUNTED)).resources
    kinds = {resource.kind for resource in resources}
    assert not kinds & {"PersistentVolumeClaim", "Job"}
    policies = [resource for resource in resources if resource.kind == "NetworkPolicy"]
    assert all("egress" not in policy.spec for policy in policies)


def test_adapters_beside_it_are_fetched_into_their_volume(served: Served) -> None:
    shared = {**MOUNTED, "weights.accessMode": "ReadWriteMany"}
    registration = served("aws-prod", **shared, **{"model.loraAdapters": [ADAPTER]})
    assert "adapters" in registration.one("PersistentVolumeClaim").name
    assert registration.engine.depends_on(registration.fetching)


def test_every_node_has_its_own_copy_so_that_an_update_may_add_a_replica() -> None:
    assert rollout_of(settings_of("aws-prod", **MOUNTED)).max_surge == 1
