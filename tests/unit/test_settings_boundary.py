"""Settings of the boundary."""

from __future__ import annotations

import json

import pytest

from components.offline import ledger_of
from components.policy.loading import registered
from components.policy.manifest import Scope
from components.policy.registry import RULES
from components.policy.verdict import judge
from components.policy.waivers import read_waivers
from components.project import stack_values
from components.settings import parse
from tests.recording import settings_of

IMAGE = "docker.io/vllm/vllm-openai"


@pytest.mark.parametrize(
    "registry", ["registry.hospital.internal", "10.0.0.5:5000", "registry.example.com/mirror/llm"]
)
def test_every_image_comes_from_the_private_registry_and_stays_the_same(registry: str) -> None:
    before, after = settings_of("dev").engine.image, settings_of("dev", registry=registry)
    assert after.engine.image == f"{registry}/{before.removeprefix('docker.io/')}"
    text = json.dumps([entry.properties for entry in ledger_of(after)])
    assert "docker.io" not in text


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("registry", "https://registry.example.com", "HOST:PORT"),
        ("registry", "registry.example.com/", "HOST:PORT"),
        ("network", "airgap", "air-gapped"),
        ("waivers", '["no-such.yaml"]', "no file stacks/waivers/no-such.yaml"),
        ("waivers", '["../secrets.yaml"]', "names of files in stacks/waivers/"),
    ],
)
def test_a_bad_value_is_refused_by_key(key: str, value: str, said: str) -> None:
    _, reader = parse({**stack_values("dev"), key: value})
    [problem] = [problem for problem in reader.problems if problem.key == key]
    assert said in str(problem)


AIR_GAPPED = stack_values("air-gapped")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("registry", "", "the registry inside"),
        ("weightsClaim", "", "a volume with the weights"),
        ("dataMayLeave", "true", "Allowed: false"),
        ("loraAdapters", f'["a=owner/repo@{"0" * 40}"]', "a bundle carries the model alone"),
        ("exposure", "internal-load-balancer", "Allowed: cluster"),
        ("clientNetworks", '["10.0.0.0/8"]', "name namespaces in clientNamespaces"),
        ("pool", "karpenter-aws", "Allowed: existing, cluster-api"),
        ("prometheusAddress", "https://prometheus.example.com", "SERVICE.NAMESPACE.svc"),
        ("hubTokenSecret", "hub-token", "nothing is fetched"),
        ("previousModelRevision", "0" * 40, "go back by modelRevision"),
        ("weightsImage", f"a.b/c@sha256:{'0' * 64}", "one of both"),
        ("weightsImage", "a.b/c:v1", "sha256:DIGEST"),
    ],
)
def test_what_leads_out_of_an_air_gap_is_refused_with_what_would_work(
    key: str, value: str, said: str
) -> None:
    _, reader = parse({**AIR_GAPPED, key: value})
    assert said in " ".join(str(problem) for problem in reader.problems if problem.key == key)


def test_all_that_an_air_gap_forbids_is_told_at_once() -> None:
    _, reader = parse({**stack_values("aws-prod"), "network": "air-gapped"})
    assert {problem.key for problem in reader.problems} >= {
        "registry",
        "weightsClaim",
        "dataMayLeave",
        "exposure",
        "clientNetworks",
        "pool",
    }


def test_weights_that_are_there_are_mounted_and_not_fetched() -> None:
    image = f"models.example.com/a:v1@sha256:{'0' * 64}"
    by_claim = settings_of("air-gapped")
    by_image = settings_of("air-gapped", weightsClaim="", weightsImage=image)
    for settings, source in (
        (by_claim, {"persistentVolumeClaim": {"claimName": "llama-3.3-70b-instruct"}}),
        (by_image, {"image": {"reference": f"{by_image.boundary.registry}/a:v1@{image[-71:]}"}}),
    ):
        entries = ledger_of(settings)
        assert not [entry for entry in entries if entry.type.endswith((":Job", "VolumeClaim"))]
        text = json.dumps([entry.properties for entry in entries])
        assert "huggingface" not in text.replace("/cache/huggingface", "")
        for kind, values in source.items():
            for name, value in values.items():
                assert f'"{name}": "{value}"' in text, kind


def test_a_gateway_inside_an_air_gap_keeps_every_rule() -> None:
    settings = settings_of("air-gapped", mode="hybrid", teams={"ward": {}})
    found = (
        registered(entry.type, entry.name, entry.properties or {}, "stack")
        for entry in ledger_of(settings)
    )
    scope = Scope(
        tuple(resource for resource in found if resource is not None),
        registries=(settings.boundary.registry,),
    )
    waivers = read_waivers(settings.boundary.waiver_files)
    verdict = judge(scope, RULES, waivers, min(waiver.expires for waiver in waivers))
    assert [str(finding) for finding in verdict.blocking] == []
