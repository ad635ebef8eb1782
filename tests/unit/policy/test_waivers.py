"""Waivers: complete, narrow, and over when they are over."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from breakeven.planning.offline import manifests_of_stack
from breakeven.policy.manifest import Scope
from breakeven.policy.registry import RULES
from breakeven.policy.rule import Pack
from breakeven.policy.verdict import judge
from breakeven.policy.waivers import Waiver, WaiverError, read_waivers
from breakeven.settings.files import WAIVERS, stack_names
from tests.unit.policy.manifests import scope_of

LAST = date(2026, 11, 30)
WAIVER = Waiver(
    rule="pod-read-only-root",
    resource="Deployment/llm/server",
    owner="platform",
    reason="the driver's hook writes into the root file system",
    expires=LAST,
)
BROKEN = {"container securityContext readOnlyRootFilesystem": False}


def write(path: Path, **changes: object) -> Path:
    entry = {
        "rule": "pod-read-only-root",
        "resource": "Deployment/llm/server",
        "owner": "platform",
        "reason": "the driver's hook writes into the root file system",
        "expires": "2026-11-30",
    }
    lines = [f"    {key}: {value}" for key, value in {**entry, **changes}.items() if value != ""]
    file = path / "waivers.yaml"
    file.write_text("waivers:\n  -\n" + "\n".join(lines), encoding="utf-8")
    return file


def test_a_complete_waiver_is_read(tmp_path: Path) -> None:
    assert read_waivers([write(tmp_path)]) == (WAIVER,)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"owner": ""}, "owner: missing"),
        ({"reason": "because"}, "is not an explanation"),
        ({"reason": ""}, "reason: missing"),
        ({"expires": ""}, "expires: found None"),
        ({"expires": "never"}, "Required: the last valid day"),
        ({"expires": "2026-11-30 10:00:00"}, "Required: the last valid day"),
        ({"rule": "pod-readonly-root"}, "Did you mean pod-read-only-root"),
        ({"resource": "Deployment/llm/*"}, "NAMESPACE can"),
        ({"resource": '"*/llm/server"'}, "NAMESPACE can"),
        ({"resource": "Deployment/ll*/server"}, "NAMESPACE can"),
        ({"resource": "Deployment"}, "NAMESPACE can"),
        ({"approved": "yes"}, "approved: unknown key"),
    ],
)
def test_an_incomplete_or_wide_waiver_is_refused_by_name(
    changes: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(WaiverError, match="all waivers in this file are ignored") as refused:
        read_waivers([write(tmp_path, **changes)])
    assert said in str(refused.value)


@pytest.mark.parametrize("text", ["", "waivers: {}", "- a", "waivers: [", "waivers: [3]", "\x00"])
def test_a_file_that_holds_no_waivers_is_refused_by_name(text: str, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(WaiverError, match=r"waivers\.yaml"):
        read_waivers([file])
    with pytest.raises(WaiverError, match="cannot read the file"):
        read_waivers([tmp_path / "nowhere.yaml"])


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("Deployment/llm/server", "Deployment/llm/server", True),
        ("Deployment/llm/server", "Deployment/llm/server2", False),
        ("Deployment/*/server", "Deployment/other/server", True),
        ("Job/llm/weights-*", "Job/llm/weights-12ab", True),
        ("Job/llm/weights-*", "Job/llm/weights", False),
        ("Namespace/web-*", "Namespace/web-prod", True),
        ("Deployment/web-*", "Deployment/web-prod/server", False),
        ("Namespace/a[b]", "Namespace/a[b]", True),
        ("Namespace/a?", "Namespace/ab", False),
        ("Namespace/a[b]", "Namespace/ab", False),
    ],
)
def test_a_waiver_covers_what_it_names(pattern: str, resource: str, *, expected: bool) -> None:
    waiver = Waiver(rule="r", resource=pattern, owner="o", reason="", expires=LAST)
    assert waiver.covers("r", resource) is expected
    assert not waiver.covers("other", resource)


@pytest.mark.parametrize(("today", "blocked"), [(LAST, 0), (date(2026, 12, 1), 1)])
def test_a_waiver_counts_through_its_last_day(today: date, blocked: int) -> None:
    verdict = judge(scope_of(BROKEN), RULES, (WAIVER,), today)
    assert len(verdict.blocking) == blocked
    assert len(verdict.waived) == 1 - blocked
    said = [str(finding) for finding in verdict.blocking]
    assert all("of platform expired on 2026-11-30" in text for text in said)


def test_of_two_waivers_the_one_that_lasts_longer_counts() -> None:
    longer = Waiver(
        rule=WAIVER.rule, resource="Deployment/*/server", owner="x", reason="", expires=date.max
    )
    verdict = judge(scope_of(BROKEN), RULES, (WAIVER, longer), date(2030, 1, 1))
    assert not verdict.blocking


@pytest.mark.parametrize("stack", stack_names())
def test_every_stack_keeps_every_rule_but_for_its_waivers(stack: str) -> None:
    resources, settings = manifests_of_stack(stack)
    packs = {Pack.HARDENING} | ({Pack.AIRGAP} if settings.network.is_air_gapped else set())
    rules = [rule for rule in RULES if rule.pack in packs]
    scope = Scope(resources, (settings.network.registry,) if settings.network.registry else ())
    waivers = read_waivers(settings.policy.waiver_files)
    today = min((waiver.expires for waiver in waivers), default=LAST)
    verdict = judge(scope, rules, waivers, today)
    assert [str(finding) for finding in (*verdict.blocking, *verdict.advisory)] == []


def test_every_waiver_of_the_kit_covers_something_in_some_stack() -> None:
    waivers = read_waivers([WAIVERS / "kit.yaml"])
    used = set()
    for stack in stack_names():
        resources, _ = manifests_of_stack(stack)
        found = judge(Scope(resources), RULES, waivers, date(2026, 11, 25)).waived
        used |= {finding.waiver for finding in found}
    assert used == set(waivers)
