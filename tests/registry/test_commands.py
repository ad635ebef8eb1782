"""The commands, from a stack to a registry inside the boundary."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from breakeven.bundle.lock import read_lock
from breakeven.cli.bundle import command
from tests.recording import stack_of
from tests.registry.conftest import Registry
from tests.unit.bundle.builders import finish_layout, make_image, make_model
from tests.unit.cli.running import exit_code


@pytest.fixture
def image(upstream: Registry, tmp_path: Path) -> str:
    """The engine's image, made here, in the registry outside; its pinned reference."""
    layout = tmp_path / "made"
    reference = make_image(layout, "vllm-openai", host=upstream.address)
    finish_layout(layout, reference)
    subprocess.run(
        [
            *("oras", "copy", "--no-tty", "--to-plain-http", "--from-oci-layout"),
            f"{layout}@{reference.digest}",
            f"{reference.host}/{reference.path}:v0.24.0",
        ],
        check=True,
        capture_output=True,
    )
    return f"{reference.host}/{reference.path}:v0.24.0@{reference.digest}"


@pytest.fixture
def site(image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A work folder; stack on-prem uses the image that was made here."""

    monkeypatch.setattr(
        command, "read_stack", lambda stack, _changed: stack_of(stack, **{"engine.image": image})
    )
    monkeypatch.chdir(tmp_path)
    make_model(tmp_path)
    return tmp_path


def test_from_a_stack_to_the_registry_inside(
    site: Path,
    image: str,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(*arguments: str) -> str:
        assert exit_code(monkeypatch, "bundle", *arguments) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    model = ("--model", "6f6073b423013f6a7d4d9f39144961bfbfbc386b")
    secret = run("keygen", "release")
    assert (site / "release.key").read_text().splitlines()[1] not in secret
    # The model is 40 kB, made here, under the name of one of 141 GB.
    assert exit_code(monkeypatch, "bundle", "plan", "on-prem", *model) == 1
    assert "--accept-size" in capsys.readouterr().err
    run("plan", "on-prem", *model, "--accept-size")
    lock = read_lock(site / "on-prem.lock.json")
    assert [str(entry.reference) for entry in lock.images if entry.used_by != ("the model",)] == [
        image
    ]
    paths = {file.path.split("/")[0] for file in lock.files}
    assert paths == {"cache", "program", "wheels"}
    run("pack", "on-prem.lock.json", *model, "--sign", "release.key", "--output", "bundle")
    run("verify", "bundle", "--key", "release.pub")
    at = ("--key", "release.pub", "--to", "inside", "--registry", registry.address)
    assert "pushed: " in run("load", "bundle", *at)
    assert "already there: " in run("load", "bundle", *at)
    assert registry.blobs() == set(lock.blobs())
    assert "chain unbroken" in run("log", "verify")
    told = json.loads(run("log", "show", "--format", "json"))
    actions = [entry["action"] for entry in told["entries"]]
    assert actions == ["keygen", "plan", "pack", "verify", *["load"] * 4]


def test_an_image_that_its_registry_lost_is_a_clear_error(
    site: Path,
    upstream: Registry,
    image: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upstream.blob_file(image.rpartition("@")[2]).unlink()
    model = str(site / "6f6073b423013f6a7d4d9f39144961bfbfbc386b")
    assert exit_code(monkeypatch, "bundle", "plan", "on-prem", "--model", model) == 1
    error = capsys.readouterr().err
    assert image.rpartition("@")[2] in error
    assert "Traceback" not in error
    assert not (site / "on-prem.lock.json").exists()
