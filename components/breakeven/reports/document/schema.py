"""Writes the JSON Schema of a report: python -m breakeven.reports.document.schema."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue

from breakeven.reports.document.report import ReportDocument
from breakeven.type_tokens import ESTIMATE


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out the titles that pydantic makes of the fields' names: each has a description."""

    def generate(self, schema: Any, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        return {
            "$schema": self.schema_dialect,
            "$id": "urn:breakeven:report",
            "title": "Breakeven report",
            **super().generate(schema, mode),
            "description": "What a stack costs, compared with what the same traffic costs by API. "
            "`breakeven report STACK --format json` prints it, and it is the inputs of the "
            f"resource {ESTIMATE}.",
        }

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  # of the method that it overrides
        return False


def report_schema() -> dict[str, Any]:
    """Returns the JSON Schema, draft 2020-12, of a report."""
    return ReportDocument.model_json_schema(schema_generator=_WithoutTitles, mode="serialization")


if __name__ == "__main__":
    print(json.dumps(report_schema(), indent=2))  # noqa: T201  # the output of this module
