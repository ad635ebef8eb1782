"""Manifests as YAML that a person can read: the same text for the same manifest."""

from __future__ import annotations

from typing import Any

import yaml


def yaml_text(*documents: Any) -> str:
    """Returns documents as YAML: keys sorted, long texts as blocks, nothing by reference."""
    return yaml.dump_all(documents, Dumper=_Dumper, width=100, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the name of the base class's argument
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
