"""Command lines and variables of containers, read as Kubernetes, a shell and argparse read them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Any

from breakeven.policy.manifest import UNKNOWN, Container, Unknown, at, listed

ELSEWHERE = "a value from elsewhere"
"""Stands for the value of a variable that is taken from a place which is not at hand."""

WATCHED = (
    "--allowed-local-media-path",
    "--allowed-media-domains",
    "--api-key",
    "--config",
    "--disable-fastapi-docs",
    "--distributed-executor-backend",
    "--enable-log-outputs",
    "--enable-log-requests",
    "--enable-tokenizer-info-endpoint",
    "--generation-config",
    "--headless",
    "--hf-config-path",
    "--kv-transfer-config",
    "--load-format",
    "--log-config-file",
    "--logits-processors",
    "--lora-modules",
    "--max-model-len",
    "--model",
    "--nnodes",
    "--profiler-config",
    "--reasoning-parser-plugin",
    "--revision",
    "--scheduler-cls",
    "--shutdown-timeout",
    "--speculative-config",
    "--ssl-certfile",
    "--tokenizer",
    "--tool-parser-plugin",
    "--tool-server",
    "--trust-remote-code",
    "--worker-cls",
    "--worker-extension-cls",
)
"""Flags of vLLM that rules read. A test compares the list with the rules."""

WHOLE_FLAGS = ("--reasoning-parser",)
"""Other flags of vLLM that are the beginning of a watched one: argparse takes a whole name first.

A test compares the list with every release of vLLM.
"""

_CONTINUED = re.compile(r"\\\r?\n")
"""What a shell drops: a backslash before the end of a line."""

_REFERENCE = re.compile(r"\$\$|\$\(([\w.-]+)\)")
"""What Kubernetes fills in, and the escape that keeps it from doing so."""

_SHELL = re.compile(r"(\S*/)?(ba|da|a|z|k)?sh")
_SHELL_COMMAND = re.compile(r"-[a-z]*c[a-z]*")
_QUOTED = re.compile(r"(?<!\$)'[^']*'|\"[^\"$`]*\"|\\.")
_NOT_PLAIN = re.compile(r"[$`;&|<>{}*?\[\]~()!\n]|(?<!\S)#")
"""What a shell does not take as it stands: expansions, patterns, further commands, comments."""

_ASSIGNED = re.compile(r"(VLLM_|HF_|TRANSFORMERS_|PYTHON|LD_|DO_NOT_TRACK|BASH_ENV|ENV)\w*=.*")
_TAKE_A_VALUE = ("--api-key", "--host", "--model", "--port", "--served-model-name")
"""Flags that take the next word as their value; after a switch the next word can be a flag."""


@dataclass(frozen=True, slots=True)
class Stated:
    """Flags of a command line, or variables of an environment.

    Attributes:
        stated: Those that are known, with their values.
        is_complete: Whether all of them are known.
    """

    stated: Mapping[str, Any]
    is_complete: bool

    def __contains__(self, name: str) -> bool:
        return name in self.stated

    def lacks(self, name: str) -> bool:
        """Tells whether one is certainly missing."""
        return self.is_complete and name not in self.stated

    def value(self, name: str) -> Any:
        """Returns a value; None if it is missing, UNKNOWN if it can still appear."""
        return self.stated.get(name, None if self.is_complete else UNKNOWN)


def environment(container: Container) -> Stated:
    """Returns the values of a container's variables, with those that they repeat filled in.

    One that comes from elsewhere is ELSEWHERE. If envFrom names a ConfigMap or Secret that is not
    in the manifests, some are unknown.
    """
    found: dict[str, Any] = {}
    entries = container.spec.get("env")
    unknown = isinstance(entries, Unknown) or bool(container.spec.get("envFrom"))
    for entry in listed(entries):
        name, source = at(entry, "name"), at(entry, "valueFrom")
        unknown |= isinstance(name, Unknown)
        if not isinstance(name, str):
            continue
        if isinstance(source, Unknown):
            found[name] = UNKNOWN
        elif source is not None:
            found[name] = ELSEWHERE
        else:
            value = at(entry, "value")
            found[name] = _with_variables(value, found) if isinstance(value, str) else value
    return Stated(found, not unknown)


def _with_variables(text: str, variables: Mapping[str, Any]) -> str:
    """Returns a text as Kubernetes fills it in; what it cannot know stays a reference."""

    def filled(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        value = variables.get(match[1])
        return value if isinstance(value, str) and value != ELSEWHERE else match[0]

    return _REFERENCE.sub(filled, text)


def command_items(container: Container) -> list[str]:
    """Returns the items of command and arguments, with the variables that are known."""
    variables = environment(container).stated
    return [
        _with_variables(item, variables)
        for key in ("command", "args")
        for item in listed(container.spec.get(key))
        if isinstance(item, str)
    ]


def words(container: Container) -> list[str]:
    """Returns command and arguments as single words, with shell lines split."""
    found: list[str] = []
    for item in command_items(container):
        found += _split(item) if re.search(r"\s", item) else [item]
    return found


def _split(line: str) -> list[str]:
    """Takes a line apart. Comments stay: what begins one is too easily mistaken."""
    line = _CONTINUED.sub("", line)
    try:
        return shlex.split(line)
    except ValueError:
        return [re.sub(r"['\"\\]", "", word) for word in line.split()]


def flags(container: Container) -> Stated:
    """Returns the flags of a container's command line; "" for a flag without value.

    An abbreviation counts for every watched flag that argparse may take it for, and `--no-NAME`
    takes NAME back. A word that a shell or Kubernetes expands can be any flag, so some are then
    unknown.
    """
    found: dict[str, str] = {}
    line = words(container)
    for word, following in zip_longest(line, line[1:], fillvalue=""):
        if not word.startswith("--"):
            continue
        stated, equals, value = word.partition("=")
        own = value if equals else "" if following.startswith("-") else following
        name, dot, below = stated.partition(".")
        name = name.replace("_", "-")
        found[f"{name}{dot}{below}"] = own
        for taken_back in _negated(name):
            found.pop(taken_back, None)
        for full in [] if dot else _abbreviated(name):
            found[full] = own
    parts = (container.spec.get("command"), container.spec.get("args"))
    unknown = any(isinstance(item, Unknown) for part in parts for item in (part, *listed(part)))
    return Stated(found, not unknown and not list(filled_in(container)))


def _abbreviated(name: str) -> Iterator[str]:
    """Yields the watched flags that a name may stand for."""
    if name not in (*WATCHED, *WHOLE_FLAGS) and name != "--":
        yield from (flag for flag in WATCHED if flag.startswith(name))


def _negated(name: str) -> Iterator[str]:
    """Yields the watched flags that a name such as --no-enable-log-requests takes back."""
    if name.startswith("--no-"):
        yield from (flag for flag in WATCHED if f"--no-{flag[2:]}".startswith(name))


def json_value(container: Container, flag: str, key: str) -> Any:
    """Returns a member of a flag whose value is JSON, or is stated as FLAG.KEY.

    Returns:
        UNKNOWN where the flag is there and its value cannot be read; None where neither is stated.
    """
    dotted = flags(container).stated.get(f"{flag}.{key}")
    if dotted is not None:
        return dotted
    items = command_items(container)
    for item, following in zip_longest(items, items[1:]):
        name, equals, value = str(item).partition("=")
        if name.replace("_", "-") != flag:
            continue
        try:
            return at(json.loads(value if equals else following or ""), key)
        except (ValueError, RecursionError):
            return UNKNOWN
    return UNKNOWN if flag in flags(container) else None


def filled_in(container: Container) -> Iterator[str]:
    """Yields what of a command line is known only when it runs.

    What Kubernetes fills in stays one word, so a value behind "=" stays a value. A shell makes of
    a line what it likes, so only a line of plain words is taken for what it says.
    """
    items = command_items(container)
    for before, word in pairwise(["", *items]):
        referred = [match for match in _REFERENCE.finditer(word) if match[1]]
        is_value = re.match(r"--[\w-]+=", word) or before in _TAKE_A_VALUE
        if referred and not is_value and (word.startswith(("$", "-")) or not before):
            yield word
        if _ASSIGNED.fullmatch(word):
            yield word
    for number, word in enumerate(items):
        if _SHELL.fullmatch(word):
            yield from _not_plain(items[number + 1 :])


def _not_plain(behind: list[str]) -> Iterator[str]:
    """Yields the shell syntax that is more than plain words."""
    command = next((n for n, word in enumerate(behind[:3]) if _SHELL_COMMAND.fullmatch(word)), None)
    if command is None:
        yield from behind[:1] or ["a shell without a command"]
        return
    for script in behind[command + 1 : command + 2]:
        line = _QUOTED.sub("", _CONTINUED.sub("", script.strip()))
        first = _NOT_PLAIN.search(line)
        if first is not None:
            yield line[first.start() : first.start() + 20]
        elif _ASSIGNED.match(script.lstrip()):
            yield script
