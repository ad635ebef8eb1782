"""The price book holds what its table says; what it lacks is missing, never guessed."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.gpus import load_gpus
from breakeven.catalog.price import PriceMissingError
from breakeven.catalog.price_book import PriceBook, UnknownInstanceTypeError
from tests.each import each

ROOT = Path(__file__).parents[3]
DATA = json.loads(
    (ROOT / "components/breakeven/catalog/data/prices.json").read_text(encoding="utf-8")
)
TODAY = date(2026, 11, 24)
BOOK = PriceBook.load(today=TODAY)
# USD from and to: outside of these a decimal point has slipped, or the unit is another one.
PLAUSIBLE = {
    "node-hour": (Decimal("0.03"), Decimal(150)),
    "GB-month": (Decimal("0.01"), Decimal("0.5")),
    "month": (Decimal(10), Decimal(100)),
    "GB": (Decimal("0.004"), Decimal("0.2")),
    "unit-month": (Decimal("0.05"), Decimal(10)),
}


def test_the_file_has_the_version_that_is_read() -> None:
    assert DATA["version"] == 1


@each("identifier", [entry["identifier"] for entry in DATA["prices"]])
def test_every_price_is_plausible_dated_and_sourced(identifier: str) -> None:
    price = BOOK.find(identifier)
    lowest, highest = PLAUSIBLE[price.unit]
    assert lowest <= price.usd <= highest
    assert (price.unit == "node-hour") == identifier.startswith("node/")
    assert price.source
    assert date(2024, 7, 1) <= price.as_of <= TODAY
    assert price.confidence == "list"


@each("entry", DATA["nodes"])
def test_every_machine_type_has_a_known_gpu_or_none_and_a_price(entry: dict[str, object]) -> None:
    shape = BOOK.shape(str(entry["cloud"]), str(entry["instance_type"]))
    assert (shape.gpu is None) == (shape.gpus == 0)
    assert shape.gpu is None or shape.gpu in load_gpus()
    assert shape.gpus in {0, 1, 2, 4, 8}
    if shape.vcpus is not None and shape.memory_gib is not None:
        assert shape.vcpus >= 2
        assert shape.memory_gib >= 2 * shape.vcpus * 0.9
    assert any(
        price["identifier"].startswith(f"node/{shape.cloud}/")
        and f"/{shape.instance_type}/" in price["identifier"]
        for price in DATA["prices"]
    )


def test_nothing_is_there_twice() -> None:
    identifiers = [entry["identifier"] for entry in DATA["prices"]]
    assert len(set(identifiers)) == len(identifiers)
    types = [(entry["cloud"], entry["instance_type"]) for entry in DATA["nodes"]]
    assert len(set(types)) == len(types)


def test_every_price_of_a_machine_is_of_a_known_shape() -> None:
    for entry in DATA["prices"]:
        parts = entry["identifier"].split("/")
        if parts[0] == "node":
            _, cloud, _, instance_type, capacity_type = parts
            assert BOOK.shape(cloud, instance_type).cloud == cloud
            assert capacity_type in {"on-demand", "spot"}


@pytest.mark.parametrize(
    ("cloud", "region", "instance_type", "capacity_type", "usd"),
    [
        ("aws", "us-east-1", "g5.xlarge", "on-demand", "1.006"),
        ("aws", "us-east-1", "g6e.xlarge", "on-demand", "1.861"),
        ("aws", "us-east-1", "p5.48xlarge", "on-demand", "55.04"),
        ("azure", "eastus", "Standard_NC40ads_H100_v5", "on-demand", "6.98"),
        ("gcp", "us-central1", "a3-highgpu-1g", "on-demand", "11.06125"),
        ("gcp", "us-central1", "a3-highgpu-1g", "spot", "6.32619"),
    ],
)
def test_a_node_costs_what_the_cloud_lists(
    cloud: str, region: str, instance_type: str, capacity_type: str, usd: str
) -> None:
    price = BOOK.node(cloud, region, instance_type, capacity_type)
    assert price.usd == pytest.approx(Decimal(usd), abs=Decimal("0.00001"))
    assert price.unit == "node-hour"


@pytest.mark.parametrize(
    ("identifier", "usd", "unit"),
    [
        ("control-plane/eks", "73", "month"),
        ("control-plane/gke", "73", "month"),
        ("control-plane/aks", "73", "month"),
        ("volume/aws/gp3", "0.08", "GB-month"),
        ("volume/aws/efs", "0.30", "GB-month"),
        ("volume/gcp/pd-ssd", "0.17", "GB-month"),
        ("load-balancer/aws/nlb", "16.425", "month"),
        ("load-balancer/aws/nlb-lcu", "4.38", "unit-month"),
        ("load-balancer/azure/standard", "18.25", "month"),
        ("load-balancer/gcp/forwarding-rule", "18.25", "month"),
        ("nat/aws/gateway", "32.85", "month"),
        ("nat/aws/gb", "0.045", "GB"),
        ("egress/aws/internet", "0.09", "GB"),
    ],
)
def test_what_is_no_machine_costs_what_its_source_says(
    identifier: str, usd: str, unit: str
) -> None:
    price = BOOK.find(identifier)
    assert (price.usd, price.unit) == (Decimal(usd), unit)


def test_spot_costs_less_than_on_demand() -> None:
    for entry in DATA["prices"]:
        identifier = entry["identifier"]
        if identifier.endswith("/spot"):
            on_demand = BOOK.find(identifier.removesuffix("spot") + "on-demand")
            assert BOOK.find(identifier).usd < on_demand.usd


def test_a_missing_price_is_not_taken_from_another_region() -> None:
    with pytest.raises(PriceMissingError) as caught:
        BOOK.node("aws", "eu-central-1", "g6e.xlarge", "on-demand")
    assert caught.value.identifier == "node/aws/eu-central-1/g6e.xlarge/on-demand"
    assert "node/aws/us-east-1/g6e.xlarge/on-demand" in caught.value.near


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


@given(st.sampled_from([entry["identifier"] for entry in DATA["prices"]]), amounts)
def test_an_override_wins_and_keeps_the_unit(identifier: str, usd: Decimal) -> None:
    price = PriceBook.load({identifier: usd}, today=TODAY).find(identifier)
    assert price.usd == usd
    assert price.unit == BOOK.find(identifier).unit
    assert (price.source, price.as_of, price.confidence) == ("pricing.overrides", TODAY, "user")


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


@given(st.sampled_from([entry["identifier"] for entry in DATA["prices"]]), amounts)
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
        "volume/aws/gp3",
    ]


@pytest.mark.parametrize(
    ("cloud", "instance_type", "usd", "gpu", "gpus"),
    [
        ("lambda", "gpu_8x_h100_sxm5", "31.92", "h100", 8),
        ("nebius", "gpu-h100-sxm_1gpu-16vcpu-200gb", "2.95", "h100", 1),
        ("runpod", "1x_A100-80GB_SECURE", "1.39", "a100-80-pcie", 1),
        ("crusoe", "mi300x-192gb-ib.8x", "27.60", "mi300x", 8),
    ],
)
def test_gpu_clouds_have_one_price_for_all_regions(
    cloud: str, instance_type: str, usd: str, gpu: str, gpus: int
) -> None:
    shape = BOOK.shape(cloud, instance_type)
    assert BOOK.node(cloud, "any", instance_type, "on-demand").usd == Decimal(usd)
    assert (shape.gpu, shape.gpus) == (gpu, gpus)


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
