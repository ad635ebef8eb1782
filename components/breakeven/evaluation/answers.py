"""The answers that endpoints gave, as they are kept on the user's own disk."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel


class Answer(BaseModel):
    """One answer, judged.

    Attributes:
        prompt: Id of the prompt.
        endpoint: Name of the endpoint.
        asked: Digest of the request and its endpoint; an answer counts only for the same digest.
        model: Model that the endpoint says answered.
        failed: Checks that it fails; empty if it passes.
        empty: Whether there is neither text nor a tool call.
        input_tokens: As the endpoint counts them.
        output_tokens: The same, including reasoning.
        seconds: From the request to the whole answer.
        usd: What the endpoint charges for it; 0 for own replicas.
        judge_usd: What the judge charges.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, extra="ignore", frozen=True
    )

    prompt: str
    endpoint: str
    asked: str
    model: str
    failed: tuple[str, ...]
    empty: bool
    input_tokens: int
    output_tokens: int
    seconds: float
    usd: float = 0.0
    judge_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Journal:
    """The file with the answers of a running evaluation of a stack.

    Attributes:
        path: JSON Lines; answers with their text, and errors.
    """

    path: Path

    def make(self) -> None:
        """Creates its folder, which version control ignores."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        ignored = self.path.parent / ".gitignore"
        if not ignored.is_file():
            ignored.write_text("*\n", encoding="utf-8")

    def lines(self, start: int = 0) -> Iterator[Mapping[str, object]]:
        """Yields the entries from a byte on; an incomplete last line is skipped."""
        if not self.path.is_file():
            return
        with self.path.open("rb") as file:
            file.seek(start)
            for line in file:
                try:
                    noted = json.loads(line)
                except ValueError:
                    continue  # the process was killed while it wrote
                if isinstance(noted, dict):
                    yield noted

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Locks the stack's evaluation; yields whether no other evaluation was running."""
        self.make()
        with self.path.with_suffix(".lock").open("w", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def tool(self) -> str:
        """The tool that asked last, with its version; empty if there are no entries."""
        return next((str(each["tool"]) for each in reversed([*self.lines()]) if "tool" in each), "")

    def answers(self, wanted: Mapping[tuple[str, str], str]) -> tuple[Answer, ...]:
        """Returns the last answer to each question.

        Args:
            wanted: Digest of what is asked, by endpoint and prompt.
        """
        found: dict[tuple[str, str], Answer] = {}
        for line in self.lines():
            try:
                answer = Answer.model_validate(line)
            except ValidationError:
                continue  # not an answer: what went wrong, or why it stopped
            place = (answer.endpoint, answer.prompt)
            if wanted.get(place) == answer.asked:
                found[place] = answer
        return tuple(found[place] for place in wanted if place in found)


def digest_of(parts: Sequence[object]) -> str:
    """Returns a digest of a request and its endpoint."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
