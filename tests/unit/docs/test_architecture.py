"""The map of the package is drawn from its code, and every folder says what it is for."""

from __future__ import annotations

from architecture import page
from architecture.drawing import drawing
from architecture.rooms import folders, modules, purpose

_REMEDY = "Run `make architecture`."


def test_the_table_of_folders_is_current() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.table() in text, _REMEDY
    assert page.page(text) == text, _REMEDY


def test_the_drawing_is_current() -> None:
    assert page.PICTURE.read_text(encoding="utf-8") == drawing(), _REMEDY


def test_every_folder_and_loose_module_has_one_line_of_purpose() -> None:
    for folder in folders():
        assert purpose(folder).endswith("."), f"{folder}/__init__.py needs a docstring of one line"
    for name, line in modules().items():
        assert line.endswith("."), f"{name} needs a docstring whose first line is a sentence"
