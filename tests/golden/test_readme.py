"""What the README shows is what the program prints."""

from __future__ import annotations

import re

from breakeven.cost.reconciliation.figures import PLAIN_FIGURES
from breakeven.reports.document.report import ReportDocument
from breakeven.settings.files import ROOT, stack_names
from breakeven.settings.mistakes.findings import keys_of
from breakeven.settings.parse import GROUPS
from tests.golden.pages import SHOWN, with_tables

README = (ROOT / "README.md").read_text(encoding="utf-8")
STACKS = (ROOT / "docs" / "stacks.md").read_text(encoding="utf-8")

SETTINGS = {
    part
    for name, group in GROUPS.items()
    for key, _ in keys_of(group, name)
    for part in key.split(".")
}


def test_the_table_is_part_of_the_golden_table_of_aws_prod() -> None:
    [shown] = SHOWN.finditer(README)
    assert (shown["stack"], shown["section"]) == ("aws-prod", "Recommendation")
    assert with_tables(README) == README


def test_the_readme_has_fewer_than_900_words() -> None:
    assert len(README.split()) < 900


def test_every_stack_has_a_row() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \|", STACKS, flags=re.MULTILINE)
    assert sorted(rows) == list(stack_names())


def test_links_lead_to_files() -> None:
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (document.parent / target).is_file(), f"{document.name}: {target}"


def test_settings_that_documents_name_exist() -> None:
    """Words in code marks that look like a setting, camelCase, are settings."""
    prometheus_chart = {
        "podMonitorSelectorNilUsesHelmValues",
        "ruleSelectorNilUsesHelmValues",
        "honorLabels",
    }
    derived = {"nodeHoursPerMonth", "usdPerMonth"}  # of `breakeven reconcile`, and of `teams`
    device_plugin = {"renameByDefault"}
    of_reports = {field.alias for field in ReportDocument.model_fields.values()}
    known = {*SETTINGS, *PLAIN_FIGURES, *of_reports, *derived, *prometheus_chart, *device_plugin}
    documents = {ROOT / "README.md", *(ROOT / "docs").rglob("*.md")}
    with_old_names = {ROOT / "docs" / "migration.md", ROOT / "docs" / "decisions.md"}
    for document in documents - with_old_names:
        text = document.read_text(encoding="utf-8")
        named = set(re.findall(r"`([a-z]+(?:[A-Z][a-z]+)+)(?:: [^`]*)?`", text))
        assert named <= known, document.name
