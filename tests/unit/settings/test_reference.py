"""What is generated from the settings is current, and says what a stack is judged by."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from breakeven.settings.files import ROOT, stack_names
from breakeven.settings.mistakes.findings import keys_of
from breakeven.settings.mistakes.old_keys import OLD_KEYS
from breakeven.settings.parse import GROUPS
from breakeven.settings.reference import generated, settings_page, stack_schema

KEYS = [key for name, group in GROUPS.items() for key, _ in keys_of(group, name)]
FIRST_LINE = "# yaml-language-server: $schema=schema.json\n"


@pytest.mark.parametrize("path", generated(), ids=lambda path: path.name)
def test_generated_files_are_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generated()[path], "run: make settings"


def test_every_setting_is_on_the_page_once_with_a_description() -> None:
    listed = [line[4:] for line in settings_page().splitlines() if line.startswith("### ")]
    assert listed == KEYS
    for name, group in GROUPS.items():
        assert all(field.description for _, field in keys_of(group, name))


def test_limits_are_those_that_a_stack_is_judged_by() -> None:
    text = settings_page()
    for key, allowed in (
        ("traffic.tokensPerDay", "a whole number, 1 to "),
        ("pool.kind", "existing, karpenter-aws"),
        ("engine.gpuMemoryUtilization", "a number, 0.50 to 0.95"),
        ("pool.capacityTypes", "a list; each: reserved, on-demand, spot"),
        ("pricing.budgetPerMonth", "or empty"),
    ):
        entry = text.partition(f"### {key}\n")[2].partition("\n### ")[0]
        assert allowed in entry, entry


@pytest.mark.parametrize("stack", stack_names())
def test_a_stack_file_names_the_schema_and_follows_it(stack: str) -> None:
    text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    assert text.startswith(FIRST_LINE)
    jsonschema.validate(yaml.safe_load(text), json.loads(stack_schema()))


@pytest.mark.parametrize(
    "config",
    [
        {"breakeven:pool": {"gpuu": "l4"}},
        {"breakeven:pools": {}},
        {"breakeven:tokensPerDay": 5},
        {"breakeven:replicas": {"max": 0}},
        {"breakeven:network": {"exposure": "internet"}},
        {"breakeven:models": [{"pool": {}}]},
    ],
    ids=str,
)
def test_the_schema_refuses_what_a_stack_may_not_state(config: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": config}, json.loads(stack_schema()))


def test_the_page_of_the_migration_lists_every_old_key_with_its_new_one() -> None:
    page = (ROOT / "docs" / "migration.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    table = {row[1].strip(" `"): row[2].strip(" `") for row in rows if "/" not in row[1]}
    assert table == OLD_KEYS
