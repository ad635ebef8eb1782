"""Settings of the boundary."""

from __future__ import annotations

import json
from itertools import product

import pytest

from breakeven.errors import Problem
from breakeven.planning.offline import ledger_of
from breakeven.policy.images import parse_image
from breakeven.policy.loading import as_manifests
from breakeven.policy.manifest import Scope
from breakeven.policy.registry import RULES
from breakeven.policy.verdict import judge
from breakeven.policy.waivers import read_waivers
from breakeven.settings.files import stack_values, with_settings
from breakeven.settings.parse import parse
from tests.each import each
from tests.recording import stack_of

IMAGE = "docker.io/vllm/vllm-openai"


@pytest.mark.parametrize(
    "registry",
    ["registry.hospital.internal", "10.0.0.5:5000", "registry.example.com/mirror/llm"],
)
def test_every_image_comes_from_the_private_registry_and_stays_the_same(registry: str) -> None:
    before, after = (
        stack_of("dev").models[0].engine.image,
        stack_of("dev", **{"network.registry": registry}),
    )
    assert after.models[0].engine.image == f"{registry}/{before.removeprefix('docker.io/')}"
    text = json.dumps([entry.properties for entry in ledger_of(after)], default=dict)
    assert "docker.io" not in text


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("network.registry", "https://registry.example.com", "HOST:PORT"),
        ("network.registry", "registry.example.com/", "HOST:PORT"),
        ("network.boundary", "airgap", "air-gapped"),
        ("policy.waivers", '["no-such.yaml"]', "no file stacks/waivers/no-such.yaml"),
        ("policy.waivers", '["../secrets.yaml"]', "names of files in stacks/waivers/"),
    ],
)
def test_a_bad_value_is_refused_by_key(key: str, value: str, said: str) -> None:
    [problem] = [problem for problem in problems_of("dev", **{key: value}) if problem.key == key]
    assert said in str(problem)


NAMES = {
    "engine.image": "vllm/vllm-openai:v0.24.0",
    "gateway.image": "envoyproxy/envoy:distroless-v1.39.2",
    "gateway.limitsImage": "envoyproxy/ratelimit:1e50889b",
    "gateway.storeImage": "valkey/valkey:9.1.2",
    "weights.image": "models/qwen:v1",
}


@each("key, host", product(NAMES, ["", "vllm/", "docker.io/", "registry:5000/", "localhost/"]))
def test_an_image_without_the_host_that_another_registry_takes_the_place_of_is_refused(
    key: str, host: str
) -> None:
    image = f"{host}{NAMES[key]}@sha256:{'0' * 64}"
    told = [problem for problem in problems_of("dev", **{key: image}) if problem.key == key]
    assert bool(told) is (not parse_image(image).host)
    for problem in told:
        assert "HOST has a dot or a port, or is localhost" in problem.allowed


@pytest.mark.parametrize("registry", ["mirror", "mirror/llm"])
def test_a_registry_that_a_container_runtime_takes_for_a_folder_is_refused(registry: str) -> None:
    [problem] = problems_of(**{"network.registry": registry})
    assert problem.key == "network.registry"
    assert "HOST has a dot or a port, or is localhost" in problem.allowed


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("network.registry", "", "the registry inside"),
        ("weights.claim", "", "a volume with the weights"),
        ("network.dataMayLeave", "true", "Allowed: false"),
        ("model.loraAdapters", f'["a=owner/repo@{"0" * 40}"]', "a bundle contains only the model"),
        ("network.exposure", "internal-load-balancer", "Allowed: cluster"),
        ("network.clientNetworks", '["10.0.0.0/8"]', "name namespaces in network.clientNamespaces"),
        ("pool.kind", "karpenter-aws", "Allowed: existing, cluster-api"),
        ("monitoring.prometheusAddress", "https://prometheus.example.com", "SERVICE.NAMESPACE.svc"),
        ("weights.hubTokenSecret", "hub-token", "nothing is fetched"),
        ("model.previousRevision", "0" * 40, "roll back with model.revision"),
        ("weights.image", f"a.b/c@sha256:{'0' * 64}", "only one of the two"),
        ("weights.image", "a.b/c:v1", "sha256:DIGEST"),
    ],
)
def test_what_leads_out_of_an_air_gap_is_refused_with_what_would_work(
    key: str, value: str, said: str
) -> None:
    problems = problems_of("air-gapped", **{key: value})
    assert said in " ".join(str(problem) for problem in problems if problem.key == key)


ADAPTER = f"sql=acme/sql-lora@{'1' * 40}"
CLAIM = {"weights.claim": "weights"}
IN_IMAGE = {"weights.image": f"models.example.com/a:v1@sha256:{'0' * 64}"}


@pytest.mark.parametrize("there", [CLAIM, IN_IMAGE], ids=lambda there: next(iter(there)))
def test_a_token_is_refused_only_where_nothing_is_fetched(there: dict[str, object]) -> None:
    stated = {**there, "weights.hubTokenSecret": "hub-token"}
    stack = stack_of("dev", **stated, **{"model.loraAdapters": [ADAPTER]})
    jobs = [entry for entry in ledger_of(stack) if entry.type.endswith(":Job")]
    assert all("hub-token" in json.dumps(job.properties, default=dict) for job in jobs)
    assert jobs
    [problem] = problems_of("dev", **stated)
    assert problem.key == "weights.hubTokenSecret"
    assert problem.found == f"stated together with {next(iter(there))}"


def test_a_token_that_models_inherit_is_no_mistake_where_one_of_them_fetches() -> None:
    for changes, keys in (
        ({}, []),
        ({f"models[0].{key}": value for key, value in IN_IMAGE.items()}, []),
        (
            {
                **{f"models[0].{key}": value for key, value in IN_IMAGE.items()},
                "models[0].weights.hubTokenSecret": "other",
            },
            ["models[0].weights.hubTokenSecret"],
        ),
    ):
        found = problems_of("two-models", **changes)
        assert [problem.key for problem in found] == keys


def problems_of(stack: str = "dev", **stated: object) -> tuple[Problem, ...]:
    return parse(with_settings(stack_values(stack), stated))[1]


def test_all_violations_of_an_air_gap_are_reported_together() -> None:
    problems = problems_of("aws-prod", **{"network.boundary": "air-gapped"})
    assert {problem.key for problem in problems} >= {
        "network.registry",
        "weights.claim",
        "network.dataMayLeave",
        "network.exposure",
        "network.clientNetworks",
        "pool.kind",
    }


def test_weights_that_are_there_are_mounted_and_not_fetched() -> None:
    image = f"models.example.com/a:v1@sha256:{'0' * 64}"
    by_claim = stack_of("air-gapped")
    by_image = stack_of("air-gapped", **{"weights.claim": "", "weights.image": image})
    for stack, source in (
        (by_claim, {"persistentVolumeClaim": {"claimName": "llama-3.3-70b-instruct"}}),
        (by_image, {"image": {"reference": f"{by_image.network.registry}/a:v1@{image[-71:]}"}}),
    ):
        entries = ledger_of(stack)
        assert not [entry for entry in entries if entry.type.endswith((":Job", "VolumeClaim"))]
        text = json.dumps([entry.properties for entry in entries], default=dict)
        assert "huggingface" not in text.replace("/cache/huggingface", "")
        for kind, values in source.items():
            for name, value in values.items():
                assert f'"{name}": "{value}"' in text, kind


def test_a_gateway_inside_an_air_gap_keeps_every_rule() -> None:
    stack = stack_of("air-gapped", **{"gateway.mode": "hybrid", "gateway.teams": {"ward": {}}})
    found = (
        manifest
        for entry in ledger_of(stack)
        for manifest in as_manifests(entry.type, entry.name, entry.properties or {}, "stack")
    )
    scope = Scope(
        tuple(found),
        registries=(stack.network.registry,),
    )
    waivers = read_waivers(stack.policy.waiver_files)
    verdict = judge(scope, RULES, waivers, min(waiver.expires for waiver in waivers))
    assert [str(finding) for finding in verdict.blocking] == []
