"""A price file holds one price a line, sorted; a fault is named by file, line and entry."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price import Price
from breakeven.catalog.price_file import read_book, read_prices
from breakeven.catalog.price_regions import MACHINES, SHIPPED
from breakeven.catalog.price_rows import PriceFileError, machines_text, prices_text
from tests.each import each

HEAD = "identifier,usd,unit,as_of,source,terms"
GP3 = "volume/aws/eu-west-1/gp3,0.08,GB-month,2026-01-31,a list,MIT"
MACHINE_HEAD = "cloud,instance_type,gpu,gpus,vcpus,memory_gib"
G6 = "aws,g6.xlarge,l4,1,4,16"


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@each("cloud", sorted({cloud for cloud, _ in read_book().regions}))
def test_writing_what_was_read_changes_no_byte(cloud: str) -> None:
    path = SHIPPED / f"{cloud}.csv"
    assert prices_text(read_prices(path).values()) == path.read_text(encoding="utf-8")


def test_writing_the_machine_types_that_were_read_changes_no_byte() -> None:
    text = (SHIPPED / MACHINES).read_text(encoding="utf-8")
    assert machines_text(read_book().shapes.values()) == text


def test_a_private_price_is_the_users_own_and_stays_private_when_written(tmp_path: Path) -> None:
    path = written(tmp_path / "aws.csv", HEAD, GP3.replace("MIT", "private"))
    [price] = read_prices(path).values()
    assert (price.private, price.confidence) == (True, "user")
    assert prices_text([price]) == path.read_text(encoding="utf-8")


@each(
    "lines, parts",
    [
        (["identifier,usd"], ("line 1", HEAD)),
        ([HEAD, GP3.replace("0.08", "-1")], ("line 2", "volume/aws/eu-west-1/gp3", "usd", '"-1"')),
        ([HEAD, GP3.replace("0.08", "1e9")], ("usd", "1e9")),
        ([HEAD, GP3.replace("GB-month", "hour")], ("unit", "node-hour")),
        ([HEAD, GP3.replace("a list", "")], ("source",)),
        ([HEAD, GP3.replace("2026-01-31", "2026-02-31")], ("line 2", "as_of", "day")),
        ([HEAD, GP3.replace("2026-01-31", "today")], ("as_of", "2026-07-20")),
        ([HEAD, GP3.replace("volume/aws/eu-west-1/gp3", "lunch")], ("lunch", "node/CLOUD")),
        ([HEAD, GP3.replace("volume/", "node/")], ("node/aws/eu-west-1/gp3",)),
        ([HEAD, f"{GP3},7"], ("line 2", "7 fields", HEAD)),
        ([HEAD, GP3, GP3], ("line 3", "twice")),
        ([HEAD, GP3.replace("aws", "azure")], ("azure", "prices of aws")),
        (
            [HEAD, GP3.replace("gp3", "a").replace("0.08", "x"), GP3.replace("0.08", "y")],
            ("line 2", '"x"', "line 3", '"y"'),
        ),
    ],
)
def test_a_fault_of_an_own_file_is_one_message_with_all_places(
    tmp_path: Path, lines: list[str], parts: tuple[str, ...]
) -> None:
    folder = tmp_path / str(abs(hash((*lines,))))
    folder.mkdir()
    written(folder / "aws.csv", *lines)
    with pytest.raises(PriceFileError) as caught:
        read_book(own=folder).prices["node/aws/r/t/spot"]
    for part in ("aws.csv", *parts):
        assert part in str(caught.value)


@each(
    "line, parts",
    [
        ("aws,g6.xlarge,l4,0,4,16", ("g6.xlarge", "gpu is empty where gpus is 0")),
        ("aws,g6.xlarge,l4,x,4,16", ("gpus", '"x"', "whole number")),
        ("aws,g6.xlarge,l4,1,4,0", ("memory_gib", "above 0")),
        ("aws,g6 x,l4,1,4,1", ("g6 x", "without spaces")),
        ("AWS,g6.xlarge,l4,1,4,16", ("cloud", "small letters")),
        (f"{G6}\n{G6}", ("g6.xlarge", "twice")),
        ("aws", ("1 fields",)),
    ],
)
def test_a_fault_of_a_machine_type_is_one_message(
    tmp_path: Path, line: str, parts: tuple[str, ...]
) -> None:
    folder = tmp_path / str(abs(hash(line)))
    folder.mkdir()
    written(folder / MACHINES, MACHINE_HEAD, line)
    with pytest.raises(PriceFileError) as caught:
        read_book(own=folder)
    for part in (MACHINES, "line", *parts):
        assert part in str(caught.value)


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff\xfe", b"{"])
def test_what_is_no_price_file_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "aws.csv"
    path.write_bytes(text)
    with pytest.raises(PriceFileError, match=r"aws\.csv"):
        read_prices(path)


def test_the_users_machine_types_are_offered_with_the_shipped_ones(tmp_path: Path) -> None:
    written(tmp_path / MACHINES, MACHINE_HEAD, "aws,x9.huge,h200,8,,")
    shapes = read_book(own=tmp_path).shapes
    assert shapes["aws", "x9.huge"] == NodeShape(
        cloud="aws", instance_type="x9.huge", gpu="h200", gpus=8, vcpus=None, memory_gib=None
    )
    assert ("aws", "g6.xlarge") in shapes


amounts = st.decimals(0, 999_999_999, places=15)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True), amounts, min_size=1))
def test_prices_come_back_as_they_were_written(
    tmp_path: Path, amounts_by_name: dict[str, Decimal]
) -> None:
    prices = {
        f"volume/aws/us-east-1/{name}": Price(
            identifier=f"volume/aws/us-east-1/{name}",
            usd=usd,
            unit="GB-month",
            source=f'"{name}", a list',
            as_of=date(2026, 1, 31),
            confidence="list",
            terms="MIT",
        )
        for name, usd in amounts_by_name.items()
    }
    path = tmp_path / "aws.csv"
    path.write_text(prices_text(prices.values()), encoding="utf-8")
    assert dict(read_prices(path)) == prices
