"""The pages build without a broken link, work without any network, and can be looked at."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from breakeven.settings.files import ROOT
from pages import build as module
from pages.build import build, documents

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    assert build(folder) == 0
    return folder


def html(site: Path) -> Iterator[Path]:
    yield from (page for page in site.rglob("*.html") if page.name != "404.html")


def test_every_document_is_a_page(site: Path) -> None:
    for document in documents():
        name = document.relative_to(ROOT).with_suffix(".html")
        found = name.with_name("index.html") if name.name == "README.html" else name
        assert (site / found).is_file(), found


def test_pages_fetch_nothing_from_others(site: Path) -> None:
    for page in html(site):
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(
            r"<(?:script|img|link rel=\"stylesheet\")[^>]+(?:src|href)=\"(http[^\"]+)", text
        )
        assert fetched == [], page


def test_a_broken_link_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real = module.lay_out

    def with_a_mistake(folder: Path) -> None:
        real(folder)
        page = folder / "docs" / "money.md"
        page.write_text("[gone](prices.md#no-such-heading)\n", encoding="utf-8")

    monkeypatch.setattr(module, "lay_out", with_a_mistake)
    assert build(tmp_path / "site") != 0
    assert "no-such-heading" in capfd.readouterr().err


def test_the_drawing_is_seen(site: Path) -> None:
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert browser, "no Chromium; apt-get install chromium"
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    script = "document.title = document.querySelector('article img').naturalWidth"
    page = site / "docs" / "architecture.html"
    text = page.read_text(encoding="utf-8")
    probe = page.with_name("probe.html")
    probe.write_text(
        text.replace("</body>", f"<script>onload = () => {{ {script} }}</script></body>"),
        encoding="utf-8",
    )
    shown = subprocess.run(
        [*command, probe.as_uri()], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    [width] = re.findall(r"<title>(\d+)</title>", shown)
    assert int(width) > 0
