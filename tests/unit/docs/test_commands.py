"""What documents tell people to type exists: commands, their options, targets, stacks, code."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.cli import _parser
from breakeven.settings.files import ROOT
from tests.each import each
from tests.unit.cli.running import all_commands

DOCUMENTS = sorted(
    [
        *(ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md")),
        *(ROOT / "docs").rglob("*.md"),
    ],
    key=str,
)
BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:breakeven|make|python3 tools/bootstrap) [^`\n]+)`")
BREAKEVEN: Any = all_commands()
TARGETS = set(
    re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def blocks(document: Path) -> Iterator[tuple[str, str]]:
    for found in BLOCK.finditer(document.read_text(encoding="utf-8")):
        yield found["language"], found["text"]


def typed_in(document: Path) -> Iterator[tuple[str, bool]]:
    """Yields commands that are typed, and whether they are whole, so that nothing may lack."""
    for language, text in blocks(document):
        if language in {"", "sh", "bash"}:
            lines = re.sub(r"\\\n\s*", " ", text).splitlines()
            # Where prompts are shown, the other lines are what was answered.
            for line in [one for one in lines if one.startswith("$ ")] or lines:
                yield re.sub(r"(^\s*\$ )|(\s+#.*$)", "", line).strip(), True
    for words in INLINE.findall(document.read_text(encoding="utf-8")):
        yield words, False


def words_of(command: str) -> list[str]:
    for separator in ("&&", "|", ";", " > "):
        command = command.partition(separator)[0]
    return shlex.split(command)


def check_breakeven(words: list[str], *, whole: bool) -> None:
    command, name = BREAKEVEN, "breakeven"
    while getattr(command, "commands", None) and words and not words[0].startswith("-"):
        name, *words = words
        assert name in command.commands, f"no command {name}"
        command = command.commands[name]
    if getattr(command, "commands", None):
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known
    elif whole:
        command.make_context(name, words)
    else:
        known = {
            option
            for parameter in command.params
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known | {
            "--help"
        }


def check_make(words: list[str]) -> None:
    for word in words:
        if "=" not in word:
            assert word in TARGETS, f"no target {word}"
        elif (
            word.startswith("STACK=")
            and re.fullmatch(r"STACK=[a-z0-9-]+", word)
            and word != "STACK=chat"
        ):
            assert (ROOT / "stacks" / f"Pulumi.{word[6:]}.yaml").is_file(), word


@each("document", DOCUMENTS)
def test_commands_that_are_typed_exist_with_their_options(document: Path) -> None:
    for command, whole in typed_in(document):
        if not command.startswith(("breakeven ", "make ", "python3 tools/bootstrap ")):
            continue
        words = words_of(command)
        try:
            if words[0] == "make":
                check_make(words[1:])
            elif words[0] == "breakeven":
                check_breakeven(words[1:], whole=whole)
            elif words[2] == "run" and words[3:4] == ["breakeven"]:
                check_breakeven(words[4:], whole=whole)
            else:
                _parser().parse_args(words[2:])
        except (Exception, SystemExit) as error:  # noqa: BLE001  # told with what was typed
            pytest.fail(f"`{command}`: {error}")


@each("document", DOCUMENTS)
def test_code_blocks_are_of_their_language(document: Path) -> None:
    readers: dict[str, Callable[[str], object]] = {
        "yaml": yaml.safe_load,
        "json": json.loads,
        "python": ast.parse,
    }
    for language, text in blocks(document):
        if language in readers:
            readers[language](text)


def test_there_is_something_to_check() -> None:
    assert sum(1 for document in DOCUMENTS for _ in typed_in(document)) > 100
