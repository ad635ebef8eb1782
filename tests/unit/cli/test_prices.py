"""`breakeven prices` lists the book, says what is old, and rebuilds it without losing anything."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from breakeven.catalog import price_book
from breakeven.catalog.price_file import BOOK_PATH, read_book
from breakeven.cli.prices import check as prices_check
from breakeven.cli.prices import refresh as prices_refresh
from breakeven.errors import ExitCode, Problem, SettingsError
from tests.unit.cli.running import Run, exit_code

Capture = pytest.CaptureFixture[str]

G6E = "node/aws/us-east-1/g6e.xlarge/on-demand"
COLUMNS = "cloud,region,instance_type,purchase,usd_per_hour,as_of,source"


@pytest.fixture(autouse=True)
def book_in_use(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts a copy in the place of the book, so that no test can write the repository's own."""
    own = tmp_path_factory.mktemp("book") / "prices.json"
    own.write_bytes(BOOK_PATH.read_bytes())
    monkeypatch.setattr(prices_refresh, "BOOK_PATH", own)
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
    for part in (G6E, "1.861", "2026-07-20", "[1] karpenter-provider-aws"):
        assert part in shown
    assert run("prices", "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 100 for line in lines if not line.startswith("["))
    assert {name for name in read_book().prices if not any(name in line for line in lines)} == set()


def test_a_list_as_json_has_every_price_as_a_string(run: Run, capsys: Capture) -> None:
    assert run("prices", "list", "node/aws/*/on-demand", "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    book = read_book().prices
    assert len(found) == len([name for name in book if name.startswith("node/aws/")])
    assert all(item["usd"] == f"{book[item['identifier']].usd:f}" for item in found)


def test_a_pattern_without_price_says_what_is_near(run: Run, capsys: Capture) -> None:
    assert run("prices", "list", "volume/aws/gp4") == ExitCode.ERROR
    assert "volume/aws/gp3" in capsys.readouterr().err


def test_a_private_price_is_listed_without_amount_and_source(
    run: Run, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = BOOK_PATH.read_text(encoding="utf-8").replace(
        '"volume/aws/gp3", "usd": "0.08", "unit": "GB-month", "source": "',
        '"volume/aws/gp3", "private": true, "usd": "0.0713", "unit": "GB-month", "source": "our ',
    )
    own = tmp_path / "prices.json"
    own.write_text(text, encoding="utf-8")
    monkeypatch.setattr("breakeven.cli.prices.book.read_book", lambda: read_book(own))
    for options in ((), ("--format", "json")):
        assert run("prices", "list", "volume/aws/gp3", *options) == 0
        shown = capsys.readouterr().out
        assert "private" in shown
        assert "0.0713" not in shown
        assert "our Infracost" not in shown


@pytest.fixture
def forgotten() -> Iterator[None]:
    """A test that reads the committed book anew, and leaves no other behind."""
    price_book._committed.cache_clear()
    yield
    price_book._committed.cache_clear()


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(
    "command",
    [["prices", "list"], ["estimate", "dev"], ["init", "chat"]],
    ids=" ".join,
)
def test_a_damaged_book_is_one_message_with_line_and_entry(
    command: list[str],
    run: Run,
    capsys: Capture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    damaged = tmp_path / "prices.json"
    text = BOOK_PATH.read_text(encoding="utf-8").replace('"usd": "0.08"', '"usd": "-1"')
    damaged.write_text(text, encoding="utf-8")
    for module in ("breakeven.cli.prices.book", "breakeven.catalog.price_book"):
        monkeypatch.setattr(f"{module}.read_book", lambda: read_book(damaged))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert run(*command) == ExitCode.ERROR
    message = capsys.readouterr().err
    assert "pricing.overrides" not in message
    for part in ("prices.json, line 5", "volume/aws/gp3", "usd", '"-1"', "prices.schema.json"):
        assert part in message


def test_a_check_names_the_stacks_that_use_old_prices_and_ends_with_3(
    run: Run, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prices_check, "stack_names", lambda: ("article", "aws-prod", "on-prem"))
    assert run("prices", "check", "--max-age-days", "0") == ExitCode.PRICE
    shown = capsys.readouterr()
    assert "karpenter-provider-aws" in shown.out
    assert f"aws-prod: {G6E} of 2026-07-20" in shown.err
    assert "aws-prod: volume/aws/gp3 of 2024-07-01" in shown.err
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


def test_a_refresh_takes_newer_prices_shows_them_and_keeps_all_else(
    run: Run, capsys: Capture, tmp_path: Path
) -> None:
    output = tmp_path / "book.json"
    assert (
        run("prices", "refresh", "--from", table(tmp_path / "a", "2"), "--output", str(output)) == 0
    )
    shown = capsys.readouterr().out
    assert "1 price of 2026-11-01, read as table-csv" in shown
    for part in ("changed", G6E, "1.861", "+7.5%", "0 new, 1 changed, 0 gone"):
        assert part in shown
    before, after = dict(read_book().prices), dict(read_book(output).prices)
    assert (f"{after[G6E].usd}", after[G6E].source) == ("2", "our list")
    assert {**before, G6E: after[G6E]} == after


def test_a_refresh_is_idempotent_and_the_order_of_files_does_not_matter(
    run: Run, tmp_path: Path
) -> None:
    files = [table(tmp_path / "a", "2"), table(tmp_path / "b", "1.9")]
    outputs = [tmp_path / name for name in ("1", "2", "3")]
    for output, order in zip(outputs, (files, files[::-1], files), strict=True):
        options = [part for file in order for part in ("--from", file)]
        assert run("prices", "refresh", *options, "--output", str(output)) == 0
    assert len({output.read_bytes() for output in outputs}) == 1


def test_a_refresh_from_the_books_own_prices_changes_no_byte(run: Run, tmp_path: Path) -> None:
    rows = [COLUMNS]
    for price in read_book().prices.values():
        if price.identifier.startswith("node/"):
            _, cloud, region, machine, purchase = price.identifier.split("/")
            kind, day = purchase.replace("-", "_"), price.as_of.isoformat()
            rows.append(f'{cloud},{region},{machine},{kind},{price.usd}00,{day},"{price.source}"')
    rows.append("aws,us-east-1,x9.huge,on_demand,1,2026-01-01,a list")
    source, output = tmp_path / "all.csv", tmp_path / "book.json"
    source.write_text("\n".join(rows), encoding="utf-8")
    assert run("prices", "refresh", "--from", str(source), "--output", str(output)) == 0
    assert [price.usd for price in read_book(output).prices.values()] == [
        price.usd for price in read_book().prices.values()
    ]
    assert output.read_text(encoding="utf-8").count("\n") == BOOK_PATH.read_text().count("\n")


def test_a_large_change_is_refused_until_it_is_accepted(
    run: Run, capsys: Capture, tmp_path: Path
) -> None:
    output = tmp_path / "book.json"
    options = ("--from", table(tmp_path / "a", "18.61"), "--output", str(output))
    assert run("prices", "refresh", *options) == ExitCode.ERROR
    shown = capsys.readouterr()
    assert "+900.0% !" in shown.out
    assert G6E in shown.err
    assert "--accept-large-changes" in shown.err
    assert not output.exists()
    assert run("prices", "refresh", *options, "--accept-large-changes") == 0
    assert f"{read_book(output).prices[G6E].usd}" == "18.61"


def test_without_output_the_book_in_use_is_rebuilt(
    run: Run, tmp_path: Path, book_in_use: Path
) -> None:
    assert run("prices", "refresh", "--from", table(tmp_path / "a", "2")) == 0
    assert f"{read_book(book_in_use).prices[G6E].usd}" == "2"
    assert [path.name for path in book_in_use.parent.iterdir()] == ["prices.json"]


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
        (
            ("--from", "{table}", "--output", "{folder}/none/book.json"),
            "a file in a folder that is there",
        ),
        (("--from", "{tomorrow}"), "a day up to today"),
        (("--from", "{text}"), "no kind of price list"),
        (("--from", "{bytes}", "--kind", "table-csv"), "UTF-8"),
    ],
)
def test_what_cannot_be_refreshed_is_one_message_and_nothing_is_changed(
    run: Run, capsys: Capture, tmp_path: Path, arguments: tuple[str, ...], part: str
) -> None:
    (tmp_path / "text").write_text("hello", encoding="utf-8")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    places = {
        "table": table(tmp_path / "a", "2"),
        "tomorrow": table(tmp_path / "b", "2", tomorrow()),
        "text": str(tmp_path / "text"),
        "bytes": str(tmp_path / "bytes"),
        "folder": str(tmp_path),
    }
    before = BOOK_PATH.read_bytes()
    output = ("--output", str(tmp_path / "book.json")) if "--output" not in arguments else ()
    code = run("prices", "refresh", *(item.format(**places) for item in arguments), *output)
    message = capsys.readouterr().err
    assert code == ExitCode.ERROR
    assert part in message
    assert "Traceback" not in message
    assert BOOK_PATH.read_bytes() == before
    assert not (tmp_path / "book.json").exists()
