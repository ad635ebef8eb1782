"""Every image that a stack names is found, wherever it is named, and none without a digest."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from breakeven.bundle.errors import BundleError
from breakeven.bundle.registry.images import find_images
from breakeven.bundle.registry.references import parse_reference
from breakeven.cost.bill.registered import Registered
from breakeven.planning.offline import ledger_of
from tests.recording import STACKS, settings_of, stack_of

DIGEST = f"sha256:{'a' * 64}"
IMAGE = f"quay.io/team/name:v1@{DIGEST}"


def resource(properties: Mapping[str, object]) -> Registered:
    return Registered("thing", "kubernetes:apps/v1:Deployment", properties)


def pod(spec: Mapping[str, object]) -> Mapping[str, object]:
    return {"spec": {"template": {"spec": spec}}}


PLACES: Mapping[str, Mapping[str, object]] = {
    "container": pod({"containers": [{"name": "a", "image": IMAGE}]}),
    "init container": pod({"initContainers": [{"name": "a", "image": IMAGE}]}),
    "ephemeral container": pod({"ephemeralContainers": [{"name": "a", "image": IMAGE}]}),
    "image volume": pod({"volumes": [{"name": "a", "image": {"reference": IMAGE}}]}),
    "custom resource": {"spec": {"driver": {"image": IMAGE}}},
    "custom resource, other key": {"spec": {"toolkitImage": IMAGE}},
    "argument with a flag": pod({"containers": [{"image": IMAGE, "args": [f"--sidecar={IMAGE}"]}]}),
    "plain argument": {"args": [IMAGE]},
    "environment": {"env": [{"name": "RELATED_IMAGE", "value": IMAGE}]},
    "text of a ConfigMap": {"data": {"a.yaml": f"kind: Pod\nimage: {IMAGE}\n"}},
}


@pytest.mark.parametrize("place", PLACES)
def test_an_image_is_found_in(place: str) -> None:
    [found] = find_images([resource(PLACES[place])])
    assert str(found.reference) == IMAGE
    assert found.used_by == ("Deployment/thing",)


UNKNOWN: Mapping[str, Mapping[str, object]] = {
    "no digest": pod({"containers": [{"image": "quay.io/team/name:v1"}]}),
    "latest": pod({"containers": [{"image": "nginx"}]}),
    "no registry": pod({"containers": [{"image": f"team/name@{DIGEST}"}]}),
    "short digest": pod({"containers": [{"image": "quay.io/team/name@sha256:abc"}]}),
    "not known before deployment": pod({"containers": [{"image": None}]}),
    "container without image": pod({"initContainers": [{"name": "a"}]}),
    "volume without reference": pod({"volumes": [{"name": "a", "image": {}}]}),
    "argument without digest": {"args": ["--sidecar-image=quay.io/team/name:v1"]},
    "argument that looks like one": {"args": ["--sidecar=quay.io/team/name:v1"]},
    "environment without digest": {"env": [{"name": "AGENT_IMAGE", "value": "agent:v1"}]},
    "custom resource in parts": {"spec": {"image": {"repository": "quay.io/a", "tag": "v1"}}},
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_an_unknown_or_unpinned_image_is_an_error(case: str) -> None:
    with pytest.raises(BundleError, match="Deployment/thing: "):
        find_images([resource(UNKNOWN[case])])


def test_inputs_that_are_not_known_are_an_error() -> None:
    with pytest.raises(BundleError, match="its inputs are not known"):
        find_images([Registered("thing", "kubernetes:apps/v1:Deployment", None)])


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(BundleError) as error:
        find_images([resource(UNKNOWN["no digest"]), resource(UNKNOWN["latest"])])
    assert "quay.io/team/name:v1" in str(error.value)
    assert '"nginx"' in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "http://prometheus.monitoring.svc:9090/api",
        "10.0.0.0/8",
        "--port=8000",
        "nvidia.com/gpu",
        "docs/alerts.md#latency",
        "2001:db8::/32",
    ],
)
def test_what_is_no_image_is_not_taken_for_one(text: str) -> None:
    assert find_images([resource({"args": [text], "value": text})]) == ()


@pytest.mark.parametrize("stack", STACKS)
def test_the_images_of_every_stack_are_those_in_its_containers(stack: str) -> None:
    settings = settings_of(stack)
    found = {str(image.reference) for image in find_images(ledger_of(stack_of(stack)))}
    assert settings.engine.image in found


def test_one_path_from_two_registries_is_an_error() -> None:
    other = IMAGE.replace("quay.io", "ghcr.io")
    with pytest.raises(BundleError, match=r"both have an image team/name"):
        find_images([resource({"args": [IMAGE, other]})])


def test_a_reference_inside_the_boundary_keeps_path_and_digest() -> None:
    reference = parse_reference(IMAGE)
    assert reference is not None
    assert reference.mirrored("registry.internal:5000/llm") == (
        f"registry.internal:5000/llm/team/name:v1@{DIGEST}"
    )
    assert reference.by_digest == f"quay.io/team/name@{DIGEST}"
