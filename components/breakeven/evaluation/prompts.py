"""Reads the user's own prompts and their checks: one JSON object per line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from breakeven.documents import first_mistake

FEW = 50
"""With fewer prompts, the interval of a pass rate is wide: over 25 points near 50%."""

_SHOWN = 20
"""Mistakes of a file that are listed; further ones are only counted."""

_OURS = ("model", "messages", "stream", "n", "max_tokens", "max_completion_tokens")
"""Fields of a request that this project sets."""


class PromptError(ValueError):
    """An invalid file of prompts; the message names every line, and what to do."""


class _Object(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ToolCall(_Object):
    """A tool call that an answer must contain.

    Attributes:
        name: Of the tool.
        arguments: Required arguments with their values; others are allowed.
    """

    name: Annotated[str, Field(min_length=1)]
    arguments: Mapping[str, Any] = {}


class Checks(_Object):
    """Checks of an answer; all that are stated must pass.

    Attributes:
        exact: The whole answer, or one of several; surrounding spaces are ignored.
        regex: A regular expression of Python that is found in the answer.
        json_schema: A JSON Schema, draft 2020-12, of the answer.
        tool_call: A tool call of the answer.
        judge: What a judge, another model, must confirm.
    """

    exact: str | Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    regex: str | None = None
    json_schema: Mapping[str, Any] | None = None
    tool_call: ToolCall | None = None
    judge: Annotated[str, Field(min_length=1)] | None = None

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            msg = f"a regular expression ({error})"
            raise ValueError(msg) from error
        return value

    @field_validator("json_schema")
    @classmethod
    def _is_schema(cls, value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415  # where it is used

        try:
            Draft202012Validator.check_schema(value or {})
        except SchemaError as error:
            msg = f"a JSON Schema of draft 2020-12 ({error.message})"
            raise ValueError(msg) from error
        return value

    @model_validator(mode="after")
    def _has_one(self) -> Checks:
        if not self.kinds:
            msg = "one or more of exact, regex, json_schema, tool_call, judge"
            raise ValueError(msg)
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the checks that are stated."""
        return tuple(self.model_dump(exclude_none=True))


class Prompt(_Object):
    """One prompt and its checks.

    Attributes:
        id: Its name; the line number if none is stated.
        prompt: What the user says; instead of `messages`.
        messages: The messages of a chat, as OpenAI's API takes them.
        request: Further fields of the request, such as tools, response_format or temperature.
        max_tokens: Most tokens of the answer; None for the option of the command.
        check: Checks of the answer.
    """

    id: str = ""
    prompt: Annotated[str, Field(min_length=1)] | None = None
    messages: Annotated[tuple[Mapping[str, Any], ...], Field(min_length=1)] | None = None
    request: Mapping[str, Any] = {}
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    check: Checks

    @model_validator(mode="after")
    def _asks_once(self) -> Prompt:
        if (self.prompt is None) == (self.messages is None):
            msg = "either prompt or messages"
            raise ValueError(msg)
        return self

    @field_validator("messages")
    @classmethod
    def _have_roles(
        cls, value: tuple[Mapping[str, Any], ...] | None
    ) -> tuple[Mapping[str, Any], ...] | None:
        for message in value or ():
            if message.get("role") not in ("system", "developer", "user", "assistant", "tool"):
                msg = "messages, each with role system, developer, user, assistant or tool"
                raise ValueError(msg)
        return value

    @field_validator("request")
    @classmethod
    def _leaves_ours(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        set_here = [name for name in _OURS if name in value]
        if set_here:
            msg = f"fields other than {', '.join(set_here)}, which breakeven evaluate sets"
            raise ValueError(msg)
        return value

    @property
    def chat(self) -> list[Mapping[str, Any]]:
        """The messages to send."""
        if self.messages is not None:
            return list(self.messages)
        return [{"role": "user", "content": self.prompt}]

    @property
    def most_input_tokens(self) -> int:
        """Upper limit of its input tokens: no token is shorter than a byte."""
        asked = json.dumps([self.chat, self.request], ensure_ascii=False)
        return len(asked.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A file of prompts.

    Attributes:
        prompts: One or more, with distinct ids.
        sha256: Of the file's bytes.
    """

    prompts: tuple[Prompt, ...]
    sha256: str

    @property
    def is_judged(self) -> bool:
        """Whether a prompt asks for a judge."""
        return any(prompt.check.judge is not None for prompt in self.prompts)


def read_prompts(path: Path) -> PromptFile:
    """Reads a file of prompts.

    Args:
        path: JSON Lines in UTF-8.

    Raises:
        PromptError: It cannot be read, or a line has a mistake; all lines with one are named.
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        msg = (
            f"{path}: cannot read the file ({error.strerror}). Give a file with one JSON object "
            "per line"
        )
        raise PromptError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{path}: not UTF-8 (byte {error.start:,}). Save it as UTF-8"
        raise PromptError(msg) from error
    prompts, mistakes = _read(text)
    if not prompts and not mistakes:
        mistakes = ["the file contains no prompts"]
    if mistakes:
        raise PromptError(_told(path, mistakes))
    return PromptFile(tuple(prompts), hashlib.sha256(content).hexdigest())


def _read(text: str) -> tuple[list[Prompt], list[str]]:
    prompts: list[Prompt] = []
    mistakes: list[str] = []
    lines: dict[str, int] = {}
    for number, line in _lines(text):
        try:
            prompt = Prompt.model_validate_json(line)
        except ValidationError as error:
            mistakes.append(f"line {number}: {first_mistake(error)}")
            continue
        prompt = prompt.model_copy(update={"id": prompt.id or str(number)})
        first = lines.setdefault(prompt.id, number)
        if first != number:
            mistakes.append(f'line {number}: the id "{prompt.id}" is already used in line {first}')
        prompts.append(prompt)
    return prompts, mistakes


def _lines(text: str) -> Iterator[tuple[int, str]]:
    # Not splitlines: it splits at characters that JSON allows within a string.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def _told(path: Path, mistakes: Sequence[str]) -> str:
    count = "1 line" if len(mistakes) == 1 else f"{len(mistakes)} lines"
    shown = [f"  {mistake}" for mistake in mistakes[:_SHOWN]]
    if len(mistakes) > _SHOWN:
        shown.append(f"  and {len(mistakes) - _SHOWN} more")
    example = '{"prompt": "Capital of France?", "check": {"regex": "Paris"}}'
    return "\n".join(
        [
            f"{path}: {count} invalid; no request was sent.",
            *shown,
            f"Example of a line: {example}. docs/evaluate.md describes all fields.",
        ]
    )
