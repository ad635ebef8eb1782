"""A preview reminds of preflight where a cluster answers that it has not looked at."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from breakeven.preflight_hint import Hint, remember
from tests.unit.cluster.recorded import TOKEN, write_kubeconfig


def _text(environment: dict[str, str], stack: str = "dev") -> str:
    hint = Hint(stack, environment)
    hint._thread.join(2)
    return hint.text()


def test_it_is_due_once_for_a_stack_and_a_cluster_that_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    config = tmp_path / "config"
    environment = {"KUBECONFIG": str(config), "XDG_STATE_HOME": str(tmp_path)}
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        write_kubeconfig(config, address)
        said = _text(environment)
        assert "(context here)" in said
        assert said.endswith("breakeven preflight dev")
        assert TOKEN not in said
        remember("dev", address)
        assert _text(environment) == ""
        assert _text(environment, "aws-prod") != ""


def test_nothing_is_printed_if_no_cluster_answers(tmp_path: Path) -> None:
    config = tmp_path / "config"
    environment = {"KUBECONFIG": str(config), "XDG_STATE_HOME": str(tmp_path)}
    assert _text(environment) == ""
    for text in ("", "[", "a: b", "current-context: x"):
        config.write_text(text, encoding="utf-8")
        assert _text(environment) == ""
    write_kubeconfig(config, "http://127.0.0.1:9")
    assert _text(environment) == ""


def test_a_preview_never_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hint, "_look", lambda _: time.sleep(1))
    began = time.monotonic()
    assert Hint("dev", {"HOME": str(tmp_path)}).text() == ""
    assert time.monotonic() - began < 0.5
