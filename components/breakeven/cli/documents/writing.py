"""Writes answers as JSON, after a check that they are as their published schema says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from breakeven.cli.documents.base import VERSION, Document

DOCUMENTS: Mapping[str, str] = {
    "bundle-log": "facts:BundleLogDocument",
    "chargeback": "operations:ChargebackDocument",
    "check": "verdicts:CheckDocument",
    "diff": "comparisons:DiffDocument",
    "doctor": "facts:DoctorDocument",
    "estimate-stacks": "comparisons:SeveralStacksDocument",
    "evaluate": "operations:EvaluateDocument",
    "init": "facts:InitDocument",
    "measure": "operations:MeasureDocument",
    "model-inspect": "facts:ModelDocument",
    "model-list": "facts:ModelListDocument",
    "prices-check": "facts:PricesCheckDocument",
    "prices-list": "facts:PricesDocument",
    "recommend": "comparisons:RecommendDocument",
    "reconcile": "operations:ReconcileDocument",
    "review": "operations:ReviewDocument",
    "sensitivity": "comparisons:SensitivityDocument",
    "simulate": "comparisons:SimulateDocument",
    "traffic-import": "facts:TrafficDocument",
    "traffic-preset": "facts:TrafficPresetDocument",
}
"""Module and class of each answer, by the name of its schema; loaded when it is written."""


def document_of(name: str) -> type[Document]:
    """Returns the definition of an answer."""
    module, _, found = DOCUMENTS[name].partition(":")
    definition: type[Document] = getattr(import_module(f"breakeven.cli.documents.{module}"), found)
    return definition


def as_json(name: str, answer: Mapping[str, object]) -> str:
    """Returns an answer as JSON, with its version.

    Args:
        name: Of its schema.
        answer: Its fields, by the names in JSON.

    Raises:
        ValidationError: It is not as its schema says; that is a mistake of this program.
    """
    return text_of(name, document_of(name).model_validate({"version": VERSION, **_plain(answer)}))


def text_of(name: str, document: Document) -> str:  # noqa: ARG001  # tests check it by the name
    """Returns an answer as JSON."""
    return json.dumps(document.model_dump(mode="json", by_alias=True), indent=2)


def _plain(answer: Mapping[str, object]) -> dict[str, Any]:
    """Returns what a reader of the JSON gets, such as lists for tuples."""
    plain: dict[str, Any] = json.loads(json.dumps(answer))
    return plain
