"""A price book file is what its published schema says; what is not is named by line and entry."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from breakeven.catalog.gpus import load_gpus
from breakeven.catalog.price import Price
from breakeven.catalog.price_entries import NodeEntry, PriceEntry, fault, price_book_schema
from breakeven.catalog.price_file import (
    BOOK_PATH,
    SCHEMA_PATH,
    BookFile,
    PriceFileError,
    book_text,
    read_book,
)
from tests.each import each

SCHEMA = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
PRICE: dict[str, Any] = {
    "identifier": "volume/aws/gp3",
    "usd": "0.08",
    "unit": "GB-month",
    "source": "a list",
    "as_of": "2026-01-31",
}
NODE: dict[str, Any] = {
    "cloud": "aws",
    "instance_type": "g6.xlarge",
    "gpu": "l4",
    "gpus": 1,
    "vcpus": 4,
    "memory_gib": 16,
}


def book(tmp_path: Path, **changed: Any) -> Path:
    path = tmp_path / "book.json"
    document = {"version": 1, "prices": [PRICE], "nodes": [NODE], **changed}
    path.write_text(json.dumps(document, indent=0), encoding="utf-8")
    return path


def test_the_published_schema_is_the_one_of_the_definition() -> None:
    assert price_book_schema() == SCHEMA, "run: make price-schema"


def test_the_shipped_book_is_what_its_schema_says() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(json.loads(BOOK_PATH.read_text(encoding="utf-8")))


def test_every_field_of_the_schema_is_described() -> None:
    parts = [SCHEMA, *SCHEMA["$defs"].values()]
    assert all(part["additionalProperties"] is False for part in parts)
    for part in parts:
        assert part["description"]
        for name, field in part["properties"].items():
            assert len(field["description"]) >= 20, name


def test_every_gpu_of_the_shipped_book_is_known() -> None:
    assert {shape.gpu for shape in read_book().shapes.values()} - {None} <= set(load_gpus())


def test_writing_what_was_read_changes_no_byte() -> None:
    assert book_text(read_book()) == BOOK_PATH.read_text(encoding="utf-8")


def test_a_private_price_is_the_users_own_and_stays_private_when_written(tmp_path: Path) -> None:
    path = book(tmp_path, prices=[{**PRICE, "private": True}])
    price = read_book(path).prices["volume/aws/gp3"]
    assert (price.private, price.confidence) == (True, "user")
    path.write_text(book_text(read_book(path)), encoding="utf-8")
    assert read_book(path).prices["volume/aws/gp3"] == price


@each(
    "changed, parts",
    [
        ({"prices": [{**PRICE, "usd": "-1"}]}, ("line 4", "volume/aws/gp3", "usd", '"-1"')),
        ({"prices": [{**PRICE, "usd": 0.08}]}, ("volume/aws/gp3", "usd", "in quotes")),
        ({"prices": [{**PRICE, "usd": "NaN"}]}, ("usd", "NaN")),
        ({"prices": [{**PRICE, "usd": "1e9"}]}, ("usd", "1e9")),
        ({"prices": [{**PRICE, "unit": "hour"}]}, ("unit", "node-hour")),
        ({"prices": [{**PRICE, "source": ""}]}, ("source",)),
        ({"prices": [{**PRICE, "as_of": "2026-02-31"}]}, ("as_of", "day")),
        ({"prices": [{**PRICE, "as_of": "today"}]}, ("as_of", "2026-07-20")),
        ({"prices": [{**PRICE, "note": 1}]}, ('unknown field "note"', "identifier, usd")),
        ({"prices": [{**PRICE, "private": "yes"}]}, ("private", "true")),
        ({"prices": [{**PRICE, "identifier": "lunch"}]}, ("lunch", "node/CLOUD")),
        ({"prices": [{**PRICE, "identifier": "node/aws/x/spot"}]}, ("node/aws/x/spot",)),
        ({"prices": [PRICE, PRICE]}, ("line 11", "twice")),
        ({"prices": [7]}, ("line 4", "found 7", "an object")),
        ({"prices": []}, ("prices is missing or empty",)),
        ({"prices": {"a": PRICE}}, ('unknown field "prices.a"',)),
        ({"nodes": []}, ("nodes is missing or empty",)),
        ({"nodes": [NODE, NODE]}, ("g6.xlarge", "twice")),
        ({"nodes": [{**NODE, "gpus": 0}]}, ("g6.xlarge", "gpu is null where gpus is 0")),
        ({"nodes": [{**NODE, "gpus": True}]}, ("gpus", "whole number")),
        ({"nodes": [{**NODE, "memory_gib": 0}]}, ("memory_gib", "above 0")),
        ({"version": 2}, ("version: found 2",)),
        ({"version": True}, ("version: found true",)),
        ({"extra": 1}, ('unknown field "extra"', "prices", "nodes")),
    ],
)
def test_a_fault_is_one_message_with_its_place(
    tmp_path: Path, changed: dict[str, Any], parts: tuple[str, ...]
) -> None:
    with pytest.raises(PriceFileError) as caught:
        read_book(book(tmp_path, **changed))
    for part in ("book.json", *parts):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"7", b'{"prices": [', b"\xff\xfe", b'{"version": 1}', b'{"prices": [1 2]}'],
)
def test_what_is_no_book_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "book.json"
    path.write_bytes(text)
    with pytest.raises(PriceFileError, match=r"book\.json"):
        read_book(path)


anything: st.SearchStrategy[Any] = st.sampled_from(
    (
        *(None, True, False, 0, 1, -1, 1.5, 1.0, 257, 10**30, 1e300, [], {}, ["x"]),
        *("", "x", "1", "0.10", "-0.1", "01", "1.", "1e3", "A", "a b", "a/b", "2026-07-20"),
        *("node/aws/r/t/spot", "node/aws/r/t/x", "egress/a", "nat/a/b/c", "node-hour"),
    )
)


@given(kind=st.sampled_from([PriceEntry, NodeEntry]), data=st.data())
def test_the_check_says_what_the_package_jsonschema_says(
    kind: type[PriceEntry | NodeEntry], data: st.DataObject
) -> None:
    entry = dict(PRICE if kind is PriceEntry else NODE)
    schema = SCHEMA["$defs"][kind.__name__]
    fields = [*schema["properties"], "unknown"]
    for field in data.draw(st.lists(st.sampled_from(fields), max_size=3, unique=True)):
        if data.draw(st.booleans()):
            entry[field] = data.draw(anything)
        else:
            entry.pop(field, None)
    assert (fault(entry, kind) is None) == Draft202012Validator(schema).is_valid(entry)


amounts = st.decimals(0, 999_999_999, places=15)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True), amounts, min_size=1))
def test_prices_come_back_as_they_were_written(
    tmp_path: Path, amounts_by_name: dict[str, Decimal]
) -> None:
    prices = {
        f"volume/aws/{name}": Price(
            identifier=f"volume/aws/{name}",
            usd=usd,
            unit="GB-month",
            source=f'"{name}", a list',
            as_of=date(2026, 1, 31),
            confidence="list",
        )
        for name, usd in amounts_by_name.items()
    }
    path = tmp_path / "book.json"
    written = BookFile(prices, read_book().shapes)
    path.write_text(book_text(written), encoding="utf-8")
    assert read_book(path) == written
    VALIDATOR.validate(json.loads(path.read_text(encoding="utf-8")))
