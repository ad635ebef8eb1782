"""The page about models lists the presets that there are."""

from __future__ import annotations

from breakeven.cli.model.presets import PAGE, page
from breakeven.settings.files import ROOT


def test_the_table_of_presets_is_current() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    assert page(text) == text, "Run `make models`."
