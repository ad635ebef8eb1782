"""`breakeven model` prints what the table needs, and GPUs that hold the model as estimates do."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from breakeven.catalog.gpus import load_gpus
from breakeven.catalog.models import load_models
from breakeven.cli.model.inspect import MEMORY_UTILIZATION
from breakeven.cost.capacity.memory_fit import smallest_fits
from tests.unit.catalog.model_configs import CONFIGS
from tests.unit.cli.running import Run, exit_code

REPOSITORY = "Owner/New-Model"
PRECISIONS = ["bf16", "fp8", "int8", "int4"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    return lambda *arguments: exit_code(monkeypatch, "model", *arguments)


def config_file(folder: Path, name: str = "llama-3.3-70b-instruct", **changes: object) -> str:
    path = folder / "config.json"
    path.write_text(json.dumps({**CONFIGS[name], **changes}), encoding="utf-8")
    return str(path)


def as_json(run: Run, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(*arguments, "--format", "json") == 0
    written: dict[str, Any] = json.loads(capsys.readouterr().out)
    return written


@pytest.mark.parametrize("name", ["llama-3.3-70b-instruct", "gemma-2-9b", "deepseek-v3.2"])
def test_the_facts_are_those_of_the_preset(
    name: str, run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    written = as_json(run, capsys, config_file(tmp_path, name), "--name", REPOSITORY)
    facts = load_models()[name]
    assert (written["model"]["name"], written["model"]["repository"]) == ("new-model", REPOSITORY)
    assert written["model"]["parameters"] == facts.parameters
    assert written["model"]["groups"] == [asdict(group) for group in facts.groups]
    assert written["keyValueBytesPerToken"] == round(facts.cache_bytes_per_token())


def test_gpus_are_those_that_an_estimate_suggests(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    written = as_json(run, capsys, config_file(tmp_path), "--name", REPOSITORY)
    model = load_models()["llama-3.3-70b-instruct"]
    suggested = smallest_fits(
        model,
        max_model_length=model.max_model_length,
        gpu_memory_utilization=MEMORY_UTILIZATION,
    )
    assert suggested
    for suggestion in suggested:
        precision, _, count, _, gpu = suggestion.split()
        assert written["gpusNeeded"][gpu][precision] == int(count)


def test_every_gpu_and_precision_is_there_and_fewer_bits_need_no_more_gpus(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    written = as_json(run, capsys, config_file(tmp_path), "--name", REPOSITORY)
    assert list(written["gpusNeeded"]) == list(load_gpus())
    for counts in written["gpusNeeded"].values():
        assert list(counts) == PRECISIONS == list(written["weightsGib"])
        needed = [count or 16 for count in counts.values()]
        assert needed == sorted(needed, reverse=True)


def test_what_eight_gpus_do_not_hold_is_a_dash(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = config_file(tmp_path, num_hidden_layers=800)
    written = as_json(run, capsys, config, "--name", REPOSITORY)
    assert written["gpusNeeded"]["l4"] == dict.fromkeys(PRECISIONS)
    assert run(config, "--name", REPOSITORY) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("l4 "))
    assert row.split() == ["l4", "-", "-", "-", "-"]


def test_the_text_is_100_columns_wide_at_most(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(config_file(tmp_path, "gemma-3-27b"), "--name", REPOSITORY) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines) <= 100
    assert "27,432,406,640" in "\n".join(lines)


def test_without_a_name_the_folder_is_used_and_the_repository_is_required(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "Qwen3-Next"
    folder.mkdir()
    assert run(config_file(folder)) == 0
    written = capsys.readouterr().out
    assert "qwen3-next" in written.lower()
    assert "--name OWNER/NAME" in written


def test_a_preset_is_named(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(config_file(tmp_path), "--name", "meta-llama/Llama-3.3-70B-Instruct") == 0
    assert "model.name to llama-3.3-70b-instruct" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", ["", "a b", "a/b/c", "/b", "a/", "a\nb", "x" * 100])
def test_a_name_that_is_no_repository_is_refused(
    name: str, run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(config_file(tmp_path), "--name", name) == 1
    assert "--name OWNER/NAME" in capsys.readouterr().err


def test_a_config_that_can_not_be_used_is_one_message_with_file_and_field(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = config_file(tmp_path, hidden_size="wide")
    assert run(config, "--name", REPOSITORY) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f'error: {config}: hidden_size is "wide". Allowed: a whole')
    assert run(str(tmp_path / "missing.json"), "--name", REPOSITORY) == 1
    assert "missing.json: No such file" in capsys.readouterr().err
