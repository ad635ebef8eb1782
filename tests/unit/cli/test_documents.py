"""What commands answer as JSON: one definition, published as a schema, with a version.

That each command's answer is valid is checked wherever a test asks a command for JSON (conftest).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from breakeven.cli.documents.schema import FOLDER, schemas
from breakeven.cli.documents.writing import DOCUMENTS, as_json, document_of
from breakeven.settings.files import ROOT

SCHEMAS = dict(schemas())
INIT = {"stack": "dev", "file": "stacks/Pulumi.dev.yaml", "settings": {"breakeven:model": {}}}


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items():
            yield f"{path}/{name}", value
        for key, value in schema.items():
            yield from properties(value, f"{path}/{key}")


def test_the_published_schemas_are_those_of_the_definitions() -> None:
    for path, schema in SCHEMAS.items():
        found = json.loads(path.read_text(encoding="utf-8"))
        assert found == json.loads(json.dumps(schema)), "run: make document-schemas"
        Draft202012Validator.check_schema(found)
    published = {path.name for path in FOLDER.glob("*.schema.json")}
    assert published == {path.name for path in SCHEMAS} | {"report.schema.json"}


def test_every_field_is_described_and_no_other_is_allowed() -> None:
    for path, schema in SCHEMAS.items():
        found = dict(properties(schema))
        assert len(found) > 2
        assert [field for field, one in found.items() if not one.get("description")] == [], path
        for one in (schema, *schema.get("$defs", {}).values()):
            assert "properties" not in one or one["additionalProperties"] is False, path


def test_every_answer_has_a_version() -> None:
    for path, schema in SCHEMAS.items():
        # The record of `evidence` is signed, and names its format with the version.
        named = "format" if path.name.startswith("evidence") else "version"
        assert named in schema["required"], path


def test_what_is_written_is_read_back() -> None:
    text = as_json("init", INIT)
    assert json.loads(text) == {"version": 1, **INIT}
    assert document_of("init").model_validate_json(text).version == 1


@pytest.mark.parametrize("change", [{"stack": None}, {"surprise": 1}, {"version": 2}])
def test_an_answer_that_is_not_as_published_is_not_written(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        as_json("init", {**INIT, **change})


def test_the_list_of_commands_names_every_schema() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for name in (*DOCUMENTS, "evidence", "preflight", "status", "report"):
        assert f"`{name}`" in text, name
