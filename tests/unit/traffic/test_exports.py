"""Exports of gateways and providers are recognized by themselves and give their own totals."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from breakeven.traffic.errors import TrafficError
from breakeven.traffic.importer import Imported
from breakeven.traffic.profile import measure
from tests.unit.traffic.logs import (
    FEW,
    MONDAY,
    NOW,
    bucket,
    counters,
    litellm_row,
    moment,
    openai_page,
    read,
    series,
    written,
)

Row = Mapping[str, object]
HOUR = 3_600


def as_csv(rows: Sequence[Row]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(
        {key: json.dumps(value) if isinstance(value, dict) else value for key, value in row.items()}
        for row in rows
    )
    return buffer.getvalue()


def as_jsonl(rows: Sequence[Row]) -> str:
    return "\n".join(map(json.dumps, rows))


def kind_of(imported: Imported) -> str:
    [kind] = {kind.name for kind in imported.kinds}
    return kind


# LiteLLM


def test_pages_of_litellm_have_their_rows_in_data_and_tell_which_are_missing(
    tmp_path: Path,
) -> None:
    pages = [
        {
            "data": [litellm_row(request) for request in FEW[half : half + 2]],
            "total": 4,
            "page": 1 + half // 2,
            "page_size": 2,
            "total_pages": 2,
        }
        for half in (0, 2)
    ]
    first, second = (
        written(tmp_path / str(number), json.dumps(page)) for number, page in enumerate(pages)
    )
    both = read(first, second)
    assert kind_of(both) == "litellm"
    assert (both.tally.requests, both.tally.tokens, both.notes) == (4, 960, ())
    assert both.tally.models[""].spend == Decimal("0.008")
    [note] = read(first).notes
    assert note.startswith("found 1 of 2 pages")
    array = read(written(tmp_path / "array", json.dumps(pages, indent=1)))
    assert array.tally == both.tally


def test_embeddings_among_chats_do_not_change_the_lengths(tmp_path: Path) -> None:
    chats = [litellm_row((at, 1500, 300), model="gpt-4o") for at in range(0, 600, 60)]
    others = [
        litellm_row((at, 6000, 0), model="text-embedding-3-large", call_type="aembedding")
        for at in range(0, 600, 60)
    ]
    imported = read(written(tmp_path / "spend.json", json.dumps([*chats, *others])))
    profile = measure(imported.tally, UTC)
    assert (profile.input_tokens, profile.output_tokens, profile.requests) == (1500, 300, 10)
    assert dict(imported.tally.left_out) == {"embedding call, which reaches no language model": 10}


# OpenRouter


def test_openrouters_activity_has_its_own_names_and_reasoning_in_the_output(
    tmp_path: Path,
) -> None:
    rows = [
        {
            "generation_id": f"gen-{at}",
            "created_at": f"{moment(at)[:19].replace('T', ' ')}.000",
            "cost_total": "0.25",
            "tokens_prompt": 1000,
            "tokens_completion": 200,
            "tokens_reasoning": 50,
            "tokens_cached": 400,
            "model_permaslug": "maker/model",
            "provider_name": "host",
        }
        for at in (0, 300)
    ]
    imported = read(written(tmp_path / "activity.csv", as_csv(rows)))
    tally = imported.tally
    assert kind_of(imported) == "openrouter"
    assert (tally.requests, tally.input_tokens, tally.output_tokens) == (2, 2000, 400)
    assert tally.cached_tokens / tally.input_with_cached == 0.4
    assert tally.models["maker/model"].spend == Decimal("0.5")


def test_openrouters_days_are_buckets(tmp_path: Path) -> None:
    rows = [
        {
            "date": moment(86_400 * day)[:10],
            "model": "maker/model",
            "requests": 10,
            "prompt_tokens": 1000,
            "completion_tokens": 200,
            "usage": 0.5,
        }
        for day in range(3)
    ]
    imported = read(written(tmp_path / "activity.json", json.dumps({"data": rows})))
    assert kind_of(imported) == "openrouter-days"
    profile = measure(imported.tally, UTC)
    assert (profile.tokens_per_day, profile.input_tokens) == (1200, 100)
    assert imported.tally.models["maker/model"].spend == Decimal("1.5")


# Anthropic


def anthropic_page(hours: int, *, more: bool = False) -> str:
    result = {
        "uncached_input_tokens": 600,
        "cache_creation": {"ephemeral_1h_input_tokens": 60, "ephemeral_5m_input_tokens": 40},
        "cache_read_input_tokens": 1300,
        "output_tokens": 240,
        "model": None,
    }
    data = [
        {
            "starting_at": moment(HOUR * hour),
            "ending_at": moment(HOUR * (hour + 1)),
            "results": [result] if hour % 2 else [],
        }
        for hour in range(hours)
    ]
    return json.dumps({"data": data, "has_more": more, "next_page": "x" if more else None})


def test_anthropics_report_adds_its_three_kinds_of_input_and_counts_no_requests(
    tmp_path: Path,
) -> None:
    imported = read(written(tmp_path / "report.json", anthropic_page(48)))
    assert kind_of(imported) == "anthropic-usage"
    profile = measure(imported.tally, UTC)
    assert profile.tokens_per_day == 12 * 2_240
    assert profile.cached_input_percent == 65
    assert (profile.requests, profile.input_tokens, profile.output_tokens) == (None, None, None)
    assert set(profile.settings("week")) == {
        "traffic.tokensPerDay",
        "traffic.cachedInputPercent",
        "traffic.shape",
    }
    assert profile.rates is not None
    assert profile.rates_of == "tokens"
    assert [rate > 0 for rate in profile.rates] == [bool(hour % 2) for hour in range(24)]
    assert any("does not count requests" in note for note in profile.notes)


def test_anthropics_pages_tell_that_more_follow(tmp_path: Path) -> None:
    page = written(tmp_path / "report.json", anthropic_page(2, more=True))
    assert read(page).notes == (
        "report.json: its last page says that more follow; export them too",
    )


def test_the_export_of_anthropics_console_is_days_without_requests(tmp_path: Path) -> None:
    rows = [
        {
            "usage_date_utc": moment(86_400 * day)[:10],
            "model_version": "claude",
            "usage_input_tokens_no_cache": 600,
            "usage_input_tokens_cache_write_5m": 40,
            "usage_input_tokens_cache_write_1h": 60,
            "usage_input_tokens_cache_read": 1300,
            "usage_output_tokens": 240,
        }
        for day in range(3)
    ]
    imported = read(written(tmp_path / "usage.csv", as_csv(rows)))
    assert kind_of(imported) == "anthropic-usage"
    assert measure(imported.tally, UTC).tokens_per_day == 2_240
    assert imported.tally.models["claude"].cached_tokens == 3 * 1300


# Langfuse


def langfuse_row(at: int, **changed: object) -> dict[str, object]:
    return {
        "id": f"{at}",
        "traceId": "t",
        "type": "GENERATION",
        "startTime": moment(at),
        "model": "gpt-4o",
        "usageDetails": {"input": 600, "input_cached_tokens": 400, "output": 200, "total": 1200},
        "totalCost": 0.5,
        **changed,
    }


LANGFUSE = [
    langfuse_row(0),
    langfuse_row(60),
    langfuse_row(60, type="SPAN", usageDetails={}),
    langfuse_row(60, type="EMBEDDING", usageDetails={"input": 9000}),
]


@pytest.mark.parametrize(
    "text",
    [
        as_jsonl(LANGFUSE),
        as_csv(LANGFUSE),
        json.dumps(LANGFUSE),
        json.dumps({"data": LANGFUSE, "meta": {"page": 1, "totalPages": 1}}),
    ],
)
def test_usage_types_of_langfuse_add_up_and_only_generations_count(
    tmp_path: Path, text: str
) -> None:
    imported = read(written(tmp_path / "observations", text))
    tally = imported.tally
    assert kind_of(imported) == "langfuse"
    assert (tally.requests, tally.input_tokens, tally.output_tokens) == (2, 2000, 400)
    assert tally.cached_tokens == 800
    assert tally.models["gpt-4o"].spend == 1
    assert dict(tally.left_out) == {
        "observation that is not a generation": 1,
        "embedding call, which reaches no language model": 1,
    }
    assert imported.notes == ()


def test_langfuses_older_columns_and_missing_pages(tmp_path: Path) -> None:
    rows = [
        {"traceId": "t", "startTime": moment(at), "inputUsage": 8, "outputUsage": 3}
        for at in (0, 60)
    ]
    assert read(written(tmp_path / "old.csv", as_csv(rows))).tally.tokens == 22
    page = {"data": LANGFUSE, "meta": {"page": 2, "totalPages": 9}}
    [note] = read(written(tmp_path / "page.json", json.dumps(page))).notes
    assert note.startswith("found 1 of 9 pages")


# Helicone


@pytest.mark.parametrize("wrapped", [True, False])
def test_helicones_prompt_tokens_are_the_uncached_ones(tmp_path: Path, *, wrapped: bool) -> None:
    row: dict[str, object] = {
        "request_id": "r",
        "request_created_at": moment(0),
        "request_path": "https://api.openai.com/v1/chat/completions",
        "prompt_tokens": 600,
        "prompt_cache_read_tokens": 300,
        "prompt_cache_write_tokens": 100,
        "completion_tokens": 200,
        "response_model": "claude",
        "cache_reference_id": "00000000-0000-0000-0000-000000000000",
        "costUSD": 0.5,
    }
    answered = {**row, "cache_reference_id": "3f0c3c7e-7d0e-4f9e-9d8e-2f8f4f3f3f3f"}
    rows = [row, {**row, "request_created_at": moment(60)}, answered]
    text = json.dumps({"data": rows, "error": None}) if wrapped else as_csv(rows)
    imported = read(written(tmp_path / "log", text))
    tally = imported.tally
    assert kind_of(imported) == "helicone"
    assert (tally.requests, tally.input_tokens, tally.output_tokens) == (2, 2000, 400)
    assert tally.cached_tokens == 600
    assert tally.models["claude"].spend == 1
    assert dict(tally.left_out) == {"answered from Helicone's own cache": 1}


# Azure


def azure_metrics(models: Sequence[str], *names: str) -> str:
    totals = {"ProcessedPromptTokens": 1000, "GeneratedTokens": 200, "AzureOpenAIRequests": 10}
    value = [
        {
            "name": {"value": name, "localizedValue": name},
            "timeseries": [
                {
                    "metadatavalues": [{"name": {"value": "modelname"}, "value": model}],
                    "data": [
                        {"timeStamp": moment(HOUR * hour), "total": totals[name]}
                        for hour in range(24)
                    ],
                }
                for model in models
            ],
        }
        for name in names
    ]
    return json.dumps({"cost": 0, "value": value, "interval": "PT1H", "timespan": "x"}, indent=2)


ALL = ("ProcessedPromptTokens", "GeneratedTokens", "AzureOpenAIRequests")


def test_azures_metrics_are_recognized_by_names_and_models(tmp_path: Path) -> None:
    path = written(tmp_path / "metrics.json", azure_metrics(["gpt-4o", "gpt-4o-mini"], *ALL))
    both, one = read(path), read(path, models=["gpt-4o"])
    assert kind_of(both) == "azure-monitor"
    assert (both.tally.requests, one.tally.requests) == (480, 240)
    profile = measure(one.tally, UTC)
    assert (profile.tokens_per_day, profile.input_tokens, profile.output_tokens) == (
        24 * 1200,
        100,
        20,
    )
    assert profile.rates == pytest.approx([10] * 24)


def test_azures_tokens_without_requests_have_no_lengths_and_lacking_ones_are_named(
    tmp_path: Path,
) -> None:
    tokens = read(written(tmp_path / "tokens.json", azure_metrics(["gpt-4o"], *ALL[:2])))
    assert measure(tokens.tally, UTC).input_tokens is None
    with pytest.raises(TrafficError, match="missing metric output tokens"):
        read(written(tmp_path / "input.json", azure_metrics(["gpt-4o"], ALL[0])))
    no_interval = azure_metrics(["gpt-4o"], *ALL).replace('"PT1H"', "null")
    with pytest.raises(TrafficError, match="missing interval in the response"):
        read(written(tmp_path / "none.json", no_interval))


# Buckets that still run, and models of one answer


@pytest.mark.parametrize("day", [0, 3])
def test_of_a_bucket_that_still_runs_only_the_time_that_has_passed_counts(
    tmp_path: Path, day: int
) -> None:
    """Whether it runs at the import, or ran when the file was saved some days before."""
    start = (NOW - MONDAY).total_seconds() - 2 * HOUR - 86_400 * (2 + day)
    buckets = [
        bucket(start + 86_400 * number, 86_400, (count, 1000 * count, 200 * count))
        for number, count in enumerate((8_640, 8_640, 720))
    ]
    path = written(tmp_path / "page.json", openai_page(buckets))
    saved = (NOW - timedelta(days=day)).timestamp()
    os.utime(path, (saved, saved))
    imported = read(path)
    assert measure(imported.tally, UTC).tokens_per_day == pytest.approx(10_368_000, rel=1e-4)
    [note] = imported.notes
    assert "only the hours that had passed (2.0)" in note


def test_empty_buckets_of_the_future_are_no_time(tmp_path: Path) -> None:
    now = (NOW - MONDAY).total_seconds()
    buckets = [bucket(now - HOUR, HOUR, (5, 500, 50)), bucket(now, HOUR), bucket(now + 60, HOUR)]
    path = written(tmp_path / "page.json", openai_page(buckets))
    assert read(path, max_bad_percent=100).tally.seconds == HOUR


def test_models_of_one_prometheus_answer_are_distinguished(tmp_path: Path) -> None:
    result = [
        series(metric, [(60 * at, scale * at) for at in range(61)], model_name=model)
        for model, size in (("chat-8b", 1), ("chat-70b", 2))
        for metric, scale in (
            ("vllm:prompt_tokens_total", 1000 * size),
            ("vllm:generation_tokens_total", 200 * size),
            ("vllm:request_success_total", 1),
        )
    ]
    answer = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    path = written(tmp_path / "day.json", json.dumps(answer))
    both = measure(read(path).tally, UTC)
    [note] = [note for note in both.notes if "models" in note]
    assert "2 models, counted together: chat-70b 67%, chat-8b 33%" in note
    assert "--model NAME" in note
    one = measure(read(path, models=["chat-8b"]).tally, UTC)
    assert (one.input_tokens, one.output_tokens) == (1000, 200)
    assert one.tokens_per_day == 24 * 60 * 1200
    assert read(written(tmp_path / "one", counters([(0, 1), (60, 2)]))).tally.requests == 1
