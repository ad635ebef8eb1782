"""`breakeven model add` writes a model next to the stacks, from a hub on this machine or a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from breakeven.catalog.models import load_models
from breakeven.cli.model import add as module
from breakeven.cli.model.hub import ENDPOINT, TOKEN
from breakeven.price_sources import client as http
from breakeven.settings import model as model_settings
from breakeven.settings import own_models
from breakeven.settings.parse import parse
from tests.unit.catalog.model_configs import CONFIGS
from tests.unit.cli.running import Run, exit_code
from tests.unit.price_sources.provider import Answer, Asked, Provider, providing

REPOSITORY = "Owner/New_Model-8B"
COMMIT = "0123456789abcdef" * 2 + "01234567"
CONFIG = json.dumps(CONFIGS["llama-3.1-8b-instruct"]).encode()
QUANTIZATION = b'{"quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}}'


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own."""
    (tmp_path / "stacks").mkdir()
    monkeypatch.setattr(module, "PROJECT", tmp_path)
    monkeypatch.setattr(model_settings, "own_models", lambda: own_models.own_models(tmp_path))
    monkeypatch.delenv(TOKEN, raising=False)
    monkeypatch.setattr(http, "_BACKOFF_SECONDS", (0.0, 0.0, 0.0))
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, root: Path) -> Run:
    assert root.is_dir()
    return lambda *arguments: exit_code(monkeypatch, "model", "add", *arguments)


def answers(asked: Asked) -> Answer:
    """As the hub's API documents it: huggingface.co/docs/hub/api, `/api/models/{repo_id}`."""
    files = {"config.json": CONFIG, "hf_quant_config.json": QUANTIZATION}
    if asked.path == f"/api/models/{REPOSITORY}/revision/main":
        siblings = [{"rfilename": name} for name in (*files, "model.safetensors")]
        return Answer(json.dumps({"sha": COMMIT, "siblings": siblings}).encode())
    for name, content in files.items():
        if asked.path == f"/{REPOSITORY}/resolve/{COMMIT}/{name}":
            return Answer(content)
    return Answer(status=404)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing() as provider:
        provider.script = answers
        monkeypatch.setenv(ENDPOINT, provider.url)
        yield provider


def folder_of(root: Path) -> Path:
    return root / "stacks" / "models" / "Owner--New_Model-8B"


@pytest.mark.usefixtures("hub")
def test_files_and_settings_come_from_the_hub(
    run: Run, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(REPOSITORY) == 0
    assert (folder_of(root) / "config.json").read_bytes() == CONFIG
    assert (folder_of(root) / "hf_quant_config.json").read_bytes() == QUANTIZATION
    told = capsys.readouterr().out
    digest = hashlib.sha256(CONFIG + QUANTIZATION).hexdigest()
    assert f"configDigest: sha256:{digest}" in told
    assert f"revision: {COMMIT}" in told
    stack, problems = parse(
        {"model": {"name": "new-model-8b", "configDigest": f"sha256:{digest}", "maxLength": 2048}}
    )
    assert problems == ()
    [settings] = stack.models
    assert settings.model.repository == REPOSITORY
    assert settings.model.precision == "nvfp4"
    expected = load_models()["llama-3.1-8b-instruct"].parameters
    assert settings.model.facts.parameters == expected


def test_a_file_needs_no_network(
    run: Run, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(CONFIG)
    assert run(REPOSITORY, "--config", str(file)) == 0
    assert "requires model.revision" in capsys.readouterr().out
    assert [path.name for path in folder_of(root).iterdir()] == ["config.json"]


def test_files_that_changed_are_refused_with_their_digest(run: Run, root: Path) -> None:
    file = root / "config.json"
    file.write_bytes(CONFIG)
    assert run(REPOSITORY, "--config", str(file)) == 0
    (folder_of(root) / "config.json").write_bytes(CONFIG + b" ")
    stated = {"name": "new-model-8b", "configDigest": "sha256:" + "0" * 64, "maxLength": 2048}
    problems = [str(problem) for problem in parse({"model": stated})[1]]
    digest = hashlib.sha256(CONFIG + b" ").hexdigest()
    assert any("model.configDigest" in problem and digest in problem for problem in problems)
    unpinned = [str(problem) for problem in parse({"model": {"name": "new-model-8b"}})[1]]
    assert any("not stated" in problem for problem in unpinned)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_fault_that_passes_is_tried_again(status: int, run: Run, hub: Provider) -> None:
    hub.faults = [Answer(status=status), Answer(b"cut", missing=100)]
    assert run(REPOSITORY) == 0


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Answer(status=404), "Check the name"),
        (Answer(status=401), f"set {TOKEN}"),
        (Answer(b"<html>"), "is not a Hugging Face hub"),
        (Answer(b'{"sha": "main", "siblings": []}'), "returned no commit"),
        (
            Answer(json.dumps({"sha": COMMIT, "siblings": [{"rfilename": "a.gguf"}]}).encode()),
            "a.gguf",
        ),
    ],
)
def test_what_can_not_be_had_is_one_message(
    fault: Answer, said: str, run: Run, hub: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.faults = [fault]
    assert run(REPOSITORY) == 1
    captured = capsys.readouterr()
    assert said in " ".join(captured.err.split())
    assert captured.out == ""


def test_a_fault_leaves_nothing_behind(run: Run, hub: Provider, root: Path) -> None:
    hub.faults = [Answer(status=404)]
    assert run(REPOSITORY) == 1
    assert not folder_of(root).exists()


def test_a_hub_that_is_down_names_the_way_without_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    assert run(REPOSITORY) == 1
    assert "--config FILE" in capsys.readouterr().err


def test_the_token_goes_to_the_hub_and_into_no_message(
    run: Run, hub: Provider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TOKEN, "hf_secret")
    assert run(REPOSITORY) == 0
    assert {asked.headers.get("authorization") for asked in hub.asked} == {"Bearer hf_secret"}
    captured = capsys.readouterr()
    assert "hf_secret" not in captured.out + captured.err


def test_a_file_that_is_no_config_is_not_written(
    run: Run, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = root / "adapter_config.json"
    adapter.write_text('{"peft_type": "LORA", "base_model_name_or_path": "a/b"}')
    assert run(REPOSITORY, "--config", str(adapter)) == 1
    assert "LoRA adapter of a/b" in capsys.readouterr().err
    assert not folder_of(root).exists()


def test_an_earlier_model_is_replaced_only_if_asked(
    run: Run, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = root / "config.json"
    file.write_bytes(CONFIG)
    assert run(REPOSITORY, "--config", str(file)) == 0
    assert run(REPOSITORY, "--config", str(file)) == 1
    assert "--replace" in capsys.readouterr().err
    assert run(REPOSITORY, "--config", str(file), "--replace") == 0
    assert [path.name for path in (root / "stacks" / "models").iterdir()] == [folder_of(root).name]


@pytest.mark.parametrize("name", ["model", "a/b/c", "../x/y", "a b/c", f"a/{'x' * 50}"])
def test_a_name_that_is_no_repository_is_refused(
    name: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(name) == 1
    assert "error:" in capsys.readouterr().err
