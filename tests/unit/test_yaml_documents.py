"""YAML of manifests is read as Kubernetes reads it, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.yaml_documents import documents_in, read_documents


@pytest.mark.parametrize(
    ("word", "value"), [("=", "="), ("1e-07", 1e-07), ("-2.5E+3", -2500.0), ("1e", "1e")]
)
def test_words_that_older_yaml_reads_otherwise(word: str, value: object, tmp_path: Path) -> None:
    text = f"a: {word}\n---\nb: 1\n"
    path = tmp_path / "manifest.yaml"
    path.write_text(text, encoding="utf-8")
    assert documents_in(text) == read_documents(path) == [{"a": value}, {"b": 1}]
