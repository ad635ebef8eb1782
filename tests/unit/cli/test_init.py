"""`breakeven init` writes a stack that can be previewed, and never over another."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import breakeven.cli.init.command as module
from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import find_model
from breakeven.cli.init.stack_answers import Where
from breakeven.errors import ExitCode
from breakeven.planning.offline import load_values
from breakeven.settings.files import ROOT, stack_values
from breakeven.settings.parse import parse
from breakeven.settings.stack import Settings
from tests.unit.cli.running import exit_code

Run = Callable[..., tuple[int, Path]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in a project of its own; nobody answers."""
    (tmp_path / "stacks").mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    monkeypatch.setattr(module, "PROJECT", tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def call(name: str, *options: str) -> tuple[int, Path]:
        code = exit_code(monkeypatch, "init", name, *options)
        return code, tmp_path / "stacks" / f"Pulumi.{name}.yaml"

    return call


def written(path: Path) -> Settings:
    """The settings of a file that the command wrote."""
    stack = path.name.split(".")[1]
    [settings] = parse(stack_values(stack, path.parent.parent))[0].models
    return settings


def check_previews(path: Path) -> None:
    """Reads the file as a preview does, with prices and all checks."""
    values = stack_values("chat", path.parent.parent)
    today = datetime.now(tz=UTC).date()
    assert load_values("chat", values, today).assumptions.stack == "chat"


@pytest.mark.parametrize("where", list(Where))
@pytest.mark.parametrize("tokens", ["1", "5000000", "2000000000"])
def test_what_it_writes_can_be_previewed(where: str, tokens: str, run: Run) -> None:
    price = ["--node-price", "250000"] if where == Where.OWN else []
    code, path = run("chat", "--where", where, "--tokens-per-day", tokens, *price)
    assert code == 0
    check_previews(path)


@pytest.mark.parametrize(("where", "region"), [("azure", "westeurope"), ("gcp", "europe-west4")])
def test_a_region_with_prices_can_be_chosen(where: str, region: str, run: Run) -> None:
    code, path = run("chat", "--where", where, "--region", region)
    assert code == 0
    check_previews(path)
    assert written(path).pricing.region == region


@pytest.mark.parametrize(
    ("where", "region", "told"),
    [
        ("aws", "nowhere", "us-east-1"),
        ("gcp", "nowhere", "us-central1"),
        ("own", "eu-central-1", "has no effect with --where own"),
    ],
)
def test_a_region_without_prices_is_refused_with_those_that_have_some(
    where: str, region: str, told: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    code, path = run("chat", "--where", where, "--region", region)
    assert code == ExitCode.ERROR
    assert told in " ".join(capsys.readouterr().err.split())
    assert not path.exists()


@pytest.mark.parametrize(
    "model",
    [
        *("qwen2.5-0.5b-instruct", "gemma-2-9b", "gpt-oss-120b", "deepseek-v3.2", "kimi-k3"),
        *("qwen3.6-35b-a3b-nvfp4", "nemotron-3-nano-30b-a3b-bf16", "gemma-4-26b-a4b"),
    ],
)
def test_a_model_can_be_previewed_or_the_reason_is_reported(
    model: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    code, path = run("chat", "--model", model)
    if code:
        said = capsys.readouterr().err
        assert "does not fit any priced machine" in said
        assert "Nearest machine that holds it" in said or "It fits" in said
        assert not path.exists()
    else:
        check_previews(path)


@pytest.mark.parametrize(
    ("model", "where", "region"),
    [
        ("deepseek-v3.2", "aws", "eu-central-1"),
        ("gpt-oss-120b", "aws", "eu-central-1"),
        ("glm-5.2-fp8", "azure", "westeurope"),
        ("qwen3.6-35b-a3b", "azure", "westeurope"),
        ("minimax-m2.7", "gcp", "europe-west4"),
        ("kimi-k2.6", "own", ""),
    ],
)
def test_a_model_is_put_on_gpus_that_have_its_kernels_and_all_is_priced(
    model: str, where: str, region: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--region", region] if region else ["--node-price", "400000", "--gpu", "h200"]
    code, path = run("chat", "--model", model, "--where", where, *options)
    if code:
        told = " ".join(capsys.readouterr().err.split())
        near = re.search(r"Nearest machine that holds it: \S+ \(\d x (\S+)\)", told)
        assert near is not None
        gpu, facts = find_gpu(near[1]), find_model(model)
        assert facts.has_sparse_attention
        assert gpu.has_sparse_attention
        return
    settings = written(path)
    gpu, facts = settings.pool.gpu, settings.model.facts
    assert all(map(gpu.supports, facts.stored_precisions(settings.model.precision)))
    today = datetime.now(tz=UTC).date()
    report = load_values("chat", stack_values("chat", path.parent.parent), today).report()
    assert report.infrastructure.not_priced == ()


def test_a_part_of_a_gpu_is_for_own_servers(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, path = run("chat", "--where", "own", "--node-price", "250000", "--gpu", "h100/shared-2")
    assert code == 0
    check_previews(path)
    assert written(path).pool.gpus_per_node == 16
    code, _ = run("other", "--where", "aws", "--gpu", "h100/shared-2")
    assert code == ExitCode.ERROR
    assert "whole GPUs, such as h100" in " ".join(capsys.readouterr().err.split())


def test_gpus_of_amd_get_their_own_image_and_labels(run: Run) -> None:
    code, path = run("chat", "--where", "own", "--node-price", "250000", "--gpu", "mi300x")
    assert code == 0
    settings = written(path)
    assert "/vllm-openai-rocm:" in settings.engine.image
    assert settings.pool.node_labels == settings.pool.gpu.node_labels


def test_it_says_only_what_differs_from_the_defaults(run: Run) -> None:
    _, path = run("chat")
    assert "breakeven:model:" not in path.read_text(encoding="utf-8")
    assert "tokensPerDay" not in path.read_text(encoding="utf-8")


def test_replicas_serve_the_peak_minute(run: Run) -> None:
    _, small = run("chat", "--tokens-per-day", "5000000", "--gpu", "l4")
    _, large = run("chat2", "--tokens-per-day", "500000000", "--gpu", "l4")
    assert " max:" not in small.read_text(encoding="utf-8")
    assert written(large).replicas.max > 5


def test_a_machine_that_would_take_more_replicas_than_allowed_is_not_chosen(run: Run) -> None:
    code, path = run("chat", "--tokens-per-day", "200000000000")
    assert code == 0
    check_previews(path)


def test_it_never_overwrites(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    _, path = run("chat")
    path.write_text("mine", encoding="utf-8")
    code, _ = run("chat", "--tokens-per-day", "7")
    assert code == 1
    assert "already exists" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "mine"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_others_may_read_the_file_as_any_other(run: Run) -> None:
    _, path = run("chat")
    plain = path.with_name("plain")
    plain.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_json_has_the_settings(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("chat", "--format", "json", "--data-stays")
    told = json.loads(capsys.readouterr().out)
    assert told["stack"] == "chat"
    assert told["settings"]["network.dataMayLeave"] is False


def test_the_example_for_own_servers_in_the_help_writes_a_stack(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert module.init.__doc__
    [example] = re.findall(
        r"breakeven init (\S+ [^:]*--where own.*?)\n\n", module.init.__doc__, re.DOTALL
    )
    code, path = run(*shlex.split(example))
    assert code == 0, capsys.readouterr().err
    assert written(path).pricing.owned is not None


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--model", "nope"], "--model: no facts"),
        (["--gpu", "h100-nvl"], "does not fit any priced machine of aws"),
        (["--where", "gcp", "--gpu", "rtx-pro-6000"], "boot from Hyperdisk only"),
        (["--where", "own"], "--node-price 290000"),
        (["--where", "gcp", "--node-price", "250000"], "or choose --where own"),
        (
            ["--tokens-per-day", "1000000000000"],
            "more than 1,000 replicas on every candidate machine",
        ),
        (["--revision", "main"], "breakeven:model.revision"),
        (["--api", "nobody/nothing"], "breakeven:api.inUse"),
        (["--where", "own", "--gpu", "l4", "--model", "llama-3.1-405b-instruct"], "does not fit"),
    ],
)
def test_invalid_combinations_of_options_are_reported_and_nothing_is_written(
    options: list[str], part: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    code, path = run("chat", *options)
    assert code in {ExitCode.ERROR, ExitCode.PRICE}  # an API without price is a missing price
    assert part in " ".join(capsys.readouterr().err.split())
    assert not path.exists()


def test_all_invalid_options_are_reported_together(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    code, path = run("chat", "--model", "nope", "--gpu", "h9000", "--region", "nowhere")
    assert code == ExitCode.ERROR
    told = capsys.readouterr().err
    assert all(part in told for part in ("nope", "h9000", '"nowhere"', "breakeven model add"))
    assert not path.exists()


@pytest.mark.parametrize("name", ["Chat", "../chat", "a b", "-x-", "x" * 41])
def test_an_invalid_name_is_reported(
    name: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--", name)[0] == 1
    assert "lower-case letters" in capsys.readouterr().err


def answering(text: str) -> io.StringIO:
    person = io.StringIO(text)
    person.isatty = lambda: True  # type: ignore[method-assign]  # a terminal with somebody at it
    return person


def test_a_person_is_asked_and_enter_takes_the_default(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", answering("\nown\n40000000\nn\n\n123456\n"))
    code, path = run("chat")
    assert code == 0
    asked = capsys.readouterr().out
    assert "Model to serve [qwen2.5-7b-instruct]" in asked
    settings = written(path)
    assert settings.traffic.tokens_per_day == 40_000_000
    assert settings.pricing.owned.purchase_price == 123_456
    assert not settings.network.data_may_leave


def test_after_a_wrong_word_the_question_is_asked_again(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", answering("\nmoon\n"))
    assert run("chat")[0] == 1
    asked = capsys.readouterr().out
    assert 'found "moon". Allowed: aws, azure, gcp, own' in asked
    assert asked.count("Location of the GPUs") == 2
