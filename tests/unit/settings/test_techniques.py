"""Techniques that cannot work are refused with what would; the others become flags and room."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from breakeven.errors import SettingsError
from breakeven.manifests.serving.engine import engine_flags
from breakeven.manifests.serving.sizes import (
    engine_memory_gib,
    shared_memory_gib,
    weights_volume_gib,
)
from breakeven.manifests.serving.timings import timings_of
from breakeven.manifests.serving.weights_names import weights_content
from breakeven.planning.techniques import techniques_of
from tests.recording import settings_of, stack_of

COMMIT = "c" * 40
MIXTURE = {
    "model.name": "qwen3-30b-a3b",
    "model.revision": "a" * 40,
    "pool.gpu": "h100",
    "pool.gpusPerNode": 2,
    "engine.tensorParallel": 2,
}
DRAFT = {
    "engine.speculation.method": "draft",
    "engine.speculation.model": f"meta-llama/Llama-3.2-3B-Instruct@{COMMIT}",
}


def flags_of(stack: str, changes: Mapping[str, object]) -> list[str]:
    settings = settings_of(stack, **changes)
    return engine_flags(settings, timings_of(settings))


@pytest.mark.parametrize(
    ("changes", "found", "allowed"),
    [
        (
            {"engine.kvCachePrecision": "fp8", "pool.gpu": "a100-80"},
            "a100-80 does not support",
            "h100",
        ),
        (
            {"engine.expertParallel": True, "engine.tensorParallel": 2, "pool.gpusPerNode": 2},
            "is a dense model",
            "tensorParallel",
        ),
        ({"engine.expertParallel": True}, "one GPU for all experts", "2, 4, or 8"),
        ({"engine.dataParallelAttention": True}, "without engine.expertParallel", "replicas"),
        ({"engine.speculation.method": "mtp"}, "has no heads", "ngram"),
        ({"engine.speculation.method": "draft"}, "empty with method draft", "OWNER/REPOSITORY"),
        (
            {"engine.speculation.method": "ngram", "engine.speculation.model": f"a/b@{COMMIT}"},
            "which does not need a draft",
            "leave it out",
        ),
        (
            {"engine.speculation.method": "eagle3", "engine.speculation.model": f"a/b@{COMMIT}"},
            "unknown",
            "model card",
        ),
        (
            {**DRAFT, "engine.speculation.model": f"Qwen/Qwen2.5-0.5B-Instruct@{COMMIT}"},
            "their tokenizers differ",
            "same family",
        ),
        (
            {**DRAFT, "engine.speculation.model": f"nobody/knows@{COMMIT}"},
            "nobody/knows is unknown",
            "breakeven model add",
        ),
        ({"engine.speculation.model": "a/b@main"}, 'found "a/b@main"', "40 hexadecimal"),
        (
            {"engine.args": {"kv-transfer-config": {"kv_role": "kv_producer"}}},
            "kv_role kv_producer",
            "kv_both",
        ),
        ({"engine.maxRequests": 4}, "the autoscaler's target is", "replicas.targetRequests"),
        (
            {"engine.kvOffloadGibibytes": 8, "engine.pipelineParallel": 2},
            "with engine.pipelineParallel 2",
            "engine.pipelineParallel 1",
        ),
    ],
)
def test_what_can_not_work_is_refused_with_what_would(
    changes: Mapping[str, object], found: str, allowed: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        stack_of("aws-prod", **changes)
    assert found in str(refused.value)
    assert allowed in str(refused.value)


def test_each_technique_sets_its_flag_only_if_stated() -> None:
    assert not [
        flag
        for flag in flags_of("aws-prod", {})
        if flag.startswith(("--kv", "--spec", "--max-num-seqs", "--enable-expert", "--data"))
    ]
    flags = flags_of(
        "aws-prod",
        {
            "engine.kvCachePrecision": "fp8",
            "engine.maxRequests": 300,
            "engine.kvOffloadGibibytes": 8,
            "engine.speculation.method": "ngram",
        },
    )
    assert {
        "--kv-cache-dtype=fp8",
        "--max-num-seqs=300",
        "--kv-offloading-size=8",
        "--kv-offloading-backend=native",
    } <= set(flags)
    [stated] = [flag for flag in flags if flag.startswith("--speculative-config=")]
    assert json.loads(stated.partition("=")[2]) == {
        "method": "ngram",
        "num_speculative_tokens": 3,
        "prompt_lookup_max": 4,
        "prompt_lookup_min": 2,
    }


def test_a_connector_that_stores_the_cache_is_passed_on() -> None:
    stored = {"kv_connector": "LMCacheConnectorV1", "kv_role": "kv_both"}
    flags = flags_of("aws-prod", {"engine.args": {"kv-transfer-config": stored}})
    [stated] = [flag for flag in flags if flag.startswith("--kv-transfer-config=")]
    assert json.loads(stated.partition("=")[2]) == stored


def test_attention_by_request_divides_no_layer() -> None:
    spread = {"engine.expertParallel": True, "engine.dataParallelAttention": True}
    flags = flags_of("aws-prod", {**MIXTURE, **spread})
    assert {"--tensor-parallel-size=1", "--data-parallel-size=2", "--enable-expert-parallel"} <= (
        set(flags)
    )
    flags = flags_of("aws-prod", {**MIXTURE, "engine.expertParallel": True})
    assert {"--tensor-parallel-size=2", "--enable-expert-parallel"} <= set(flags)


def test_offloaded_cache_is_in_shared_memory_that_the_pod_requests() -> None:
    plain, more = settings_of("dev"), settings_of("dev", **{"engine.kvOffloadGibibytes": 5})
    assert shared_memory_gib(more) == shared_memory_gib(plain) + 5
    assert engine_memory_gib(more) == engine_memory_gib(plain) + 5


def test_a_draft_is_fetched_with_the_model_and_read_from_its_own_folder() -> None:
    plain, drafted = settings_of("aws-prod"), settings_of("aws-prod", **DRAFT)
    content = weights_content(drafted, "a" * 40)
    assert content.sources[1:] == (("meta-llama/Llama-3.2-3B-Instruct", COMMIT),)
    assert weights_volume_gib(drafted) > weights_volume_gib(plain)
    [stated] = [flag for flag in flags_of("aws-prod", DRAFT) if flag.startswith("--speculative")]
    config = json.loads(stated.partition("=")[2])
    assert (config["method"], config["model"]) == ("draft_model", f"/weights/{COMMIT}")
    speculation = techniques_of(drafted).speculation
    assert speculation is not None
    assert speculation.draft_bytes == drafted.engine.speculation.draft_bytes
    assert 3e9 < speculation.draft_parameters < 3.5e9


def test_a_stated_acceptance_wins_with_a_band_of_its_own() -> None:
    stated = {"engine.speculation.method": "ngram", "engine.speculation.acceptancePercent": 95}
    speculation = techniques_of(settings_of("dev", **stated)).speculation
    assert speculation is not None
    assert (speculation.low_acceptance, speculation.acceptance) == pytest.approx((0.85, 0.95))
    assert speculation.high_acceptance == 1.0


def test_a_model_that_sees_takes_images_of_the_request_and_fetches_none() -> None:
    flags = flags_of("gke", {"model.imagesPerRequest": 2})
    assert '--limit-mm-per-prompt={"audio": 0, "image": 2, "video": 0}' in flags
    place = flags.index("--allowed-media-domains")
    assert flags[place + 1] == "none.invalid"
    assert not [flag for flag in flags_of("dev", {}) if "media" in flag or "mm-per" in flag]
