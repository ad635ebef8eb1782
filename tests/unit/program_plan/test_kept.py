"""Answers that are kept are read back as they were, by their user alone."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.cost.bill.registered import Registered
from breakeven.manifests.resource import Component, Resource
from breakeven.program_plan.answer import ProgramReport
from breakeven.program_plan.kept import (
    MOST_ANSWERS,
    Kept,
    answers_folder,
    entries_digest,
    load,
    save,
)

RESOURCE = Resource(
    name="model",
    manifest={"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "model"}},
    depends_on=("Secret/keys",),
    timeout_seconds=60,
)
COMPONENT = Component(
    type="breakeven:serving:VllmServing",
    name="serving",
    inputs={"gpus": 1, "share": 0.5},
    resources=(RESOURCE,),
    started_last=(RESOURCE,),
    outputs={"address": "http://model"},
)
REPORT = ProgramReport("a table", {"total": "1.00"}, {"cost": {}}, (COMPONENT,), (COMPONENT,))
KEPT = Kept((COMPONENT,), "no commit is known", "digest", REPORT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "breakeven" / "answers"


def test_what_was_kept_is_read_back(folder: Path) -> None:
    assert load(folder, "a") is None
    save(folder, "a", KEPT)
    assert load(folder, "a") == KEPT
    assert load(folder, "b") is None
    save(folder, "a", replace(KEPT, undeployable=""))
    assert load(folder, "a") == replace(KEPT, undeployable="")


def test_only_its_user_may_read_it(folder: Path) -> None:
    save(folder, "a", KEPT)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_a_folder_that_others_may_enter_is_not_used(folder: Path) -> None:
    save(folder, "a", KEPT)
    folder.chmod(0o770)
    assert load(folder, "a") is None
    save(folder, "b", KEPT)
    assert [path.name for path in folder.iterdir()] == ["a.json"]


def test_a_link_to_a_folder_is_not_used(folder: Path, tmp_path: Path) -> None:
    save(folder, "a", KEPT)
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert load(link, "a") is None


def test_a_damaged_file_is_as_good_as_absent_and_replaced(folder: Path) -> None:
    save(folder, "a", KEPT)
    file = folder / "a.json"
    whole = file.read_bytes()
    for damaged in (b"", whole[:-1], whole.replace(b"1.00", b"9.00"), b"\xff\n{}", b"x\n[]"):
        file.write_bytes(damaged)
        assert load(folder, "a") is None
    save(folder, "a", KEPT)
    assert load(folder, "a") == KEPT


def test_a_folder_that_can_t_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    save(tmp_path / "file" / "answers", "a", KEPT)
    assert load(tmp_path / "file" / "answers", "a") is None


def test_the_oldest_make_room(folder: Path) -> None:
    for number in range(MOST_ANSWERS + 5):
        save(folder, f"{number}", KEPT)
        os.utime(folder / f"{number}.json", (number, number))
    save(folder, "last", KEPT)
    names = {path.stem for path in folder.iterdir()}
    assert len(names) == MOST_ANSWERS
    assert "last" in names
    assert "0" not in names


def test_what_json_would_change_is_not_kept(folder: Path) -> None:
    save(folder, "a", replace(KEPT, report=replace(REPORT, figures={"hours": (1, 2)})))
    numbered: Any = {1: "one"}
    save(folder, "b", replace(KEPT, report=replace(REPORT, figures=numbered)))
    save(folder, "c", replace(KEPT, report=replace(REPORT, figures={"x": object()})))
    assert load(folder, "b") is None
    assert load(folder, "c") is None
    found = load(folder, "a")
    assert found is None or found.report.figures == {"hours": (1, 2)}


def test_what_was_registered_has_a_digest_by_name_type_and_properties() -> None:
    entry = Registered("disk", "aws:ebs/volume:Volume", {"size": 1})
    changes = (
        (),
        (entry, entry),
        (replace(entry, name="other"),),
        (replace(entry, type="other"),),
        (replace(entry, properties={"size": 2}),),
        (replace(entry, properties=None),),
    )
    digests = {entries_digest(entries) for entries in ((entry,), *changes)}
    assert len(digests) == len(changes) + 1


def test_the_order_of_properties_does_not_count() -> None:
    one = Registered("disk", "aws:ebs/volume:Volume", {"size": 1, "tags": {"a": "1", "b": "2"}})
    other = replace(one, properties={"tags": {"b": "2", "a": "1"}, "size": 1})
    assert entries_digest((one,)) == entries_digest((other,))


def test_the_folder_is_that_of_the_user_s_caches() -> None:
    assert answers_folder({"XDG_CACHE_HOME": "/c", "HOME": "/h"}) == Path("/c/breakeven/answers")
    home = Path("/h/.cache/breakeven/answers")
    assert answers_folder({"HOME": "/h"}) == home
    assert answers_folder({"HOME": "/h", "XDG_CACHE_HOME": "relative"}) == home
    assert answers_folder({}) is None
