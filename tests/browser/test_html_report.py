"""The HTML report in a real Chromium. Not among the default tests: it needs a browser.

pytest tests/browser
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from breakeven.cost.estimate import estimate
from breakeven.planning.offline import load_stack
from breakeven.reports.page import page as html_page
from breakeven.reports.plots.tornado import tornado_of
from breakeven.settings.files import stack_names
from tests.browser import axe
from tests.browser.chromium import Page, browser
from tests.unit.cost.builders import TODAY

PLOTS = ("the bill", "cost by volume", "the week", "what moves the saving")
PHONE, DESKTOP = 360, 1280


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module", params=stack_names())
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a stack's report."""
    path = tmp_path_factory.mktemp("report") / f"{request.param}.html"
    stack = load_stack(request.param, TODAY)
    ledger = stack.ledger()
    estimated = estimate(ledger, stack.assumptions)
    path.write_text(html_page(estimated, tornado_of(estimated, ledger)), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("width", [320, PHONE, 768, DESKTOP])
def test_nothing_is_wider_than_the_window(chromium: Page, report: str, width: int) -> None:
    chromium.open(report, width=width)
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width
    wider = """[...document.body.querySelectorAll("*")]
        .filter(element => !element.closest("svg, thead"))
        .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
        .map(element => element.outerHTML.slice(0, 80))"""
    assert chromium.evaluate(wider) == []


def test_nothing_is_asked_of_the_network(chromium: Page, report: str) -> None:
    chromium.open(report, width=DESKTOP)
    asked = [
        parameters["request"]["url"]
        for method, parameters in chromium.events
        if method == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if url != report and not url.startswith("data:")] == []


def test_the_console_is_silent(chromium: Page, report: str) -> None:
    chromium.open(report, width=DESKTOP)
    kinds = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}
    assert [event for event in chromium.events if event[0] in kinds] == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_each_plot_is_drawn_once_as_large_as_the_text_is_wide(
    chromium: Page, report: str, width: int
) -> None:
    chromium.open(report, width=width)
    sizes: list[dict[str, Any]] = chromium.evaluate(
        """[...document.querySelectorAll("svg")]
            .map(svg => svg.getBoundingClientRect()).filter(box => box.width)
            .map(box => ({width: box.width, height: box.height}))"""
    )
    assert len(sizes) == len(PLOTS)
    for size in sizes:
        assert size["width"] == pytest.approx(min(width, 752) - 32, abs=1)
        assert size["height"] > 100


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read(chromium: Page, report: str, width: int, dark: bool) -> None:
    """Every text has 11 px or more and a contrast of 4.5 to its ground (WCAG 2.2, level AA)."""
    chromium.open(report, width=width, dark=dark)
    script = (Path(__file__).parent / "readable.js").read_text(encoding="utf-8")
    assert chromium.evaluate(script) == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_axe_finds_nothing(chromium: Page, report: str, width: int) -> None:
    chromium.open(report, width=width)
    # The page itself may run no script; the browser runs this one for the test.
    chromium.evaluate(axe.script() + ";0")
    answer = chromium.call(
        "Runtime.evaluate", expression=axe.CHECK, awaitPromise=True, returnByValue=True
    )
    assert json.loads(answer["result"]["value"]) == []


def test_in_print_it_is_light_and_shows_the_wide_plots(chromium: Page, report: str) -> None:
    chromium.open(report, width=DESKTOP, dark=True)
    assert chromium.pdf().startswith(b"%PDF")
    chromium.call("Emulation.setEmulatedMedia", media="print")
    colour = "getComputedStyle(document.body).backgroundColor"
    assert chromium.evaluate(colour) == "rgb(255, 255, 255)"
    shown = '[...document.querySelectorAll("svg")].filter(svg => svg.clientWidth).length'
    assert chromium.evaluate(shown) == len(PLOTS)
    chromium.call("Emulation.setEmulatedMedia", media="")
