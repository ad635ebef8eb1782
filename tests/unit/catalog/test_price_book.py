"""The price book holds what its files say; a GPU node that it lacks is missing, never guessed."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.clouds import CLOUDS
from breakeven.catalog.gpus import load_gpus
from breakeven.catalog.price import Price, PriceMissingError
from breakeven.catalog.price_book import PriceBook, UnknownInstanceTypeError
from breakeven.catalog.price_file import read_book
from breakeven.catalog.price_regions import cloud_of, in_region, region_of, without_region
from breakeven.catalog.price_rows import prices_text
from tests.each import each

TODAY = date(2026, 11, 30)
FILE = read_book()
BOOK = PriceBook.load(today=TODAY)
# USD from and to: outside of these a decimal point has slipped, or the unit is another one.
PLAUSIBLE = {
    "node-hour": (Decimal("0.005"), Decimal(400)),
    "GB-month": (Decimal("0.01"), Decimal("0.5")),
    "month": (Decimal(0), Decimal(500)),
    "GB": (Decimal(0), Decimal(3)),
    "unit-month": (Decimal("0.004"), Decimal(10)),
}
SAMPLE = (
    "node/aws/us-east-1/g6e.xlarge/on-demand",
    "node/gcp/europe-west4/n2-standard-4/spot",
    "volume/aws/gp3",
    "volume/gcp/europe-west3/pd-ssd",
    "control-plane/eks",
    "load-balancer/azure/gb",
)


def test_every_price_is_plausible_dated_sourced_and_of_a_known_cloud() -> None:
    for identifier, price in FILE.prices.items():
        lowest, highest = PLAUSIBLE[price.unit]
        assert lowest <= price.usd <= highest, identifier
        assert (price.unit == "node-hour") == identifier.startswith("node/"), identifier
        assert price.source, identifier
        assert price.terms, identifier
        assert date(2022, 1, 1) <= price.as_of <= TODAY, identifier
        assert price.confidence == "list", identifier
        assert cloud_of(identifier) in CLOUDS, identifier
        assert region_of(identifier), identifier


def test_every_machine_type_has_a_known_gpu_or_none_and_a_price_and_the_other_way_round() -> None:
    priced = {
        (parts[1], parts[3])
        for parts in (identifier.split("/") for identifier in FILE.prices)
        if parts[0] == "node"
    }
    assert priced == set(FILE.shapes)
    for shape in FILE.shapes.values():
        assert shape.gpu is None or shape.gpu in load_gpus(), shape
        assert shape.gpus in {0, 1, 2, 4, 8, 16}, shape
        if shape.vcpus is not None and shape.memory_gib is not None:
            assert shape.vcpus >= 2, shape
            assert shape.memory_gib >= 2 * shape.vcpus * 0.9, shape


@pytest.mark.parametrize(
    ("cloud", "region", "instance_type", "capacity_type", "usd"),
    [
        ("aws", "us-east-1", "g5.xlarge", "on-demand", "1.006"),
        ("aws", "us-east-1", "g6e.xlarge", "on-demand", "1.861"),
        ("aws", "us-east-1", "p5.48xlarge", "on-demand", "55.04"),
        ("azure", "eastus", "Standard_NC40ads_H100_v5", "on-demand", "6.98"),
        # truth of the numbers, table 4b: independent and newer than the tables of Karpenter
        ("azure", "eastus", "Standard_NC48ads_A100_v4", "on-demand", "9.554"),
        ("azure", "eastus", "Standard_NC96ads_A100_v4", "on-demand", "19.108"),
        ("azure", "eastus", "Standard_NC80adis_H100_v5", "on-demand", "17.64"),
        ("runpod", "any", "1x_A100-80GB_SECURE", "on-demand", "1.79"),
        ("lambda", "any", "gpu_8x_h100_sxm5", "on-demand", "31.92"),
        ("nebius", "any", "gpu-h100-sxm_1gpu-16vcpu-200gb", "on-demand", "4.50"),
        ("nebius", "eu-north1", "gpu-h200-sxm_8gpu-128vcpu-1600gb", "on-demand", "43.20"),
        ("crusoe", "any", "mi300x-192gb-ib.8x", "on-demand", "27.60"),
        ("oci", "us-ashburn-1", "BM.GPU.H100.8", "on-demand", "80.0"),
    ],
)
def test_a_node_costs_what_the_cloud_lists(
    cloud: str, region: str, instance_type: str, capacity_type: str, usd: str
) -> None:
    price = BOOK.node(cloud, region, instance_type, capacity_type)
    assert price.usd == Decimal(usd)
    assert price.unit == "node-hour"


def test_a_machine_that_is_not_sold_on_demand_has_no_such_price() -> None:
    with pytest.raises(PriceMissingError):
        BOOK.node("gcp", "us-central1", "a3-highgpu-1g", "on-demand")
    assert BOOK.node("gcp", "us-central1", "a3-highgpu-1g", "spot").usd > 0


@pytest.mark.parametrize(
    ("identifier", "usd", "unit"),
    [
        ("control-plane/eks", "73", "month"),
        ("control-plane/gke", "73", "month"),
        ("control-plane/aks", "73", "month"),
        ("volume/aws/gp3", "0.08", "GB-month"),
        ("volume/aws/efs", "0.30", "GB-month"),
        ("volume/aws/efs-read", "0.03", "GB"),
        ("volume/gcp/pd-ssd", "0.17", "GB-month"),
        ("volume/gcp/europe-west3/pd-ssd", "0.204", "GB-month"),
        ("load-balancer/aws/nlb", "16.425", "month"),
        ("load-balancer/aws/nlb-lcu", "4.38", "unit-month"),
        ("load-balancer/azure/standard", "18.25", "month"),
        ("load-balancer/gcp/forwarding-rule", "18.25", "month"),
        ("nat/aws/gateway", "32.85", "month"),
        ("nat/aws/gb", "0.045", "GB"),
        ("ip/aws/ipv4", "3.65", "month"),
        ("registry/aws/storage", "0.1", "GB-month"),
        ("egress/aws/internet", "0.09", "GB"),
        ("egress/aws/between-zones", "0.01", "GB"),
    ],
)
def test_what_is_no_machine_costs_what_its_source_says(
    identifier: str, usd: str, unit: str
) -> None:
    price = BOOK.find(identifier)
    assert (price.usd, price.unit) == (Decimal(usd), unit)


def test_a_region_with_a_price_of_its_own_gets_it() -> None:
    book = PriceBook.load(today=TODAY, region="europe-west3")
    price = book.find("volume/gcp/pd-balanced")
    assert price.identifier == "volume/gcp/europe-west3/pd-balanced"
    assert (price.usd, price.stands_in_for) == (Decimal("0.12"), "")


@pytest.mark.parametrize(
    "identifier",
    ["volume/aws/gp3", "nat/aws/gateway", "node/aws/eu-central-1/m6i.large/on-demand"],
)
def test_a_price_taken_from_another_region_says_so(identifier: str) -> None:
    price = PriceBook.load(today=TODAY, region="eu-central-1").find(identifier)
    assert price.stands_in_for == "eu-central-1"
    assert region_of(price.identifier) == "us-east-1"
    assert "price of us-east-1, none is known for eu-central-1" in price.shown_source


def test_a_gpu_node_is_never_taken_from_another_region() -> None:
    with pytest.raises(PriceMissingError) as caught:
        BOOK.node("aws", "mars-north-1", "g6e.xlarge", "on-demand")
    assert caught.value.identifier == "node/aws/mars-north-1/g6e.xlarge/on-demand"
    assert "node/aws/eu-north-1/g6e.xlarge/on-demand" in caught.value.near


def test_spot_costs_less_than_on_demand() -> None:
    for identifier, price in FILE.prices.items():
        on_demand = identifier.removesuffix("spot") + "on-demand"
        if identifier.endswith("/spot") and on_demand in FILE.prices:
            assert price.usd < FILE.prices[on_demand].usd, identifier


def test_shapes_are_the_clouds_own() -> None:
    shape = BOOK.shape("aws", "g5.12xlarge")
    assert (shape.gpu, shape.gpus, shape.vcpus, shape.memory_gib) == ("a10g", 4, 48, 192)
    system = BOOK.shape("aws", "m7i.xlarge")
    assert (system.gpu, system.gpus, system.vcpus, system.memory_gib) == (None, 0, 4, 16)


def test_an_unknown_machine_type_says_what_is_near() -> None:
    with pytest.raises(UnknownInstanceTypeError, match=r"aws/g6e\.xlarg") as caught:
        BOOK.shape("aws", "g6e.xlarg")
    assert caught.value.near[0] == "aws/g6e.xlarge"
    assert isinstance(caught.value, LookupError)


amounts = st.decimals(min_value=0, max_value=10_000, places=4)


@given(st.sampled_from(SAMPLE), amounts)
def test_an_override_wins_and_keeps_the_unit(identifier: str, usd: Decimal) -> None:
    price = PriceBook.load({identifier: usd}, today=TODAY).find(identifier)
    assert price.usd == usd
    assert price.unit == BOOK.find(identifier).unit
    assert (price.source, price.as_of, price.confidence) == ("pricing.overrides", TODAY, "user")


def test_an_override_without_region_holds_in_every_region_and_one_with_it_there_alone() -> None:
    everywhere = PriceBook.load({"volume/aws/gp3": Decimal(7)}, today=TODAY)
    assert everywhere.find("volume/aws/eu-west-1/gp3").usd == Decimal(7)
    there = {"volume/aws/eu-west-1/gp3": Decimal(7)}
    assert PriceBook.load(there, today=TODAY, region="eu-west-1").find("volume/aws/gp3").usd == 7
    assert PriceBook.load(there, today=TODAY).find("volume/aws/gp3").usd == Decimal("0.08")


@pytest.mark.parametrize(
    ("identifier", "unit"),
    [
        ("node/onprem/hall-2/4xl40s/on-demand", "node-hour"),
        ("volume/azure/premium", "GB-month"),
        ("load-balancer/onprem", "month"),
        ("load-balancer/onprem/gb", "GB"),
        ("load-balancer/gcp/other-lcu", "unit-month"),
        ("control-plane/openshift", "month"),
        ("egress/onprem/internet", "GB"),
    ],
)
def test_an_override_may_add_what_the_book_lacks(identifier: str, unit: str) -> None:
    price = PriceBook.load({identifier: Decimal(3)}, today=TODAY).find(identifier)
    assert (price.usd, price.unit) == (Decimal(3), unit)
    with pytest.raises(PriceMissingError):
        BOOK.find(identifier)


@given(st.sampled_from(SAMPLE), amounts)
def test_only_an_override_marked_private_is_private(identifier: str, usd: Decimal) -> None:
    marked = PriceBook.load({identifier: usd}, private={identifier}, today=TODAY).find(identifier)
    assert (marked.private, marked.usd) == (True, usd)
    assert marked.shown_source == "private"
    assert not PriceBook.load({identifier: usd}, today=TODAY).find(identifier).private


def test_a_book_knows_what_was_asked_of_it() -> None:
    book = PriceBook.load(today=TODAY)
    assert not book.used
    book.find("volume/aws/gp3")
    book.node("aws", "us-east-1", "g6.xlarge", "on-demand")
    with pytest.raises(PriceMissingError):
        book.find("volume/aws/gp9")
    assert [price.identifier for price in book.used] == [
        "node/aws/us-east-1/g6.xlarge/on-demand",
        "volume/aws/us-east-1/gp3",
    ]


def own(folder: Path, identifier: str, usd: str, day: date, terms: str = "quoted") -> Path:
    price = Price(
        identifier=identifier,
        usd=Decimal(usd),
        unit="node-hour" if identifier.startswith("node/") else "GB-month",
        source="our list",
        as_of=day,
        confidence="user",
        private=terms == "private",
        terms=terms,
    )
    path = folder / f"{cloud_of(identifier)}.csv"
    path.write_text(prices_text([price]), encoding="utf-8")
    return folder


G6E = "node/aws/us-east-1/g6e.xlarge/on-demand"


@pytest.mark.parametrize(
    ("day", "terms", "usd"),
    [
        (TODAY, "quoted", "1.5"),
        (date(2024, 8, 1), "quoted", "1.861"),
        (date(2024, 8, 1), "private", "1.5"),
    ],
)
def test_an_own_price_wins_if_it_is_not_older_or_is_private(
    tmp_path: Path, day: date, terms: str, usd: str
) -> None:
    book = PriceBook.load(today=TODAY, own=own(tmp_path, G6E, "1.5", day, terms))
    assert book.find(G6E).usd == Decimal(usd)


def test_an_own_price_may_add_a_region(tmp_path: Path) -> None:
    identifier = "node/aws/mars-north-1/g6e.xlarge/on-demand"
    folder = own(tmp_path, identifier, "9", TODAY)
    assert PriceBook.load(today=TODAY, own=folder).find(identifier).usd == Decimal(9)
    assert "mars-north-1" in read_book(own=folder).regions_of("aws")


def test_what_a_newer_own_list_no_longer_has_is_gone(tmp_path: Path) -> None:
    folder = own(tmp_path, G6E, "1.861", TODAY, "not-sold")
    with pytest.raises(PriceMissingError):
        PriceBook.load(today=TODAY, own=folder).find(G6E)
    prices = read_book(own=folder).prices
    assert G6E not in prices
    assert G6E not in set(prices)


@each("cloud", sorted({cloud for cloud, _ in FILE.regions} - {"aws", "azure", "gcp"}))
def test_gpu_clouds_have_machines_to_serve_with(cloud: str) -> None:
    assert any(shape.gpu for shape in BOOK.machines(cloud))


def test_an_override_that_can_have_no_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="lunch"):
        PriceBook.load({"lunch": Decimal(3)}, today=TODAY)
    with pytest.raises(ValueError, match="volume/aws/gp3"):
        PriceBook.load({"volume/aws/gp3": Decimal(-1)}, today=TODAY)


@given(st.integers(-100, 3000), st.integers(0, 3000))
def test_a_price_is_stale_once_older_than_allowed(days: int, allowed: int) -> None:
    price = BOOK.find("volume/aws/gp3")
    book = PriceBook.load(today=price.as_of + timedelta(days=days))
    assert book.age_days(price) == max(0, days)
    assert book.is_stale(price, allowed) == (days > allowed)


@each("identifier", [*SAMPLE, "nat/gcp/any/gateway", "control-plane/aws/us-east-1/eks"])
def test_a_region_can_be_put_in_and_taken_out(identifier: str) -> None:
    there = in_region(identifier, "somewhere-1")
    assert region_of(there) == "somewhere-1"
    assert cloud_of(there) == cloud_of(identifier)
    if not identifier.startswith("node/"):
        assert without_region(there) == without_region(identifier)


def test_all_overrides_that_stand_for_nothing_are_named_at_once() -> None:
    overrides = {"lunch/a": Decimal(1), "volume/aws/gp3": Decimal(1), "tea/b": Decimal(1)}
    with pytest.raises(ValueError, match='price "lunch/a", "tea/b"; allowed: volume/'):
        PriceBook.load(overrides, today=TODAY)
