"""Writes the tables of docs/preflight.md and the schema of the answer, both from the code."""

from __future__ import annotations

import json
from pathlib import Path

from breakeven.cluster.preflight.add_ons import add_ons
from breakeven.cluster.preflight.answer import PreflightAnswer
from breakeven.cluster.preflight.registry import CHECKS
from breakeven.settings.files import ROOT

PAGE = ROOT / "docs" / "preflight.md"
SCHEMA = Path(__file__).parents[1] / "data" / "preflight.schema.json"
_MARKS = {
    "checks": ("<!-- checks -->", "<!-- end of checks -->"),
    "installs": ("<!-- installs -->", "<!-- end of installs -->"),
}


def checks_table() -> str:
    """Returns the table of checks as Markdown."""
    rows = ["| check | what it checks |", "|---|---|"]
    for check in CHECKS:
        only = "; only with `--probe`" if check.starts_pods else ""
        rows.append(f"| `{check.id}` | {check.asks}{only} |")
    return "\n".join(rows)


def installs_table() -> str:
    """Returns the table of what can be installed as Markdown."""
    rows = ["| add-on | version | command | source and date |", "|---|---|---|---|"]
    rows += [
        f"| {each.name} | {each.version or 'chosen by the cloud'} | `{each.command}` | "
        f"{each.source}, {each.as_of} |"
        for each in add_ons()
    ]
    return "\n".join(rows)


def page(text: str) -> str:
    """Returns the page with its tables written again."""
    for name, table in (("checks", checks_table()), ("installs", installs_table())):
        begin, end = _MARKS[name]
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = f"{before}{begin}\n{table}\n{end}{after}"
    return text


def schema() -> str:
    """Returns the JSON Schema of the answer."""
    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **PreflightAnswer.model_json_schema(by_alias=True),
    }
    return json.dumps(found, indent=2) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    SCHEMA.write_text(schema(), encoding="utf-8")
