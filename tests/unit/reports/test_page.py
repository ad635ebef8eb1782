"""The page needs nothing beside itself, is readable without a script, and shows the figures."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from breakeven.cost.report import Report
from breakeven.reports.page import page
from breakeven.reports.plots.tornado import tornado_of
from tests.unit.cost.builders import api, pool, volume
from tests.unit.reports.cases import amounts, output_amounts, report_of

VOID = {"meta", "link", "path", "use", "br", "rect", "line", "circle"}


class Reader(HTMLParser):
    """Collects elements, attributes and text; complains where elements are not nested."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def finished(self) -> Reader:
        assert not self._open
        return self


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader.finished()


def written(report: Report) -> str:
    return page(report, tornado_of(report, (pool(), volume())))


@pytest.fixture(scope="module")
def report() -> Report:
    return report_of(shaped=True)


@pytest.fixture(scope="module")
def text(report: Report) -> str:
    return written(report)


def test_it_has_the_amounts_of_the_json_form(report: Report, text: str) -> None:
    assert output_amounts(report) <= amounts(" ".join(read(text).text))


def test_the_same_report_gives_the_same_page(report: Report, text: str) -> None:
    assert written(report) == text


def test_it_asks_for_nothing_from_elsewhere(text: str) -> None:
    for tag, attributes in read(text).elements:
        assert tag not in {"script", "iframe", "img", "object", "embed"}
        for name, value in attributes.items():
            assert not name.startswith("on"), f"{tag} {name}"
            if name in {"href", "src", "xlink:href"}:
                assert re.match(r"data:,$|#", value or ""), f"{tag} {name}={value}"
    assert "@import" not in text
    # The only other word with it is the policy by which a browser refuses what the page asks for.
    policy = """<meta http-equiv="Content-Security-Policy" content="default-src 'none';"""
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text).replace(policy, "")


def test_every_name_is_unique_and_every_reference_has_its_target(text: str) -> None:
    elements = read(text).elements
    names = Counter(attributes["id"] for _, attributes in elements if "id" in attributes)
    assert {name for name, count in names.items() if count > 1} == set()
    referred = set(re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', text))
    referred |= {
        attributes["aria-labelledby"] or ""
        for _, attributes in elements
        if "aria-labelledby" in attributes
    }
    assert referred <= set(names)


def test_every_plot_is_described_in_words(text: str) -> None:
    plots = [attributes for tag, attributes in read(text).elements if tag == "svg"]
    assert len(plots) == 8
    for attributes in plots:
        assert attributes["role"] == "img"
        assert len(attributes["aria-label"] or "") > 60


def test_plots_take_their_colours_from_the_page(text: str) -> None:
    drawn = text[text.index("<svg") : text.rindex("</svg>")]
    assert set(re.findall(r"#[0-9a-f]{6}", drawn)) == set()
    defined = set(re.findall(r"--(\w+):", text))
    assert set(re.findall(r"var\(--(\w+)\)", text)) <= defined


def test_there_is_one_heading_and_sections_below_it(text: str) -> None:
    headings = [int(tag[1]) for tag, _ in read(text).elements if re.fullmatch(r"h\d", tag)]
    assert headings[0] == 1
    assert set(headings[1:]) == {2}


def test_names_can_bring_no_markup_and_no_formula() -> None:
    name = 'host/<b>$x$ & "y"</b>{{ 7 * 7 }}'
    found = read(written(report_of(stack="<i>s</i>", hosted=(api(name, "0.5"),))))
    assert not {"b", "i"} & {tag for tag, _ in found.elements}
    assert name in "".join(found.text)
