"""A document that differs from its format says its key, what was found and what is allowed."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from breakeven.documents import first_mistake


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    count: Annotated[int, Field(ge=1)] = 1
    share: float = 0
    whole: bool = True


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid")
    format: Literal["one/1"]
    code: Annotated[str, Field(pattern="^[a-f]$")] = "a"
    entries: list[Inner] = []


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ("{", "invalid JSON: EOF while parsing an object at line 1 column 1"),
        ("[]", "the document is a list; allowed: an object"),
        ("{}", "format is missing"),
        ('{"format": "one/2"}', "format is \"one/2\"; allowed: 'one/1'"),
        ('{"format": "one/1", "more": 1}', "unknown key more"),
        ('{"format": "one/1", "code": "x"}', 'code is "x"; allowed: a text like ^[a-f]$'),
        ('{"format": "one/1", "entries": {}}', "entries is an object; allowed: a list"),
        ('{"format": "one/1", "entries": [3]}', "entries[0] is 3; allowed: an object"),
        (
            '{"format": "one/1", "entries": [{"name": null}]}',
            "entries[0].name is null; allowed: a text",
        ),
        (
            '{"format": "one/1", "entries": [{"name": "a", "count": 0}]}',
            "entries[0].count is 0; allowed: 1 or more",
        ),
        (
            '{"format": "one/1", "entries": [{"name": "a", "share": true}]}',
            "entries[0].share is true; allowed: a number",
        ),
        (
            '{"format": "one/1", "entries": [{"name": "a", "whole": "yes"}]}',
            'entries[0].whole is "yes"; allowed: true or false',
        ),
    ],
)
def test_the_first_mistake_is_told_in_words(content: str, mistake: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Document.model_validate_json(content, strict=True)
    assert first_mistake(caught.value) == mistake
