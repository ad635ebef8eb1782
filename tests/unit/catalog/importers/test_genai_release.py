"""A release of genai-prices differs from the one in use."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from breakeven.catalog.apis.token_price_file import PACKAGE_VERSION
from breakeven.catalog.importers import genai_release
from breakeven.catalog.importers.genai_release import installed_fault, release_note
from breakeven.catalog.importers.listing import SourceError


def wheel(folder: Path, version: str, name: str = "genai-prices") -> Path:
    path = folder / f"genai_prices-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo(
            f"genai_prices-{version}.dist-info/METADATA", (2026, 11, 24, 0, 0, 0)
        )
        archive.writestr(member, f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n\ntext")
    return path


def test_the_installed_package_is_the_one_whose_day_is_stated() -> None:
    assert installed_fault() is None


def test_another_installed_version_is_reported_with_the_setting_to_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(genai_release, "version", lambda _: "9.9.9")
    found = installed_fault()
    assert found is not None
    assert "9.9.9" in found
    assert "PACKAGE_DATE" in found


def test_the_message_says_whether_a_wheel_is_in_use_or_how_to_use_it(tmp_path: Path) -> None:
    assert "the release in use" in release_note(wheel(tmp_path, PACKAGE_VERSION))
    newer = release_note(wheel(tmp_path, "9.9.9"))
    for part in ("9.9.9", "2026-11-24", PACKAGE_VERSION, "make lock"):
        assert part in newer


@pytest.mark.parametrize("content", [b"PK no zip", None])
def test_what_is_no_wheel_of_it_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = wheel(tmp_path, "1.0", name="other")
    if content:
        path.write_bytes(content)
    with pytest.raises(SourceError, match="genai_prices-VERSION"):
        release_note(path)
