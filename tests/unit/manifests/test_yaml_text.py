"""Manifests as YAML: stable, readable, and the same when they are read."""

from __future__ import annotations

import yaml

from breakeven.manifests.yaml_text import yaml_text


def test_keys_are_sorted_and_long_texts_are_blocks() -> None:
    assert yaml_text({"b": 1, "a": "one\ntwo\n"}) == "a: |\n  one\n  two\nb: 1\n"


def test_what_occurs_twice_is_written_twice() -> None:
    shared = {"name": "x"}
    assert yaml_text({"a": shared, "b": shared}) == "a:\n  name: x\nb:\n  name: x\n"


def test_it_is_read_as_it_was_written() -> None:
    documents = [{"text": "yes", "number": "010", "list": [1, 2.5, None, True]}, {"empty": {}}]
    assert list(yaml.safe_load_all(yaml_text(*documents))) == documents
