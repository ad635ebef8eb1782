"""Command lines are read as Kubernetes, a shell and vLLM's parser read them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from breakeven.catalog import configs
from breakeven.policy.manifest import UNKNOWN, Container
from breakeven.policy.rules import command_lines
from breakeven.policy.rules.command_lines import (
    ELSEWHERE,
    WATCHED,
    WHOLE_FLAGS,
    environment,
    flags,
    json_value,
    words,
)

RULES = Path(command_lines.__file__).parent
ENGINES = Path(configs.__file__).parents[1] / "data" / "engines"


def container(*args: str, **env: Any) -> Container:
    return Container(
        "c", "containers", {"args": list(args), "env": [_entry(*e) for e in env.items()]}
    )


def _entry(name: str, value: Any) -> dict[str, Any]:
    return {"name": name, "value" if isinstance(value, str) else "valueFrom": value}


def test_every_flag_that_a_rule_reads_is_watched() -> None:
    """Otherwise an abbreviation of it would pass."""
    read = {
        flag
        for path in RULES.glob("*.py")
        if path.name != "command_lines.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if not line.lstrip().startswith(("do=", "what=", "#"))
        for flag in re.findall(r'"(--[a-z][a-z-]+)"', line)
    }
    assert read == set(WATCHED)


def test_no_whole_flag_of_any_release_is_taken_for_another_one() -> None:
    known = {
        f"--{flag}"
        for path in ENGINES.glob("*.json")
        for flag in json.loads(path.read_text(encoding="utf-8"))["flags"]
    }
    assert known
    taken = {flag for flag in known if any(other.startswith(flag) for other in WATCHED)}
    assert taken - set(WATCHED) == set(WHOLE_FLAGS)


def test_variables_are_filled_in_as_by_kubernetes() -> None:
    given = container(
        *("$(A)", "--$(B)", "$$(A)", "$(LATER)", "$(SECRET)", "$(NOBODY)"),
        A="a",
        B="$(A)-b $(LATER)",
        LATER="$(B)",
        SECRET={"secretKeyRef": {}},
    )
    # A variable sees those before it; the command line sees all.
    assert environment(given).stated["B"] == "a-b $(LATER)"
    assert environment(given).stated["SECRET"] == ELSEWHERE
    assert words(given)[:1] == ["a"]
    assert "$(A)" in words(given)
    assert words(given)[-2:] == ["$(SECRET)", "$(NOBODY)"]


def test_the_last_of_a_flag_counts_however_it_is_written() -> None:
    stated = flags(container("--load-format=safetensors", "--load_f", "pt")).stated
    assert stated["--load-format"] == "pt"
    assert "--disable-fastapi-docs" not in flags(
        container("--disable-fastapi-docs", "--no-disable-fastapi-docs")
    )
    assert "--disable-fastapi-docs" in flags(
        container("--no-disable-fastapi-docs", "--disable-fastapi-docs")
    )


def test_members_of_json_are_read_in_both_forms() -> None:
    flag = "--speculative-config"
    assert json_value(container(f'{flag}={{"model": "a b"}}'), flag, "model") == "a b"
    assert json_value(container(flag, '{"model": "a"}'), flag, "model") == "a"
    assert json_value(container(f"{flag}.model=a"), flag, "model") == "a"
    assert json_value(container(f"{flag}=$(X)"), flag, "model") is UNKNOWN
    assert json_value(container("--model=a"), flag, "model") is None
