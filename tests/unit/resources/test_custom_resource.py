"""Manifests: nothing is lost on the way to the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import pulumi
from breakeven.errors import TemplateError
from breakeven.resources.component import KitComponent
from breakeven.resources.custom_resource import custom_resource
from tests.recording import Recorded, register

MANIFEST: Mapping[str, Any] = {
    "apiVersion": "example.org/v1",
    "kind": "Thing",
    "metadata": {"name": "one", "annotations": {"pulumi.com/waitFor": "condition=Ready"}},
    # Names that look like Python's and names that do not: both belong to the cluster.
    "spec": {"camelCase": 1, "snake_case": [{"inner_name": True}], "dotted.io/key": "x"},
}


class Holder(KitComponent):
    def __init__(
        self, manifest: Mapping[str, Any], namespace: pulumi.Input[str] | None = None
    ) -> None:
        super().__init__("test:Holder", "holder", {}, None)
        self.add(custom_resource(manifest, namespace=namespace, opts=self.child_options()))


def registered(manifest: Mapping[str, Any], namespace: pulumi.Input[str] | None) -> Recorded:
    _, registration = register(lambda: Holder(manifest, namespace))
    return registration.one("Thing")


def test_a_manifest_arrives_unchanged() -> None:
    thing = registered(MANIFEST, None)
    assert thing.type == "kubernetes:example.org/v1:Thing"
    assert thing.name == "one"
    assert thing.inputs == MANIFEST


def test_the_namespace_is_added_and_the_manifest_stays_as_it_was() -> None:
    assert registered(MANIFEST, "llm").metadata["namespace"] == "llm"
    assert "namespace" not in MANIFEST["metadata"]


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({**MANIFEST, "status": {}}, "Thing has other parts .*: status"),
        (
            {key: value for key, value in MANIFEST.items() if key != "spec"},
            "Thing has other parts .*: spec",
        ),
        ({**MANIFEST, "metadata": {}}, "Thing has no metadata.name"),
        ({}, "a manifest has other parts"),
    ],
)
def test_a_part_that_would_be_lost_is_refused(manifest: Mapping[str, Any], message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        register(lambda: Holder(manifest))
