"""The release that stacks deploy, and what its image needs."""

from __future__ import annotations

import re

import pytest

from breakeven.catalog.engines import deployed_release, oldest_driver, releases
from breakeven.manifests.render import render
from breakeven.settings.engine import EngineSettings
from tests.promql_found import selections_of
from tests.recording import STACKS, register_stack, stack_of

_SERIES = re.compile(r"_(bucket|sum|count)$")


def test_the_default_image_is_the_newest_with_an_evidenced_digest() -> None:
    release, engine = deployed_release(), EngineSettings()
    image = release.images["nvidia"]
    assert engine.image == image.reference
    assert engine.version == release.version
    assert re.search(r"\d{4}-\d\d-\d\d$", image.source)
    newer = [each for each in releases() if each.version > release.version]
    assert not any("nvidia" in each.images for each in newer)


@pytest.mark.parametrize(
    ("image", "driver"),
    [
        (deployed_release().images["nvidia"].reference, 580),
        ("docker.io/vllm/vllm-openai:v0.30.0-cu129@sha256:1", 525),
        ("mirror.example:5000/vllm/vllm-openai:v0.31.0@sha256:1", 580),
        ("docker.io/vllm/vllm-openai:v0.24.0@sha256:1", None),
        ("docker.io/vllm/vllm-openai-rocm:v0.31.0@sha256:1", None),
        ("docker.io/own/engine:v1.0.0@sha256:1", None),
    ],
)
def test_an_image_needs_the_driver_of_its_cuda(image: str, driver: int | None) -> None:
    assert oldest_driver(image) == driver


@pytest.mark.parametrize("stack", STACKS)
def test_every_metric_that_is_asked_for_is_in_the_release(stack: str) -> None:
    read = stack_of(stack)
    known = deployed_release().metrics
    asked = {
        _SERIES.sub("", selection.metric)
        for selection in selections_of(register_stack(read))
        if selection.metric.startswith("vllm:")
    }
    assert asked <= known
    assert asked or not any("PrometheusRule" in str(each.manifest) for each in render(read))
