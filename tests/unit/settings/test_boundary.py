"""Settings of the boundary."""

from __future__ import annotations

import json
from itertools import product

import pytest

from breakeven.errors import Problem
from breakeven.planning.offline import ledger_of
from breakeven.policy.images import parse_image
from breakeven.policy.loading import as_manifest
from breakeven.policy.manifest import Scope
from breakeven.policy.registry import RULES
from breakeven.policy.verdict import judge
from breakeven.policy.waivers import read_waivers
from breakeven.settings.files import stack_values, wire
from breakeven.settings.parse import parse
from tests.each import each
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


NAMES = {
    "engineImage": "vllm/vllm-openai:v0.24.0",
    "gatewayImage": "litellm/litellm:v1.104.2",
    "gatewayStoreImage": "valkey/valkey:9.1.2",
    "weightsImage": "models/qwen:v1",
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
    [problem] = problems_of(registry=registry)
    assert problem.key == "registry"
    assert "HOST has a dot or a port, or is localhost" in problem.allowed


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


ADAPTER = f"sql=acme/sql-lora@{'1' * 40}"
CLAIM = {"weightsClaim": "weights"}
IN_IMAGE = {"weightsImage": f"models.example.com/a:v1@sha256:{'0' * 64}"}


@pytest.mark.parametrize("there", [CLAIM, IN_IMAGE], ids=lambda there: next(iter(there)))
def test_a_token_is_refused_only_where_nothing_is_fetched(there: dict[str, object]) -> None:
    stated = {**there, "hubTokenSecret": "hub-token"}
    settings = settings_of("dev", **stated, loraAdapters=[ADAPTER])
    jobs = [entry for entry in ledger_of(settings) if entry.type.endswith(":Job")]
    assert all("hub-token" in json.dumps(job.properties) for job in jobs)
    assert jobs
    [problem] = problems_of("dev", **stated)
    assert problem.key == "hubTokenSecret"
    assert problem.found == f"stated beside {next(iter(there))}"


def test_a_token_of_the_first_model_is_no_mistake_where_a_further_one_fetches() -> None:
    [further] = json.loads(stack_values("two-models")["additionalModels"])
    stack, token = IN_IMAGE | {"modelRevision": "0" * 40}, {"hubTokenSecret": "hub-token"}
    for entry, keys in (
        (further, []),
        ({**further, **IN_IMAGE}, ["hubTokenSecret"]),
        (
            {**further, **IN_IMAGE, "hubTokenSecret": "other"},
            ["hubTokenSecret", "additionalModels"],
        ),
    ):
        found = problems_of("two-models", **stack, **token, additionalModels=[entry])
        assert sorted(problem.key for problem in found) == sorted(keys)


def problems_of(stack: str = "dev", **stated: object) -> tuple[Problem, ...]:
    values = {key: wire(value) for key, value in stated.items()}
    return parse({**stack_values(stack), **values})[1].problems


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
        (by_image, {"image": {"reference": f"{by_image.network.registry}/a:v1@{image[-71:]}"}}),
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
        as_manifest(entry.type, entry.name, entry.properties or {}, "stack")
        for entry in ledger_of(settings)
    )
    scope = Scope(
        tuple(resource for resource in found if resource is not None),
        registries=(settings.network.registry,),
    )
    waivers = read_waivers(settings.policy.waiver_files)
    verdict = judge(scope, RULES, waivers, min(waiver.expires for waiver in waivers))
    assert [str(finding) for finding in verdict.blocking] == []
