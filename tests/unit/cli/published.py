"""The published schemas of what commands answer with `--format json`."""

from __future__ import annotations

import json
from functools import cache

from jsonschema import Draft202012Validator

from breakeven.cli.documents.schema import FOLDER


@cache
def validator_of(name: str) -> Draft202012Validator:
    """What checks an answer by the published schema of this name."""
    return Draft202012Validator(json.loads((FOLDER / f"{name}.schema.json").read_text("utf-8")))
