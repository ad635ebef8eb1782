"""Newer wins, private stays, order does not matter, and merging twice changes nothing."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.importers.listing import Listing
from breakeven.catalog.importers.merge import Change, changes, merged
from breakeven.catalog.price import Price
from tests.unit.catalog.importers.builders import price

DAY = date(2026, 7, 20)
G6E, P5 = "node/aws/us-east-1/g6e.xlarge/on-demand", "node/aws/us-east-1/p5.48xlarge/on-demand"
VOLUME = "volume/aws/gp3"

prices = st.builds(
    price,
    st.sampled_from([G6E, P5, "node/aws/us-east-1/g6e.xlarge/spot", "node/gcp/x/y/on-demand"]),
    st.decimals(0, 100, places=3),
    as_of=st.integers(0, 3).map(lambda days: DAY + timedelta(days)),
    source=st.sampled_from(["a list", "another list"]),
)
listings = st.lists(
    st.builds(
        Listing,
        name=st.just("FILE"),
        kind=st.just("table-csv"),
        prices=st.lists(prices, max_size=5).map(tuple),
        whole=st.booleans(),
    ),
    max_size=4,
)
books = st.lists(prices | st.builds(price, st.just(VOLUME)), max_size=5).map(
    lambda items: {item.identifier: item for item in items}
)


def listing(*offered: Price, whole: bool = False) -> Listing:
    return Listing("FILE", "table-csv", offered, whole)


@given(books, listings)
def test_merging_twice_changes_nothing(book: dict[str, Price], files: list[Listing]) -> None:
    once = merged(book, files)
    assert merged(once, files) == once
    assert changes(once, merged(once, files)) == ()


@given(books, listings, st.randoms(use_true_random=False))
def test_the_order_of_files_and_of_rows_does_not_matter(
    book: dict[str, Price], files: list[Listing], random: object
) -> None:
    shuffled = [Listing(f.name, f.kind, f.prices[::-1], f.whole) for f in files]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merged(book, shuffled) == merged(book, files)


@given(books, listings)
def test_a_merged_price_is_one_that_was_offered_and_the_newest_kept(
    book: dict[str, Price], files: list[Listing]
) -> None:
    offered = [*book.values(), *(item for file in files for item in file.prices)]
    partial = [Listing(f.name, f.kind, f.prices, whole=False) for f in files]
    result = merged(book, partial)
    assert set(result) == {item.identifier for item in offered}
    for identifier, kept in result.items():
        rivals = [item for item in offered if item.identifier == identifier]
        assert kept in rivals
        assert kept.as_of == max(rival.as_of for rival in rivals)
        assert kept.usd >= 0


@given(books, listings, st.decimals(0, 100, places=3))
def test_a_private_price_stays_whatever_the_files_say(
    book: dict[str, Price], files: list[Listing], usd: Decimal
) -> None:
    own = price(G6E, usd, as_of=date(2020, 1, 1), private=True)
    assert merged({**book, G6E: own}, files)[G6E] == own


@given(books, listings)
def test_what_is_no_machine_stays(book: dict[str, Price], files: list[Listing]) -> None:
    own = price(VOLUME, "0.08", as_of=date(2020, 1, 1))
    assert merged({**book, VOLUME: own}, files)[VOLUME] == own


def test_what_a_newer_whole_list_of_the_same_source_lacks_is_gone() -> None:
    book = {G6E: price(G6E), P5: price(P5)}
    newer = price(G6E, as_of=DAY + timedelta(1))
    assert set(merged(book, [listing(newer, whole=True)])) == {G6E}


@pytest.mark.parametrize(
    "file",
    [
        listing(price(G6E, as_of=DAY + timedelta(1))),
        listing(price(G6E, as_of=DAY), whole=True),
        listing(price(G6E, as_of=DAY + timedelta(1), source="another list"), whole=True),
        listing(
            price("node/aws/us-west-2/g6e.xlarge/on-demand", as_of=DAY + timedelta(1)), whole=True
        ),
        listing(price(G6E.replace("on-demand", "spot"), as_of=DAY + timedelta(1)), whole=True),
    ],
    ids=["a part", "as old", "another source", "another region", "another purchase"],
)
def test_nothing_is_gone_by(file: Listing) -> None:
    book = {G6E: price(G6E), P5: price(P5)}
    assert P5 in merged(book, [file])


def test_changes_are_new_changed_and_gone_but_not_a_newer_day() -> None:
    spot = G6E.replace("on-demand", "spot")
    before = {G6E: price(G6E, "2"), P5: price(P5, "5"), VOLUME: price(VOLUME, "1")}
    after = {
        G6E: price(G6E, "3"),
        spot: price(spot, "1"),
        VOLUME: price(VOLUME, "1.0", as_of=DAY + timedelta(1)),
    }
    found = changes(before, after)
    assert [(change.verb, change.identifier) for change in found] == [
        ("changed", G6E),
        ("new", spot),
        ("gone", P5),
    ]
    assert [change.percent for change in found] == [50, None, None]


@pytest.mark.parametrize(
    ("before", "after", "large"),
    [
        ("2", "3", False),
        ("2", "3.01", True),
        ("2", "1", False),
        ("2", "0.99", True),
        ("0", "0.01", True),
        ("1", "0", True),
    ],
)
def test_a_change_beyond_half_is_large(before: str, after: str, large: bool) -> None:
    assert Change("changed", price(usd=before), price(usd=after)).large is large


def test_what_is_new_or_gone_is_not_large() -> None:
    assert not Change("new", None, price()).large
    assert not Change("gone", price(), None).large
