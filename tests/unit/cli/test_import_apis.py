"""`breakeven prices import-apis` rebuilds the facts about API offers, or changes nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from breakeven.catalog.apis.offers import COLUMNS, OFFERS_PATH, read_offers
from breakeven.cli.prices import import_apis
from tests.unit.cli.running import Run, exit_code

Capture = pytest.CaptureFixture[str]

HEAD = "provider,model,input_usd_per_mtok,output_usd_per_mtok,max_input_tokens,deprecation_date,"
ROW = "acme,one-fp8,0.5,1.50,8192,2027-01-01,"
END = "source,as_of"


@pytest.fixture(autouse=True)
def offers_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts a small file in the place of the offers, so that no test can write the package's own."""
    own = tmp_path / "offers.csv"
    lines = (
        ",".join(COLUMNS),
        "acme,one,1,,,2,,,,,2026-08-16,,,acme.example/deprecations,2026-06-22",
        "acme,two,1,,,2,,,,,,,,tracker 1.0,2026-06-22",
    )
    own.write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.setattr(import_apis, "OFFERS_PATH", own)
    return own


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    return lambda *arguments: exit_code(monkeypatch, *arguments)


def table(folder: Path, *rows: str) -> str:
    path = folder / "table.csv"
    path.write_text("\n".join([HEAD + END, *rows]) + "\n", encoding="utf-8")
    return str(path)


def test_offers_of_the_same_tracker_are_replaced_and_others_stay(
    run: Run, capsys: Capture, tmp_path: Path, offers_in_use: Path
) -> None:
    file = table(tmp_path, f"{ROW}tracker 1.1,2026-11-20", f"{ROW}genai-prices 0.2.3,2026-11-10")
    assert run("prices", "import-apis", file) == 0
    assert "1 offer new, 0 changed, 1 gone; 2 in all" in capsys.readouterr().out
    text = offers_in_use.read_text(encoding="utf-8")
    old, new = read_offers(text.splitlines(), "offers.csv")
    assert (old.model, old.source) == ("one", "acme.example/deprecations")
    assert (new.quantization, new.retires) == ("fp8", date(2027, 1, 1))
    assert run("prices", "import-apis", file) == 0
    assert offers_in_use.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "case",
    [
        ("acme,one,free,1,,,tracker 1.1,2026-11-20", 'input_usd_per_mtok is "free"'),
        ("acme,one,-1,1,,,tracker 1.1,2026-11-20", "Allowed: USD per 1M tokens"),
        ("acme,one,1,1,8k,,tracker 1.1,2026-11-20", 'max_input_tokens is "8k"'),
        ("acme,one,1,1,,soon,tracker 1.1,2026-11-20", 'found "soon"; allowed: a day'),
        ("acme,,1,1,,,tracker 1.1,2026-11-20", "no model"),
        ("acme,one,1,1,,,tracker 1.1,2999-01-01", "Allowed: dates up to today"),
        ("acme,one,1,1,,,genai-prices 0.2.3,2026-11-10", "no offer of a source other than"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_whole(
    run: Run, capsys: Capture, tmp_path: Path, offers_in_use: Path, case: tuple[str, str]
) -> None:
    row, part = case
    before = offers_in_use.read_bytes()
    file = table(tmp_path, row)
    assert run("prices", "import-apis", file) == 1
    shown = capsys.readouterr().err
    assert part in shown
    assert "Nothing was changed" in shown
    assert offers_in_use.read_bytes() == before


def test_missing_columns_or_a_missing_file_are_reported(
    run: Run, capsys: Capture, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text("model,price\na,1\n", encoding="utf-8")
    assert run("prices", "import-apis", str(other)) == 1
    assert "no column provider, source, as_of" in capsys.readouterr().err
    assert run("prices", "import-apis", str(tmp_path / "none.csv")) == 1
    assert "No such file" in capsys.readouterr().err


def test_another_file_can_be_written(run: Run, tmp_path: Path, offers_in_use: Path) -> None:
    before = offers_in_use.read_bytes()
    target = tmp_path / "copy.csv"
    file = table(tmp_path, f"{ROW}tracker 1.1,2026-11-20")
    assert run("prices", "import-apis", file, "--output", str(target)) == 0
    assert offers_in_use.read_bytes() == before != target.read_bytes()
    assert target != OFFERS_PATH
