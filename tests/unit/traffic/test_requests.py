"""Request logs: columns under any usual name, and every row counted, left out or bad."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.traffic.columns import USUAL
from breakeven.traffic.errors import TrafficError
from breakeven.traffic.formats.litellm import litellm_cached
from breakeven.traffic.importer import refuse_many_bad_rows
from breakeven.traffic.kinds import KINDS
from breakeven.traffic.tally import Tally
from tests.each import each
from tests.unit.traffic.logs import (
    FEW,
    MONDAY,
    SECRET,
    azure_trace,
    litellm_jsonl,
    litellm_row,
    moment,
    read,
    requests_csv,
    requests_jsonl,
    written,
)


@pytest.mark.parametrize("text", [requests_csv(FEW), requests_jsonl(FEW), litellm_jsonl(FEW)])
def test_kinds_with_cached_tokens_give_the_same_counts(tmp_path: Path, text: str) -> None:
    tally = read(written(tmp_path / "log", text)).tally
    assert (tally.requests, tally.input_tokens, tally.output_tokens) == (4, 800, 160)
    assert (tally.cached_tokens, tally.input_with_cached) == (200, 800)
    assert (tally.start, tally.seconds) == (MONDAY.timestamp(), 600)
    assert (tally.rows, tally.bad_rows) == (4, 0)


def test_the_azure_trace_has_seven_decimals_and_no_cached_tokens(tmp_path: Path) -> None:
    imported = read(written(tmp_path / "log", azure_trace(FEW)))
    assert imported.kinds == (KINDS["azure-trace"],)
    assert (imported.tally.requests, imported.tally.tokens) == (4, 960)
    assert imported.tally.start == pytest.approx(MONDAY.timestamp() + 0.97996)
    assert imported.tally.input_with_cached == 0


@each(
    "time, names",
    product(USUAL.timestamp, list(zip(USUAL.input[:8], USUAL.output[:8], strict=True))),
)
def test_a_column_is_found_under_each_usual_name(
    tmp_path: Path, time: str, names: tuple[str, str]
) -> None:
    text = f"id,{time.upper()},{names[1]},{names[0].replace('_', ' ')}\n1,{moment(0)},3,8\n"
    tally = read(written(tmp_path / "log", text)).tally
    assert (tally.input_tokens, tally.output_tokens) == (8, 3)


def test_stated_columns_win_over_usual_ones(tmp_path: Path) -> None:
    text = f"timestamp,when,prompt_tokens,read,out\nlater,{moment(0)},1,8,3\n"
    columns = {"timestamp": "when", "input": "read", "output": "out"}
    tally = read(written(tmp_path / "log", text), columns=columns).tally
    assert (tally.input_tokens, tally.output_tokens) == (8, 3)
    nested = json.dumps({"when": moment(0), "n": {"read": 8, "out": 3}})
    columns = {"timestamp": "when", "input": "n.read", "output": "n.out"}
    tally = read(written(tmp_path / "log", nested), columns=columns).tally
    assert (tally.input_tokens, tally.output_tokens) == (8, 3)


@pytest.mark.parametrize(
    "usage",
    [
        # Anthropic, and Bedrock: the input is what was neither read from a cache nor written to it.
        {
            "input_tokens": 50,
            "cache_creation_input_tokens": 450,
            "cache_read_input_tokens": 500,
            "output_tokens": 20,
        },
        {"inputTokens": 50, "cacheWriteInputTokens": 450, "cacheReadInputTokens": 500}
        | {"outputTokens": 20, "totalTokens": 1020},
        # LiteLLM's usage: the same figures beside an input that holds them, as the total tells.
        {
            "prompt_tokens": 1000,
            "cache_creation_input_tokens": 450,
            "cache_read_input_tokens": 500,
            "completion_tokens": 20,
            "total_tokens": 1020,
        },
    ],
)
def test_input_that_is_cached_is_counted_once_wherever_it_is_reported(
    tmp_path: Path, usage: dict[str, int]
) -> None:
    nested = [{"timestamp": moment(at), "usage": usage} for at in (0, 60)]
    flat = {"timestamp": moment(0), **usage}
    rows = [",".join(map(str, values)) for values in (flat.keys(), flat.values())]
    logs = ("\n".join(map(json.dumps, nested)), "\n".join(rows))
    for number, text in enumerate(logs):
        tally = read(written(tmp_path / f"{number}", text)).tally
        mean = tally.input_tokens / tally.requests
        assert (mean, tally.output_tokens / tally.requests) == (1000, 20)
        assert tally.cached_tokens / tally.input_with_cached == 0.5


def test_cached_input_that_only_later_rows_report_is_found(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"created": moment(0), "usage": {"input_tokens": 8, "output_tokens": 3}},
        {
            "created": moment(9),
            "usage": {"input_tokens": 8, "output_tokens": 3} | {"cache_read_input_tokens": 92},
        },
        {
            "created": moment(9),
            "usage": {"input_tokens": 8, "output_tokens": 3}
            | {"input_tokens_details": {"cached_tokens": 4}},
        },
    ]
    tally = read(written(tmp_path / "log", "\n".join(map(json.dumps, rows)))).tally
    assert (tally.input_tokens, tally.cached_tokens) == (8 + 100 + 8, 92 + 4)


@pytest.mark.parametrize("dash", ['"-"', '"--"', '"n/a"', "null", '"<nil>"', '"(null)"'])
def test_a_sentinel_for_nothing_is_a_request_without_tokens(tmp_path: Path, dash: str) -> None:
    rejected = f'{{"start_time": "{moment(0)}", "input_tokens": {dash}, "output_tokens": {dash}}}'
    served = json.dumps({"start_time": moment(9), "input_tokens": 8, "output_tokens": 3})
    tally = read(written(tmp_path / "log", f"{rejected}\n{served}\n")).tally
    assert (tally.requests, tally.bad_rows, sum(tally.left_out.values())) == (1, 0, 1)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ({"call_type": "aembedding"}, "embedding"),
        ({"path": "/v1/embeddings"}, "embedding"),
        ({"model": "text-embedding-3-large"}, "embedding"),
        ({"call_type": "arerank"}, "reranking"),
        ({"endpoint": "/v1/images/generations"}, "image"),
        ({"object": "moderation"}, "moderation"),
        ({"path": "/v1/audio/transcriptions"}, "speech"),
    ],
)
def test_calls_that_reach_no_language_model_are_left_out(
    tmp_path: Path, call: dict[str, str], kind: str
) -> None:
    chat = {"call_type": "acompletion", "model": "gpt-4o", "path": "/v1/chat/completions"}
    tokens = {"timestamp": moment(0), "input_tokens": 8, "output_tokens": 3}
    rows = [{**tokens, **chat}, {**tokens, **call}]
    tally = read(written(tmp_path / "log", "\n".join(map(json.dumps, rows)))).tally
    assert tally.requests == 1
    assert dict(tally.left_out) == {f"{kind} call, which reaches no language model": 1}


def test_one_of_several_models_can_be_taken_and_each_is_counted(tmp_path: Path) -> None:
    rows = [f"{moment(at)},gpt-{at % 3},{at + 1},2,0.5" for at in range(9)]
    path = written(tmp_path / "log", "\n".join(["ts,model,input_tokens,output_tokens,cost", *rows]))
    tally = read(path).tally
    assert {name: use.requests for name, use in tally.models.items()} == {
        "gpt-0": 3,
        "gpt-1": 3,
        "gpt-2": 3,
    }
    assert tally.models["gpt-0"].spend == Decimal("1.5")
    one = read(path, models=["gpt-0"]).tally
    assert (one.requests, one.input_tokens) == (3, 1 + 4 + 7)
    assert dict(one.left_out) == {"request to another model": 6}
    with pytest.raises(TrafficError, match=r'no request to gpt-9 in the log. It has "gpt-0", '):
        read(path, models=["gpt-9"])


def test_times_without_zone_are_in_the_users_zone_in_request_logs_only(tmp_path: Path) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    text = "timestamp,input_tokens,output_tokens\n2026-11-02 01:00:00,8,3\n"
    assert read(written(tmp_path / "log", text), zone=berlin).tally.start == MONDAY.timestamp()
    assert read(
        written(tmp_path / "azure", azure_trace(FEW)), zone=berlin
    ).tally.start == pytest.approx(MONDAY.timestamp() + 0.97996)


def test_every_bad_row_has_a_reason_and_a_line(tmp_path: Path) -> None:
    bad = [
        f"yesterday,{SECRET},1,1,0",
        f",{SECRET},1,1,0",
        f"{moment(0)},{SECRET},{SECRET},1,0",
        f"{moment(0)},{SECRET},1,-1,0",
        f"{moment(0)},{SECRET},1,1,2",
        f"{moment(0)},{SECRET},10000000,1,0",
        "short",
    ]
    good = f"{moment(0)},{SECRET},1,1,0"
    text = "\n".join(["ts,prompt,input_tokens,output_tokens,cached_tokens", good, *bad])
    tally = read(written(tmp_path / "log", text), max_bad_percent=100).tally
    assert {reason: found.places for reason, found in tally.bad.items()} == {
        "time not understood": ["log line 3", "log line 9"],
        "no time": ["log line 4"],
        "input tokens is not a whole number of 0 or more": ["log line 5"],
        "output tokens is not a whole number of 0 or more": ["log line 6"],
        "more cached than input tokens": ["log line 7"],
        "more than 10,000,000 tokens in a request": ["log line 8"],
    }
    assert (tally.rows, tally.bad_rows, tally.requests) == (8, 7, 1)


def test_too_many_bad_rows_are_refused_by_reason_and_without_content(tmp_path: Path) -> None:
    rows = [f"{moment(second)},5,5" for second in range(98)] + [f"{SECRET},5,5"] * 2
    path = written(tmp_path / "log", "\n".join(["ts,input_tokens,output_tokens", *rows]))
    assert read(path, max_bad_percent=2).tally.requests == 98
    with pytest.raises(TrafficError) as refused:
        read(path, max_bad_percent=1.9)
    message = str(refused.value)
    assert message.startswith("2 of 100 rows are invalid, 2.0%. Allowed: 1.9%.")
    assert "time not understood: 2 (log line 100; log line 101)" in message
    assert SECRET not in message


@given(st.integers(0, 40), st.integers(1, 40), st.floats(0, 100))
def test_a_log_is_refused_where_the_share_of_bad_rows_is_above_the_limit(
    bad: int, good: int, limit: float
) -> None:
    tally = Tally(rows=good)
    for line in range(bad):
        tally.reject("no time", f"log line {line}")
    if 100 * bad / (bad + good) > limit * (1 + 1e-12):
        with pytest.raises(TrafficError, match=f"^{bad} of {bad + good} rows"):
            refuse_many_bad_rows(tally, limit)
    elif 100 * bad / (bad + good) < limit * (1 - 1e-12) or not bad:
        refuse_many_bad_rows(tally, limit)


def test_a_limit_is_itself_allowed() -> None:
    tally = Tally(rows=99)
    tally.reject("no time", "log line 1")
    refuse_many_bad_rows(tally, 1)
    with pytest.raises(TrafficError):
        refuse_many_bad_rows(tally, 0.999)


def test_bad_rows_of_litellm_are_counted(tmp_path: Path) -> None:
    rows = [litellm_row(FEW[0]), litellm_row(FEW[1], prompt_tokens=-1)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    tally = read(written(tmp_path / "log", text), max_bad_percent=50).tally
    assert (tally.requests, tally.bad_rows) == (1, 1)


def test_an_export_without_its_columns_is_another_kind_of_log(tmp_path: Path) -> None:
    path = written(tmp_path / "log", requests_csv(FEW))
    for lacking in (path, written(tmp_path / "array", "[ ]")):
        with pytest.raises(TrafficError, match=r"no column for timestamp.* leave --kind out"):
            read(lacking, kind=KINDS["litellm"])


def test_requests_without_tokens_are_left_out_and_not_bad(tmp_path: Path) -> None:
    text = f"ts,input_tokens,output_tokens\n{moment(0)},,\n{moment(9)},0,0\n{moment(9)},5,\n"
    tally = read(written(tmp_path / "log", text)).tally
    assert dict(tally.left_out) == {"no tokens, such as a request that failed": 2}
    assert (tally.rows, tally.bad_rows, tally.requests, tally.start) == (
        3,
        0,
        1,
        MONDAY.timestamp() + 9,
    )


def test_columns_that_are_not_there_are_named_and_not_what_is_there(tmp_path: Path) -> None:
    for text in (f"{SECRET},1,2\n3,4,5\n", f'{{"prompt": "{SECRET}"}}\n' * 5):
        with pytest.raises(TrafficError) as refused:
            read(written(tmp_path / "log", text))
        assert "found no column for timestamp and input and output" in str(refused.value)
        assert "--columns timestamp=NAME,input=NAME,output=NAME" in str(refused.value)
        assert SECRET not in str(refused.value)


def test_the_first_json_rows_may_lack_tokens(tmp_path: Path) -> None:
    failed = json.dumps({"created": moment(0), "error": "busy"})
    path = written(tmp_path / "log", f"{failed}\n{requests_jsonl(FEW)}")
    tally = read(path, max_bad_percent=20).tally
    assert (tally.requests, tally.bad["no input or output"].places) == (4, ["log line 1"])


def test_answers_from_litellms_own_cache_reach_no_model(tmp_path: Path) -> None:
    rows = [litellm_row(FEW[0]), litellm_row(FEW[1], cache_hit="True")]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    tally = read(written(tmp_path / "log", text)).tally
    assert dict(tally.left_out) == {"answered from LiteLLM's own cache": 1}
    assert (tally.requests, tally.rows) == (1, 2)


def test_litellm_as_csv_is_read_as_its_jsonl(tmp_path: Path) -> None:
    rows = [litellm_row(request) for request in FEW] + [litellm_row(FEW[0], cache_hit="True")]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows({**row, "metadata": json.dumps(row["metadata"])} for row in rows)
    imported = read(written(tmp_path / "log.csv", buffer.getvalue()))
    assert imported.kinds == (KINDS["litellm"],)
    tally = imported.tally
    assert (tally.requests, tally.tokens, tally.cached_tokens) == (4, 960, 200)
    assert sum(tally.left_out.values()) == 1


@pytest.mark.parametrize(
    ("metadata", "cached"),
    [
        ({"additional_usage_values": {"cache_read_input_tokens": 7}}, 7),
        ({"usage_object": {"prompt_tokens_details": {"cached_tokens": 7}}}, 7),
        ('{"usage_object": {"prompt_tokens_details": {"cached_tokens": 7}}}', 7),
        ({"additional_usage_values": {"prompt_tokens_details": None}}, None),
        ({"additional_usage_values": None}, None),
        ("{cached", None),
        ("", None),
        (None, None),
    ],
)
def test_litellms_cached_tokens_are_found_where_its_versions_put_them(
    metadata: object, cached: int | None
) -> None:
    assert litellm_cached(metadata) == cached


def test_a_file_given_twice_or_empty_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "log", requests_csv(FEW))
    with pytest.raises(TrafficError, match="given twice"):
        read(path, path)
    with pytest.raises(TrafficError, match="empty file"):
        read(written(tmp_path / "none", " \n"))


def test_several_files_of_different_kinds_add_up(tmp_path: Path) -> None:
    imported = read(
        written(tmp_path / "a", requests_csv(FEW)), written(tmp_path / "b", azure_trace(FEW))
    )
    assert imported.kinds == (KINDS["requests-csv"], KINDS["azure-trace"])
    assert (imported.tally.requests, imported.tally.input_with_cached) == (8, 800)
