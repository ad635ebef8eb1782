"""OpenAI's usage: pages of buckets as JSON, and rows of buckets as CSV."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from breakeven.traffic.errors import TrafficError
from tests.unit.traffic.logs import MONDAY, bucket, openai_page, read, written

HEADER = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,"
    "input_tokens,output_tokens,input_cached_tokens"
)


def csv_bucket(start: int, seconds: int, *fields: object) -> str:
    begin = int(MONDAY.timestamp()) + start
    return ",".join(map(str, (begin, begin + seconds, "x", "y", "proj", *fields)))


def test_all_results_of_all_buckets_and_pages_are_counted(tmp_path: Path) -> None:
    first = openai_page(
        [bucket(0, 3600, (3, 900, 90), (1, 100, 10), cached=50), bucket(3600, 3600)], more=True
    )
    second = openai_page([bucket(7200, 3600, (2, 200, 20), cached=0)])
    array = read(written(tmp_path / "page", f"[{first},\n{second}]"))
    files = read(written(tmp_path / "1", first), written(tmp_path / "2", second))
    assert array.tally == files.tally
    assert array.notes == files.notes == ()
    tally = array.tally
    assert (tally.requests, tally.input_tokens, tally.output_tokens) == (6, 1200, 120)
    assert (tally.cached_tokens, tally.input_with_cached) == (100, 1200)
    assert tally.seconds == 3 * 3600


def test_an_empty_bucket_is_an_hour_without_requests(tmp_path: Path) -> None:
    pages = openai_page([bucket(0, 3600, (3, 900, 90)), bucket(3600, 3600)])
    assert read(written(tmp_path / "page", pages)).tally.seconds == 7200


def test_a_last_page_that_announces_more_is_reported(tmp_path: Path) -> None:
    page = openai_page([bucket(0, 3600, (3, 900, 90))], more=True)
    [note] = read(written(tmp_path / "page", page)).notes
    assert note == "page: its last page says that more follow; export them too"


def test_the_csv_export_gives_the_same_counts_as_the_json(tmp_path: Path) -> None:
    rows = [
        csv_bucket(0, 60, "3.0", 900, 90, 50),
        csv_bucket(0, 60, "1.0", 100, 10, 50),
        csv_bucket(60, 60, "", "", "", ""),
    ]
    from_csv = read(written(tmp_path / "a.csv", "\n".join([HEADER, *rows, ""]))).tally
    buckets = [bucket(0, 60, (3, 900, 90), (1, 100, 10), cached=50), bucket(60, 60)]
    from_json = read(written(tmp_path / "b.json", openai_page(buckets))).tally
    assert from_csv == from_json
    assert (from_csv.requests, from_csv.seconds, from_csv.coarse_tokens) == (4, 120, 0)


def test_an_export_of_empty_buckets_only_is_refused(tmp_path: Path) -> None:
    header = "start_time,end_time,start_time_iso,end_time_iso\n"
    with pytest.raises(
        TrafficError, match=r"found no column for input and output.* It is another kind of log"
    ):
        read(written(tmp_path / "a.csv", header + "1,2,3,4\n"))


def test_bad_results_are_named_by_their_bucket(tmp_path: Path) -> None:
    broken = {**bucket(0, 60), "results": "none"}
    buckets: list[dict[str, object]] = [
        bucket(0, 60, (1, 5, 5)),
        bucket(0, 0, (1, 5, 5)),
        bucket(0, 60, (0, 5, 5)),
        bucket(0, 60, (1, 5, 5), cached=9),
        broken,
    ]
    text = '{"object": "page", "data": [' + ",\n".join(map(json.dumps, buckets)) + "]}"
    tally = read(written(tmp_path / "page", text), max_bad_percent=100).tally
    assert {reason: found.places for reason, found in tally.bad.items()} == {
        "interval of no length or of more than 31 days": ["page line 2"],
        "tokens without requests": ["page line 3"],
        "more cached than input tokens": ["page line 4"],
        "row cannot be read": ["page line 5"],
    }


def test_bad_rows_of_the_csv_export_are_counted(tmp_path: Path) -> None:
    rows = [csv_bucket(0, 60, 3, 900, 90, 50), csv_bucket(0, -60, 3, 900, 90, 50)]
    path = written(tmp_path / "a.csv", "\n".join([HEADER, *rows]))
    assert read(path, max_bad_percent=50).tally.bad_rows == 1


@pytest.mark.parametrize("text", ['{"object": "page", "data": []}', '{"object": "page"}'])
def test_a_page_without_buckets_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(TrafficError, match="no usage bucket"):
        read(written(tmp_path / "page", text))
