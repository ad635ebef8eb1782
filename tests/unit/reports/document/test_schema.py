"""The published schema describes every field of the JSON form, and accepts no other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from breakeven.cost.report import Report
from breakeven.planning.offline import estimate_stack
from breakeven.reports.document.schema import report_schema
from breakeven.reports.document.writing import as_output
from breakeven.settings.files import ROOT, stack_names
from tests.unit.cost.builders import TODAY
from tests.unit.reports.cases import report_of, reports

SCHEMA = json.loads(
    (ROOT / "components/breakeven/reports/data/report.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items():
            yield f"{path}/{name}", value
        for key, value in schema.items():
            yield from properties(value, f"{path}/{key}")


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for value in schema.values():
            yield from objects(value)


def test_the_published_schema_is_the_one_of_the_definition() -> None:
    assert report_schema() == SCHEMA, "run: make report-schema"


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_field_is_described() -> None:
    found = dict(properties(SCHEMA))
    assert len(found) > 50
    assert [path for path, field in found.items() if not field.get("description")] == []


def test_every_object_lists_all_its_fields_and_allows_no_other() -> None:
    for schema in objects(SCHEMA):
        assert schema["additionalProperties"] is False
        assert sorted(schema["required"]) == sorted(schema["properties"])


@pytest.mark.parametrize("stack", stack_names())
def test_every_stack_is_valid(stack: str) -> None:
    VALIDATOR.validate(json.loads(json.dumps(as_output(estimate_stack(stack, TODAY)))))


@settings(max_examples=40)
@given(reports())
def test_every_report_is_valid(report: Report) -> None:
    VALIDATOR.validate(json.loads(json.dumps(as_output(report))))


@pytest.mark.parametrize("amount", [12.5, 12, "12.5", "1,200.00", "12.345", "", None])
def test_money_that_is_no_string_of_cents_is_refused(amount: object) -> None:
    output: dict[str, Any] = deepcopy(as_output(report_of()))
    assert VALIDATOR.is_valid(output)
    output["selfHosted"]["total"] = amount
    assert not VALIDATOR.is_valid(output)


def test_a_field_that_is_not_described_is_refused() -> None:
    output: dict[str, Any] = deepcopy(as_output(report_of()))
    output["selfHosted"]["lines"][0]["discount"] = "1.00"
    assert not VALIDATOR.is_valid(output)
