"""What docs and schema say of preflight is what the code does."""

from __future__ import annotations

import json
import re

from breakeven.cluster.preflight.add_ons import add_ons
from breakeven.cluster.preflight.reference import PAGE, SCHEMA, page, schema
from breakeven.cluster.preflight.registry import CHECKS
from breakeven.settings.files import ROOT


def test_the_page_and_the_schema_are_written_from_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run: python -m breakeven.cluster.preflight.reference"
    assert SCHEMA.read_text(encoding="utf-8") == schema()
    json.loads(schema())


def test_ids_are_unique_words() -> None:
    ids = [check.id for check in CHECKS]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", each) for each in ids)


def test_what_tests_run_is_pinned_at_the_version_that_they_run() -> None:
    pinned = "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((ROOT / "tools").glob("*/go.mod"))
    )
    for add_on in add_ons():
        if add_on.module:
            assert re.search(rf"{re.escape(add_on.module)} v{re.escape(add_on.version)}\b", pinned)
