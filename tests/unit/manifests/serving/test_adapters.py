"""LoRA adapters: fetched like weights, served by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from breakeven.manifests.serving.sizes import adapters_volume_gib
from tests.recording import STACKS, Registration, settings_of

Served = Callable[..., Registration]

COMMITS = ("1" * 40, "2" * 40)
ADAPTERS = [f"sql=acme/sql-lora@{COMMITS[0]}", f"support-de=acme/support@{COMMITS[1]}"]


def test_vllm_knows_each_adapter_by_its_name_and_commit(served: Served) -> None:
    arguments = served(
        "aws-prod", **{"model.loraAdapters": ADAPTERS, "model.loraMaxRank": 32}
    ).engine.container["args"]
    assert "--enable-lora" in arguments
    assert "--max-lora-rank=32" in arguments
    assert "--max-loras=2" in arguments
    at = arguments.index("--lora-modules")
    assert arguments[at + 1 :] == [
        f"sql=/adapters/{COMMITS[0]}",
        f"support-de=/adapters/{COMMITS[1]}",
    ]


@pytest.mark.parametrize("stack", STACKS)
def test_without_adapters_nothing_is_there_for_them(served: Served, stack: str) -> None:
    registration = served(stack)
    assert not any("lora" in argument for argument in registration.engine.container["args"])
    filled = int(settings_of(stack).fetches_weights)
    assert len(registration.of("PersistentVolumeClaim")) == filled


def test_they_are_fetched_and_verified_as_the_weights_are_and_read_only(served: Served) -> None:
    registration = served("aws-prod", **{"model.loraAdapters": ADAPTERS})
    [_, job] = [each for each in registration.of("Job") if "adapters" in each.name]
    assert registration.engine.depends_on(job)
    fetched = [container["args"] for container in job.pod["containers"]]
    assert fetched == [
        ["--repository=acme/sql-lora", f"--revision={COMMITS[0]}", "--directory=/weights"],
        ["--repository=acme/support", f"--revision={COMMITS[1]}", "--directory=/weights"],
    ]
    names = [container["name"] for container in job.pod["containers"]]
    assert len(set(names)) == len(names)
    pod = registration.engine.pod
    [volume] = [each for each in pod["volumes"] if each["name"] == "adapters"]
    assert volume["persistentVolumeClaim"]["readOnly"] is True
    [mount] = [
        each for each in registration.engine.container["volumeMounts"] if each["name"] == "adapters"
    ]
    assert mount == {"name": "adapters", "mountPath": "/adapters", "readOnly": True}


@pytest.mark.parametrize("repositories", [["acme/sql-lora"] * 2, ["acme/sql-lora", "acme/copy"]])
def test_one_commit_of_two_adapters_is_fetched_once(
    repositories: list[str], served: Served
) -> None:
    # Two containers of a pod would write the same folder at the same time.
    names = ["sql", "sql-new"]
    twice = [f"{name}={each}@{COMMITS[0]}" for name, each in zip(names, repositories, strict=True)]
    registration = served("aws-prod", **{"model.loraAdapters": twice})
    for job in registration.of("Job"):
        assert len(job.pod["containers"]) == 1
    for name in names:
        assert f"{name}=/adapters/{COMMITS[0]}" in registration.engine.container["args"]


def test_another_adapter_leaves_the_volume_of_the_model_as_it_is(served: Served) -> None:
    def volumes(adapters: list[str]) -> set[str]:
        registration = served("aws-prod", **{"model.loraAdapters": adapters})
        return {volume.name for volume in registration.of("PersistentVolumeClaim")}

    one, both = volumes(ADAPTERS[:1]), volumes(ADAPTERS)
    assert len(one & both) == 1
    assert all("weights" in name for name in one & both)


def test_the_volume_holds_adapters_in_32_bits() -> None:
    settings = settings_of("aws-prod", **{"model.loraAdapters": ADAPTERS, "model.loraMaxRank": 64})
    assert adapters_volume_gib(settings) * 2**30 >= 2 * settings.model.adapter_bytes
