"""Resources know their Pulumi type, their key and their namespace from the manifest."""

from __future__ import annotations

from typing import Any

import pytest

from breakeven.manifests.resource import Resource, stated, with_namespace


def resource(api_version: str, kind: str, **metadata: str) -> Resource:
    manifest: dict[str, Any] = {"apiVersion": api_version, "kind": kind, "metadata": metadata}
    return Resource(name="here", manifest=manifest)


@pytest.mark.parametrize(
    ("api_version", "kind", "token"),
    [
        ("v1", "Service", "kubernetes:core/v1:Service"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
        ("keda.sh/v1alpha1", "ScaledObject", "kubernetes:keda.sh/v1alpha1:ScaledObject"),
    ],
)
def test_the_type_token_has_group_version_and_kind(api_version: str, kind: str, token: str) -> None:
    assert resource(api_version, kind, name="x").type == token


def test_the_key_has_kind_and_name_in_the_program() -> None:
    assert resource("v1", "Service", name="in-the-cluster").key == "Service/here"


def test_the_namespace_is_that_of_the_manifest() -> None:
    assert resource("v1", "Service", name="x", namespace="llm").namespace == "llm"
    assert resource("v1", "Namespace", name="x").namespace is None


def test_a_field_without_a_value_is_left_to_the_api_server() -> None:
    assert stated({"replicas": None, "paused": False, "list": []}) == {"paused": False, "list": []}


def test_a_namespace_is_added_to_a_copy() -> None:
    manifest = {"kind": "Service", "metadata": {"name": "x"}}
    assert with_namespace(manifest, "llm")["metadata"] == {"name": "x", "namespace": "llm"}
    assert manifest["metadata"] == {"name": "x"}
