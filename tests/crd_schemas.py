"""Checks custom resources against the schemas of their CRDs, as an API server does.

The structure is checked: types, patterns, bounds, required fields, and no field that the schema
does not know (an API server would drop it in silence). CEL rules (x-kubernetes-validations) are
not: they run where the real API server does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.recording import Recorded

FOLDER = Path(__file__).parent / "schemas"


def flaws_of(resource: Recorded) -> list[str]:
    """What an API server would refuse or drop of a custom resource."""
    api_version = resource.type.removeprefix("kubernetes:").rpartition(":")[0]
    schema = schema_of(api_version, resource.kind)
    validator = Draft202012Validator(strict(schema["schema"]))
    flaws = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in validator.iter_errors(resource.inputs)
    ]
    if (schema["scope"] == "Namespaced") != ("namespace" in resource.metadata):
        flaws.append(f"metadata/namespace: a {resource.kind} is {schema['scope']}")
    return flaws


@cache
def schema_of(api_version: str, kind: str) -> Any:
    """The schema of a kind; fails where there is none, so that a new kind brings its own."""
    path = FOLDER / f"{api_version.replace('/', '_')}_{kind}.json"
    assert path.is_file(), f"no schema for {api_version} {kind}: add its CRD to {FOLDER}/update.py"
    return json.loads(path.read_text(encoding="utf-8"))


def strict(schema: Any) -> Any:
    """The structural schema as JSON Schema: unknown fields are refused, a number may be text."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    result = {key: strict(value) for key, value in schema.items() if key != "format"}
    if schema.get("x-kubernetes-int-or-string"):
        result.pop("type", None)
        result["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if (
        isinstance(schema.get("properties"), Mapping)
        and schema.get("type") == "object"
        and "additionalProperties" not in schema
        and not schema.get("x-kubernetes-preserve-unknown-fields")
    ):
        result["additionalProperties"] = False
    return result
