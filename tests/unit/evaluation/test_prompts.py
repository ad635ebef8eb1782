"""The user's own prompts, and what is said of those that cannot be used."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from breakeven.evaluation.prompts import PromptError, read_prompts

GOOD = {"prompt": "Capital of France?", "check": {"regex": "Paris"}}


def written(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "prompts.jsonl"
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("\n".join(texts), encoding="utf-8")
    return path


def test_prompts_have_ids_and_the_file_a_digest(tmp_path: Path) -> None:
    named = {"id": "b", "messages": [{"role": "user", "content": "x"}], "check": {"exact": "y"}}
    path = written(tmp_path, GOOD, "", named, "")
    file = read_prompts(path)
    assert [each.id for each in file.prompts] == ["1", "b"]
    assert file.prompts[0].chat == [{"role": "user", "content": "Capital of France?"}]
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not file.is_judged


def test_a_token_has_a_byte_or_more(tmp_path: Path) -> None:
    [prompt] = read_prompts(written(tmp_path, {**GOOD, "prompt": "é" * 100})).prompts
    assert prompt.most_input_tokens >= 200


def test_every_line_with_a_mistake_is_named_in_one_message(tmp_path: Path) -> None:
    lines: dict[str | None, object] = {
        None: GOOD,
        "line 2: invalid JSON": "{",
        "line 3: check is missing": {"prompt": "x"},
        "line 4: check.regex": {**GOOD, "check": {"regex": "("}},
        "line 5: check.json_schema": {**GOOD, "check": {"json_schema": {"type": "foo"}}},
        "line 6: check is": {**GOOD, "check": {}},
        "line 7: the document is": {**GOOD, "messages": [{"role": "user", "content": "x"}]},
        "role system, developer": {"messages": [{"role": "robot"}], "check": {"exact": "x"}},
        "fields other than model": {**GOOD, "request": {"model": "x"}},
        "unknown key checks": {"prompt": "x", "checks": {}, "check": {"exact": "x"}},
        'line 11: the id "1" is already used in line 1': {**GOOD, "id": "1"},
    }
    with pytest.raises(PromptError) as caught:
        read_prompts(written(tmp_path, *lines.values()))
    message = str(caught.value)
    assert "10 lines invalid; no request was sent" in message
    for said in filter(None, lines):
        assert said in message
    assert "Traceback" not in message


def test_a_file_that_is_no_text_or_empty_is_named(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="cannot read the file"):
        read_prompts(tmp_path / "none.jsonl")
    with pytest.raises(PromptError, match="contains no prompts"):
        read_prompts(written(tmp_path, "", ""))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(PromptError, match="not UTF-8"):
        read_prompts(tmp_path / "binary")
    with pytest.raises(PromptError, match="and 5 more"):
        read_prompts(written(tmp_path, *(["{"] * 25)))
