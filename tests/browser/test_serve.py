"""The page of `breakeven serve` in a real Chromium: it follows its controls, and anyone can use it.

pytest tests/browser
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from breakeven.cli.serve import explorer_of
from breakeven.web import grid
from breakeven.web.server import PageServer
from tests.browser import axe
from tests.browser.chromium import Page, browser
from tests.unit.cost.builders import TODAY

WIDTHS = (360, 768, 1280)
TOKENS = "document.getElementById('control-traffic-tokensPerDay')"
SLIDER = f"{TOKENS}.nextElementSibling"
FIGURE = "document.querySelector('#figures dd')?.textContent"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with PageServer(explorer_of("aws-prod", TODAY)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.url
        server.shutdown()
        thread.join()


def settled(page: Page) -> None:
    """Waits until the page shows everything, or says what is wrong."""
    done = """document.getElementById("time").textContent.startsWith("Answered")
        || !document.getElementById("mistake").hidden"""
    busy = 'document.querySelector("[aria-busy]") !== null'
    for _ in range(600):
        if page.evaluate(done) and not page.evaluate(busy):
            return
        time.sleep(0.05)
    pytest.fail("the page did not settle within half a minute")


def opened(page: Page, url: str, *, width: int = 1280, dark: bool = False) -> None:
    page.open(url, width=width, dark=dark)
    settled(page)


def pressed(page: Page, key: str, code: int) -> None:
    for kind in ("rawKeyDown", "keyUp"):
        page.call(
            "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
        )


def forget(page: Page) -> None:
    """Takes away what `settled` waits for."""
    page.evaluate(
        """document.getElementById("time").textContent = "";
           document.getElementById("mistake").hidden = true"""
    )


def moved(page: Page, field: str, text: str) -> None:
    """Types a value as a person does, and waits for the answer."""
    forget(page)
    event = "new Event('input', {bubbles: true})"
    page.evaluate(f"{field}.value = {json.dumps(text)}; {field}.dispatchEvent({event})")
    settled(page)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_and_text_can_be_read(
    chromium: Page, url: str, width: int, dark: bool
) -> None:
    opened(chromium, url, width=width, dark=dark)
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width
    readable = (Path(__file__).parent / "readable.js").read_text(encoding="utf-8")
    assert chromium.evaluate(readable) == []
    chromium.evaluate(axe.script() + ";0")
    answer = chromium.call(
        "Runtime.evaluate", expression=axe.CHECK, awaitPromise=True, returnByValue=True
    )
    assert json.loads(answer["result"]["value"]) == []


def test_the_console_is_silent_and_nothing_is_asked_of_others(chromium: Page, url: str) -> None:
    """A violation of the content security policy would be an entry of the log."""
    opened(chromium, url)
    kinds = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}
    assert [event for event in chromium.events if event[0] in kinds] == []
    asked = [
        parameters["request"]["url"]
        for method, parameters in chromium.events
        if method == "Network.requestWillBeSent"
    ]
    assert [each for each in asked if not each.startswith((url, "data:"))] == []


def test_figures_plots_and_stack_file_follow_a_value(chromium: Page, url: str) -> None:
    opened(chromium, url)
    before = chromium.evaluate(FIGURE)
    label = "document.querySelector('[data-plot=volume] svg').getAttribute('aria-label')"
    moved(chromium, TOKENS, "60M")
    assert chromium.evaluate(FIGURE) != before
    assert "planned 60 million tokens" in chromium.evaluate(label)
    file = chromium.evaluate("document.getElementById('stack-file').textContent")
    assert "tokensPerDay: 60000000" in file
    assert chromium.evaluate("document.querySelector('[data-plot=week] svg') !== null")


def test_a_link_holds_the_state(chromium: Page, url: str) -> None:
    opened(chromium, url)
    moved(chromium, TOKENS, "60M")
    figure, link = chromium.evaluate(FIGURE), chromium.evaluate("location.href")
    assert link == f"{url}?traffic.tokensPerDay=60M"
    opened(chromium, url)
    assert chromium.evaluate(FIGURE) != figure
    opened(chromium, link)
    assert chromium.evaluate(FIGURE) == figure
    assert chromium.evaluate(f"{TOKENS}.value") == "60M"


def test_a_slider_is_moved_by_keys_and_says_its_value(chromium: Page, url: str) -> None:
    opened(chromium, url)
    before = chromium.evaluate(FIGURE)
    forget(chromium)
    chromium.evaluate(f"{SLIDER}.focus()")
    pressed(chromium, "ArrowRight", 39)
    settled(chromium)
    assert chromium.evaluate(f"{TOKENS}.value") == "600M"
    assert chromium.evaluate(f"{SLIDER}.getAttribute('aria-valuetext')") == "600M"
    assert chromium.evaluate(FIGURE) != before
    said = chromium.evaluate("document.querySelector('[role=status]').textContent")
    assert "/month" in said


def test_every_control_is_reached_by_tab_in_order_with_a_visible_focus(
    chromium: Page, url: str
) -> None:
    opened(chromium, url)
    expected = chromium.evaluate(
        """[...document.querySelectorAll("form input, form select, form button")]
            .map(one => one.id || one.getAttribute("aria-label") || one.type)"""
    )
    chromium.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(len(expected) + 1):
        pressed(chromium, "Tab", 9)
        active = "document.activeElement"
        reached.append(
            chromium.evaluate(
                f"{active}.id || {active}.getAttribute('aria-label') || {active}.type"
            )
        )
        assert chromium.evaluate(f"getComputedStyle({active}).outlineStyle") != "none"
    assert chromium.evaluate("document.querySelector('.skip').textContent")
    assert reached[1:] == expected


def test_a_mistake_is_shown_at_its_field_and_the_last_answer_stays(
    chromium: Page, url: str
) -> None:
    opened(chromium, url)
    before = chromium.evaluate(FIGURE)
    burst = "document.getElementById('control-traffic-burstFactor')"
    moved(chromium, burst, "50")
    told = f"document.getElementById({burst}.getAttribute('aria-describedby')).textContent"
    assert 'found "50". Allowed: a number, 1 to 20' in chromium.evaluate(told)
    assert chromium.evaluate(f"{burst}.getAttribute('aria-invalid')") == "true"
    assert chromium.evaluate(FIGURE) == before
    moved(chromium, burst, "2")
    assert chromium.evaluate(f"{burst}.hasAttribute('aria-invalid')") is False


def test_back_to_the_stack_file_undoes_everything(chromium: Page, url: str) -> None:
    opened(chromium, url)
    before = chromium.evaluate(FIGURE)
    moved(chromium, TOKENS, "60M")
    forget(chromium)
    chromium.evaluate("document.querySelector('[type=reset]').click()")
    settled(chromium)
    assert chromium.evaluate(FIGURE) == before
    assert chromium.evaluate("location.href") == url


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page as one file, with few points."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "_VOLUMES", (Decimal(1), Decimal(2)))
        patch.setattr(grid, "_ENGINEER", (2,))
        patch.setattr(grid, "_MACHINES", 1)
        found = grid.interactive_page(explorer_of("aws-prod", TODAY))
    assert found.points == 4
    path = tmp_path_factory.mktemp("file") / "cost.html"
    path.write_text(found.html, encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_file_shows_what_the_server_shows(
    chromium: Page, url: str, file: str, width: int
) -> None:
    opened(chromium, f"{url}?traffic.tokensPerDay=1B&staffing.engineerPercent=40", width=width)
    shown = "[...document.querySelectorAll('#figures dd, [data-section] td')].map(e => e.innerText)"
    expected = chromium.evaluate(shown)
    opened(chromium, f"{file}#traffic.tokensPerDay=1B&staffing.engineerPercent=40", width=width)
    assert chromium.evaluate(shown) == expected
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width
    kinds = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}
    assert [event for event in chromium.events if event[0] in kinds] == []
    chromium.evaluate(axe.script() + ";0")
    answer = chromium.call(
        "Runtime.evaluate", expression=axe.CHECK, awaitPromise=True, returnByValue=True
    )
    assert json.loads(answer["result"]["value"]) == []
    asked = [one for one in chromium.events if one[0] == "Network.requestWillBeSent"]
    assert {each["request"]["url"].partition("#")[0] for _, each in asked} <= {file, "data:,"}


def test_a_slider_of_the_file_stops_at_its_points_alone(chromium: Page, file: str) -> None:
    opened(chromium, file)
    before = chromium.evaluate(FIGURE)
    forget(chromium)
    chromium.evaluate(f"{TOKENS}.focus()")
    pressed(chromium, "ArrowRight", 39)
    settled(chromium)
    assert chromium.evaluate("location.hash") == "#traffic.tokensPerDay=1B"
    assert chromium.evaluate(FIGURE) != before
    assert chromium.evaluate(f"{TOKENS}.max") == "1"
