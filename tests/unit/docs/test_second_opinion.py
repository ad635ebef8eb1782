"""The comparison with AISimulate has figures of the present formula, and counts large ones."""

from __future__ import annotations

from bench.second_opinion import LARGE_DIFFERENCE, PAGE, of_grid, page


def test_the_tables_are_current_and_every_large_difference_is_counted() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "Run PYTHONPATH=tools python -m bench.second_opinion --page"
    rows = of_grid()
    assert len(rows) >= 30
    large = sum(abs(row.difference) > LARGE_DIFFERENCE for row in rows)
    assert f"{large} of {len(rows)} configurations" in text
