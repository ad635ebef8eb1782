"""Sources of images and charts, and whether they can change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from breakeven.policy.images import images_of, parse_image
from breakeven.policy.manifest import Container, Pod, Resource, Scope, Unknown, at
from breakeven.policy.rule import Pack, Rule, Violation, about
from breakeven.policy.rules.command_lines import flags
from breakeven.policy.rules.containers import each_container, is_kind, is_one_of, shown
from breakeven.policy.rules.vllm_commands import is_server, model_argument, vllm_containers

_KNOWN_BAD = Path(__file__).parents[1] / "data" / "known_bad_versions.json"
_CHARTS = ("Release", "Chart", "HelmRelease", "HelmRepository", "HelmChart")


def _names_images(resource: Resource, _scope: Scope) -> bool:
    return any(True for _ in images_of(resource))


@about(_names_images)
def _pinned(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for path, name in images_of(resource):
        if not parse_image(name).is_pinned:
            yield Violation(path, shown(name))


@about(_names_images)
def _not_latest(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for path, name in images_of(resource):
        image = parse_image(name)
        if image.tag == "latest" or not (image.tag or image.digest):
            yield Violation(path, shown(name))


@cache
def _known_bad() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Returns what matches repository and tag of images with known bad versions, and why."""
    entries = json.loads(_KNOWN_BAD.read_text(encoding="utf-8"))["images"]
    return tuple(
        (
            re.compile(
                rf"(^|/)[\w-]*{re.escape(entry['repository'])}[\w-]*:[\w.-]*?"
                rf"(?<![\d.])({'|'.join(map(re.escape, entry['versions']))})(?![\d.])"
            ),
            f"{entry['what']} ({entry['source']})",
        )
        for entry in entries
    )


@about(_names_images)
def _not_known_bad(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for path, name in images_of(resource):
        image = parse_image(name)
        for pattern, why in _known_bad():
            if pattern.search(f"{image.location}:{image.tag}"):
                yield Violation(path, f"{image.tag}: {why}")


@about(_names_images)
def _from_registry(resource: Resource, scope: Scope) -> Iterator[Violation]:
    for path, name in images_of(resource):
        image = parse_image(name)
        inside = not scope.registries or any(
            image.location.startswith(f"{registry.rstrip('/')}/") for registry in scope.registries
        )
        if not image.host or not inside:
            yield Violation(path, image.location or shown(name))


def _pull_policy(container: Container, _pod: Pod) -> Iterator[Violation]:
    value = container.spec.get("imagePullPolicy")
    image = parse_image(str(container.spec.get("image", "")))
    # What the API server fills in for an image that is named by a tag or digest.
    filled_in = value is None and (image.digest or image.tag not in ("", "latest"))
    if not filled_in and not is_one_of(value, "IfNotPresent", "Never"):
        yield Violation(f"{container.path}.imagePullPolicy", shown(value))


@about(lambda resource, scope: scope.carried is not None and _names_images(resource, scope))
def _in_lock(resource: Resource, scope: Scope) -> Iterator[Violation]:
    carried = scope.carried
    for path, name in images_of(resource):
        digest = parse_image(name).digest
        if carried is not None and digest not in carried.image_digests:
            yield Violation(path, f"{digest or 'an image without digest'} is not in the lock")


@about(lambda resource, scope: scope.carried is not None and is_server(resource, scope))
def _model_in_lock(resource: Resource, scope: Scope) -> Iterator[Violation]:
    if scope.carried is None:
        return
    for _, container in vllm_containers(resource):
        stated = flags(container)
        served = model_argument(container) or ""
        # A path ends in the revision; a repository has it as a flag.
        revision = (
            served.rstrip("/").rpartition("/")[2]
            if served.startswith("/")
            else stated.stated.get("--revision", "")
        )
        if stated.is_complete and revision != scope.carried.model_revision:
            where = f"the lock has revision {scope.carried.model_revision}"
            yield Violation(f"{container.path}.args", f"model {shown(served or None)}; {where}")


@about(is_kind(*_CHARTS))
def _vendored(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    manifest = resource.manifest
    for path in (("chart",), ("spec", "chart"), ("spec", "url"), ("repositoryOpts", "repo")):
        value = at(manifest, *path)
        if isinstance(value, str) and "://" in value:
            yield Violation(".".join(path), shown(value))
    chart = at(manifest, "chart")
    local = isinstance(chart, Unknown) or (isinstance(chart, str) and chart.startswith((".", "/")))
    if resource.kind in ("Release", "Chart") and not local:
        yield Violation("chart", shown(chart))


RULES = (
    Rule(
        id="image-digest",
        what="Every image is pinned by digest.",
        do="Write HOST/REPOSITORY:TAG@sha256:DIGEST.",
        theme="images",
        check=_pinned,
        controls={"Kubescape": ("C-0306",), "Checkov": ("CKV_K8S_43",)},
    ),
    Rule(
        id="image-no-latest",
        what="No image uses the tag latest or omits the tag.",
        do="Use the version as the tag.",
        theme="images",
        check=_not_latest,
        controls={"Checkov": ("CKV_K8S_14",)},
    ),
    Rule(
        id="image-known-bad",
        what="No image has a version that was published with malicious code "
        "(data/known_bad_versions.json). For "
        "vLLM, see vllm-min-version.",
        do="Use a version that is not listed, with a digest that several sources confirm.",
        theme="images",
        check=_not_known_bad,
    ),
    Rule(
        id="image-registry",
        what="Every image names its registry. If a list of allowed registries is given, the "
        "registry is on it; "
        "in an air gap, it is the private one.",
        do="Prefix the image with the registry's host. To move all images, set network.registry.",
        theme="images",
        check=_from_registry,
        controls={"Kubescape": ("C-0078",)},
    ),
    Rule(
        id="image-pull-policy",
        what="Nodes use an image that they already have: an image with a digest cannot have "
        "changed, and an "
        "unavailable registry must not block a restart.",
        do="Set imagePullPolicy to IfNotPresent, or omit it if the image has a tag. CKV_K8S_15 "
        "and kube-score "
        "require Always because tags can move; a digest cannot.",
        theme="availability",
        check=each_container(_pull_policy),
    ),
    Rule(
        id="chart-vendored",
        what="Helm charts are local files, so that their contents are priced and checked.",
        do="Keep the chart in the repository with its SHA-256, or use its rendered manifests.",
        theme="images",
        check=_vendored,
    ),
    Rule(
        id="model-in-lock",
        what="Every server serves the model revision in the bundle's lock, if there is one.",
        do="Serve /weights/REVISION with the lock's revision, or run `breakeven bundle plan` "
        "again with that "
        "model.revision.",
        theme="model-integrity",
        pack=Pack.AIRGAP,
        check=_model_in_lock,
    ),
    Rule(
        id="image-in-lock",
        what="Every image is in the bundle's lock, if there is one.",
        do="Deploy the stack that the bundle was made for, or run `breakeven bundle plan` for "
        "this one.",
        theme="images",
        pack=Pack.AIRGAP,
        check=_in_lock,
    ),
)
