"""Recipes of vLLM become this project's: facts, sorted, one a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from breakeven.catalog.importers.vllm_recipes import RecipeFileError, read_recipes, written
from breakeven.catalog.models import load_models
from breakeven.catalog.recipes import (
    NIGHTLY,
    find_recipe,
    recipe_repositories,
    recipes_source,
    version_of,
)
from breakeven.cli.model import import_recipes as module
from tests.unit.cli.running import exit_code

# In the form of a model file of github.com/vllm-project/recipes, commit 8959cf6 of 2026-08-21.
SAMPLE: dict[str, Any] = {
    "meta": {
        "tasks": ["text"],
        "date_updated": "2026-08-01",
        "hardware": {"h200": "verified", "b200": "unsupported"},
    },
    "model": {
        "model_id": "Owner/Model",
        "min_vllm_version": "0.25.0",
        "base_args": ["--trust-remote-code", "--max-num-seqs", "4", "--port", "9"],
        "base_env": {"VLLM_X": "1"},
    },
    "features": {
        "tool_calling": {
            "args": [
                *("--enable-auto-tool-choice", "--tool-call-parser", "hermes"),
                *("--chat-template", "examples/a.jinja", "--tokenizer-mode", "slow"),
            ]
        },
        "reasoning": {"args": ["--reasoning-parser", "qwen3"]},
        "spec_decoding": {"args": ["--speculative-config", '{"method":"mtp"}']},
    },
    "variants": {
        "default": {"precision": "fp8"},
        "fp4": {
            "precision": "fp4",
            "model_id": "nvidia/Model-FP4",
            "min_vllm_version": "0.27.0",
            "extra_args": ["--kv-cache-dtype", "fp8"],
        },
    },
    "hardware_overrides": {"amd": {"extra_args": ["-cc.x=1", "--block-size", "1"]}, "cpu": {}},
}


def read(**changes: object) -> dict[str, Any]:
    [recipe] = read_recipes(json.dumps({**SAMPLE, **changes}))
    return recipe


def test_facts_of_a_recipe_are_kept_by_name() -> None:
    assert read() == {
        "repository": "Owner/Model",
        "minimum_version": "0.25.0",
        "updated": "2026-08-01",
        "tool_call_parser": "hermes",
        "reasoning_parser": "qwen3",
        "chat_template": "examples/a.jinja",
        "trust_remote_code": True,
        "arguments": ["--max-num-seqs=4"],
        "tool_arguments": ["--tokenizer-mode=slow"],
        "speculative_config": '{"method":"mtp"}',
        "environment": {"VLLM_X": "1"},
        "vendor_arguments": {"amd": ["-cc.x=1", "--block-size=1"]},
        "hardware": {"b200": "unsupported", "h200": "verified"},
        "variants": [
            {"precision": "fp8"},
            {
                "precision": "nvfp4",
                "repository": "nvidia/Model-FP4",
                "minimum_version": "0.27.0",
                "arguments": ["--kv-cache-dtype=fp8"],
            },
        ],
    }


def test_models_that_write_no_text_are_left_out() -> None:
    image = {**SAMPLE, "meta": {**SAMPLE["meta"], "tasks": ["omni"]}}
    lines = "\n".join([json.dumps(image), "", json.dumps(SAMPLE)])
    assert len(read_recipes(lines)) == 1


def test_recipes_are_written_sorted_one_a_line() -> None:
    other = {**SAMPLE, "model": {**SAMPLE["model"], "model_id": "A/First"}}
    recipes = read_recipes(f"{json.dumps(SAMPLE)}\n{json.dumps(other)}")
    text = written(recipes, "a source")
    assert json.loads(text)["source"] == "a source"
    assert [json.loads(line.rstrip(","))["repository"] for line in text.splitlines()[1:-1]] == [
        "A/First",
        "Owner/Model",
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"meta": {"tasks": ["text"]}}', "7"])
def test_another_file_is_refused_by_its_line(text: str) -> None:
    with pytest.raises(RecipeFileError, match=r"line 1 is not a recipe|no recipe"):
        read_recipes(text)


def test_the_command_writes_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "recipes.json"
    table.write_text("before", encoding="utf-8")
    monkeypatch.setattr(module, "TABLE", table)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    file = tmp_path / "recipes.jsonl"
    file.write_text("{", encoding="utf-8")
    command = ("model", "import-recipes", str(file), "--source", "a source")
    assert exit_code(monkeypatch, *command) == 1
    assert "line 1" in capsys.readouterr().err
    assert table.read_text(encoding="utf-8") == "before"
    file.write_text(json.dumps(SAMPLE), encoding="utf-8")
    assert exit_code(monkeypatch, *command) == 0
    assert json.loads(table.read_text(encoding="utf-8"))["recipes"] == [read()]


def test_the_recipes_of_this_project_are_read_and_have_a_source() -> None:
    assert "2026-08-21" in recipes_source()
    repositories = recipe_repositories()
    assert len(repositories) > 140
    for repository in repositories:
        recipe = find_recipe(repository)
        assert recipe is not None
        assert recipe.repository == repository
        assert recipe.variants
        assert recipe.minimum_version


def test_a_variant_leads_to_the_recipe_that_lists_it() -> None:
    recipe = find_recipe("nvidia/DeepSeek-V3.2-NVFP4")
    assert recipe is not None
    assert recipe.repository == "deepseek-ai/DeepSeek-V3.2"
    variant = recipe.variant_of("nvidia/DeepSeek-V3.2-NVFP4")
    assert variant is not None
    assert variant.precision == "nvfp4"
    assert recipe.oldest_version("nvidia/DeepSeek-V3.2-NVFP4") == (0, 18, 0)
    assert find_recipe("nobody/nothing") is None


def test_a_version_that_is_not_released_is_newer_than_any() -> None:
    assert version_of("nightly") == NIGHTLY > version_of("0.33.0") > version_of("0.4.2")


def test_most_presets_of_2026_have_a_recipe() -> None:
    with_recipe = [name for name, model in load_models().items() if find_recipe(model.repository)]
    assert len(with_recipe) >= 80
