"""`breakeven preflight` as text and as JSON, and what it says where no cluster answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from breakeven.cluster.preflight.reference import SCHEMA
from tests.unit.cli.running import exit_code
from tests.unit.cluster.preflight.whole import SECRET, needs_of, whole
from tests.unit.cluster.recorded import TOKEN, Recorded, serving, write_kubeconfig


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_text_has_a_line_each_and_the_exit_code_says_whether_all_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = whole(needs_of("aws-prod"))
    with serving(Recorded(answers)) as address:
        config = str(write_kubeconfig(tmp_path / "config", address))
        assert exit_code(monkeypatch, "preflight", "aws-prod", "--kubeconfig", config) == 0
        good = capsys.readouterr().out
        del answers["/apis/keda.sh/v1alpha1"]
        assert exit_code(monkeypatch, "preflight", "aws-prod", "--kubeconfig", config) == 1
    bad = capsys.readouterr().out
    assert "Context here is ready for stack aws-prod" in good
    assert "FAILED" not in good
    assert "FAILED   missing definition of ScaledObject (keda.sh/v1alpha1)" in bad
    assert "fix:     kubectl apply --server-side --force-conflicts" in bad
    assert "Context here is not ready for stack aws-prod" in bad
    for told in (good, bad):
        assert SECRET not in told
        assert TOKEN not in told


def test_json_keeps_its_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Recorded(whole(needs_of("on-prem")))) as address:
        config = str(write_kubeconfig(tmp_path / "config", address))
        arguments = ("on-prem", "--kubeconfig", config, "--format", "json")
        assert exit_code(monkeypatch, "preflight", *arguments) == 0
    answer = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(answer)
    assert (answer["version"], answer["stack"], answer["status"]) == (1, "on-prem", "unknown")


def test_no_cluster_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(write_kubeconfig(tmp_path / "config", "http://127.0.0.1:9"))
    assert exit_code(monkeypatch, "preflight", "dev", "--kubeconfig", config) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: the API server at http://127.0.0.1:9 does not respond")
    assert error.count("\n") == 1
    assert exit_code(monkeypatch, "preflight", "dev", "--kubeconfig", config, "--context", "x") == 1
    assert "no context" in capsys.readouterr().err
