"""A log whose lines were changed, removed, added or cut off is noticed."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import pytest

from breakeven.bundle.errors import BundleError
from breakeven.bundle.log import append, head, read_log, require_head


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    for action in ("plan", "pack", "verify", "load"):
        append(path, action, "on-prem", "0" * 64, {"key": "value"})
    return path


def test_an_untouched_log_is_whole(log: Path) -> None:
    entries = read_log(log)
    assert [entry.action for entry in entries] == ["plan", "pack", "verify", "load"]
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_changed_line_breaks_the_chain(log: Path, number: int) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    lines[number] = lines[number].replace(b"on-prem", b"off-prem")
    log.write_bytes(b"".join(lines))
    with pytest.raises(BundleError, match=f"line {number + 2}"):
        read_log(log)


def test_a_changed_last_line_is_seen_by_the_head(log: Path) -> None:
    known = head(read_log(log))
    lines = log.read_bytes().splitlines(keepends=True)
    lines[-1] = lines[-1].replace(b"on-prem", b"off-prem")
    log.write_bytes(b"".join(lines))
    with pytest.raises(BundleError, match=known):
        require_head(read_log(log), known, "log")


@pytest.mark.parametrize("order", [[0, 2, 3], [1, 2, 3], [0, 2, 1, 3], [0, 1, 1, 2, 3]])
def test_removed_reordered_and_repeated_lines_break_the_chain(log: Path, order: list[int]) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[number] for number in order))
    with pytest.raises(BundleError, match="chain is broken at line"):
        read_log(log)


def test_lines_cut_off_are_seen_by_the_head(log: Path) -> None:
    known = head(read_log(log))
    require_head(read_log(log), known, "log")
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(BundleError, match="lines were removed at the end"):
        require_head(read_log(log), known, "log")


def test_half_a_line_is_an_error_and_nothing_is_added_to_it(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-10])
    damaged = log.read_bytes()
    with pytest.raises(BundleError, match="line 4"):
        append(log, "load", "on-prem", "0" * 64, {})
    assert log.read_bytes() == damaged


def test_writers_at_once_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    threads = [
        threading.Thread(target=append, args=(path, "verify", "a", "0" * 64, {})) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_log(path)) == 8


def test_a_line_that_the_disk_has_no_room_for_leaves_the_log_as_it_was(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = log.read_bytes()

    class Full(io.FileIO):
        """A file whose disk takes half of what is written."""

        def write(self, content: Any) -> int:
            return super().write(content[: len(content) // 2])

    def opened(path: Path, mode: str, **_: object) -> io.FileIO:
        return Full(path, mode.replace("b", ""))

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(BundleError, match="No space left"):
        append(log, "load", "a", "sha256:0", {})
    monkeypatch.undo()
    assert log.read_bytes() == before
