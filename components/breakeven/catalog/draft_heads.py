"""Heads trained to propose tokens for a model, as far as their size and commit are known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftHead:
    """A head of a recipe that proposes tokens.

    Attributes:
        repository: Of its weights.
        revision: Commit, in 40 hexadecimal digits.
        parameters: Its parameters.
        source: Where commit and parameters are from.
        as_of: Day of that, as YYYY-MM-DD.
    """

    repository: str
    revision: str
    parameters: int
    source: str
    as_of: str


def find_draft_head(repository: str) -> DraftHead | None:
    """Returns the head in a repository; None if its size or commit is not known."""
    return _heads().get(repository.lower())


@cache
def _heads() -> Mapping[str, DraftHead]:
    text = (resources.files(__package__) / "data" / "draft_heads.json").read_text(encoding="utf-8")
    heads = [DraftHead(**entry) for entry in json.loads(text)["heads"]]
    return {head.repository.lower(): head for head in heads}
