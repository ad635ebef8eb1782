"""The same rows come out of a file however it is packed, separated and wrapped."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.traffic import files
from breakeven.traffic.errors import TrafficError
from breakeven.traffic.files import csv_rows, json_rows, open_log, read_head
from tests.unit.traffic.logs import written

objects = st.lists(
    st.dictionaries(
        st.text(max_size=3),
        st.none() | st.integers() | st.text(max_size=8) | st.lists(st.integers(), max_size=3),
        max_size=3,
    ),
    max_size=12,
)


def rows_of(path: Path) -> list[tuple[int, files.Row]]:
    array = read_head(path).lstrip().startswith("[")
    with open_log(path, lambda _count: None) as text:
        return list(json_rows(text, path.name, array=array))


def csv_of(path: Path) -> list[tuple[int, files.Row]]:
    with open_log(path, lambda _count: None) as text:
        return list(csv_rows(text))


@given(objects)
def test_lines_and_an_array_hold_the_same_objects(
    tmp_path_factory: pytest.TempPathFactory, values: list[dict[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    lines = written(folder / "a", "".join(f"{json.dumps(value)}\n" for value in values))
    array = written(folder / "b", " " + json.dumps(values, indent=1))
    assert [row for _, row in rows_of(lines)] == values
    assert [row for _, row in rows_of(array)] == values


def test_gz_is_read_as_the_plain_file_whatever_its_name(tmp_path: Path) -> None:
    plain = written(tmp_path / "a.csv", "time,in\n1,2\n")
    packed = tmp_path / "b.csv"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert csv_of(packed) == csv_of(plain) == [(1, ["time", "in"]), (2, ["1", "2"])]


def test_progress_counts_the_bytes_of_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"a,b\n" * 100_000))
    counts: list[int] = []
    with open_log(path, counts.append) as text:
        text.read()
    assert sum(counts) == path.stat().st_size


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_separator_is_the_one_of_the_header(tmp_path: Path, separator: str, newline: str) -> None:
    lines = [["time", "in", "out"], ["1", "2", "3"], [], ["4", "5", "6"]]
    path = written(tmp_path / "log", newline.join(separator.join(line) for line in lines))
    assert csv_of(path) == [(1, lines[0]), (2, lines[1]), (4, lines[3])]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert csv_of(written(tmp_path / "log", "\ufefftime,in\n"))[0] == (1, ["time", "in"])


def test_line_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path / "log", '{"a": 1}\n\nno json\n[1]\n{"a": 2}')
    assert rows_of(path) == [(1, {"a": 1}), (3, None), (4, None), (5, {"a": 2})]
    array = written(tmp_path / "array", '[\n{"a":\n 1},\n 7,\n{"a": 2}\n]')
    assert rows_of(array) == [(2, {"a": 1}), (4, None), (5, {"a": 2})]


def test_a_row_without_end_is_one_bad_row_and_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LONGEST_ROW", 50)
    path = written(tmp_path / "log", '{"a": 1}\n{"p": "' + "x" * 300 + '"}\n{"a": 2}\n')
    assert rows_of(path) == [(1, {"a": 1}), (2, None), (3, {"a": 2})]
    path = written(tmp_path / "csv", "a,b\n" + "x" * 300 + ",1\n1,2\n")
    before = csv.field_size_limit()
    assert csv_of(path) == [(1, ["a", "b"]), (2, None), (3, ["1", "2"])]
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    "text", ['[{"a": 1}, {"a"', '[{"a": 1}', '[{"a": 1} nonsense]', "[" + '{"a":' * 99_999]
)
def test_an_array_that_is_cut_off_is_refused_by_its_line(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "log.json", text)
    with pytest.raises(
        TrafficError, match=r"^log\.json: its JSON is malformed or cut off at line 1\."
    ):
        rows_of(path)


def test_packed_data_that_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    whole = gzip.compress(b"a,b\n" * 10_000)
    for damaged in (whole[:-20], whole[:30] + b"\xff" * 20 + whole[50:]):
        path.write_bytes(damaged)
        with pytest.raises(TrafficError, match="damaged or cut off"):
            csv_of(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrafficError, match=r"none\.csv: cannot read the file: No such file"):
        read_head(tmp_path / "none.csv")
