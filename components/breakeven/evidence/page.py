"""The evidence as one page of HTML to print; it needs nothing beside itself and runs no script."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template


def page(evidence: Mapping[str, Any], digest: str) -> str:
    """Returns the page.

    Args:
        evidence: As `record.evidence` returns it.
        digest: SHA-256 of the evidence as JSON, by which the page names its source.
    """
    return _template().render(evidence=evidence, digest=digest)


@cache
def _template() -> Template:
    text = (resources.files(__package__) / "page.html.j2").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text)
