"""Writes the JSON Schemas of all answers: python -m breakeven.cli.documents.schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue

from breakeven.cli.documents.records import EvidenceDocument
from breakeven.cli.documents.writing import DOCUMENTS, document_of
from breakeven.cluster.preflight.answer import PreflightAnswer
from breakeven.cluster.status.snapshot import Snapshot

FOLDER = Path(__file__).resolve().parents[2] / "reports" / "data"
"""Where the schema of reports is, too."""


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out the titles that pydantic makes of the fields' names."""

    def generate(self, schema: Any, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  # of the method that it overrides
        return False


def definitions() -> Iterator[tuple[str, type[BaseModel]]]:
    """Yields name and definition of every answer but the report, which has its own module."""
    yield from ((name, document_of(name)) for name in DOCUMENTS)
    yield "evidence", EvidenceDocument
    yield "preflight", PreflightAnswer
    yield "status", Snapshot


def schemas() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yields each schema, draft 2020-12, and its file."""
    for name, definition in sorted(definitions()):
        schema = definition.model_json_schema(schema_generator=_WithoutTitles, mode="serialization")
        title = f"breakeven {name.replace('-', ' ')}"
        path = FOLDER / f"{name}.schema.json"
        yield path, {"$id": f"urn:breakeven:{name}", **schema, "title": title}


def main() -> None:
    """Write the files."""
    for path, schema in schemas():
        path.write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
