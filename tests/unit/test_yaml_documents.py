"""YAML of manifests is read as Kubernetes reads it, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from breakeven.yaml_documents import documents_in, plain_value, read_documents


@pytest.mark.parametrize(
    ("word", "value"), [("=", "="), ("1e-07", 1e-07), ("-2.5E+3", -2500.0), ("1e", "1e")]
)
def test_words_that_older_yaml_reads_otherwise(word: str, value: object, tmp_path: Path) -> None:
    text = f"a: {word}\n---\nb: 1\n"
    path = tmp_path / "manifest.yaml"
    path.write_text(text, encoding="utf-8")
    assert documents_in(text) == read_documents(path) == [{"a": value}, {"b": 1}]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
"""Nine lines that stand for 9^9 values."""


@pytest.mark.parametrize("text", [BOMB, "a: &a [*a]", "a: &a {b: *a}", "[" * 5000 + "]" * 5000])
def test_what_cannot_be_walked_is_an_error_at_once(text: str) -> None:
    for read in (documents_in, plain_value):
        with pytest.raises(yaml.YAMLError):
            read(text)


def test_an_alias_that_is_used_twice_is_read() -> None:
    assert plain_value("a: &a [1]\nb: [*a, *a]") == {"a": [1], "b": [[1], [1]]}
