"""Of several prices of a machine, the one in force on the day of the list counts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.importers.in_force import InForce
from breakeven.catalog.importers.listing import SourceError
from tests.unit.catalog.importers.builders import SELECTION, price, read
from tests.unit.catalog.importers.lists import (
    GET_PRODUCTS,
    GPUHUNT_GOOGLE,
    SKYPILOT_GOOGLE,
    SKYPILOT_LAMBDA,
    get_products,
    product,
    spot,
)
from tests.unit.catalog.importers.test_readers import google_sku

DAYS = st.dates(date(2024, 1, 1), date(2028, 1, 1))


@given(DAYS, st.lists(st.tuples(DAYS, st.integers(1, 99)), max_size=8))
def test_the_price_that_began_last_by_the_day_of_the_list_counts(
    day: date, offers: list[tuple[date, int]]
) -> None:
    found = InForce()
    for start, usd in offers:
        found.offer(price(usd=str(usd), as_of=day), start)
    begun = [offer for offer in offers if offer[0] <= day]
    expected = [Decimal(max(begun)[1])] if begun else []
    assert [item.usd for item in found.prices()] == expected


def usd_of(text: str, cloud: str = "aws") -> dict[str, str]:
    selection = replace(SELECTION, cloud=cloud)
    return {item.identifier: f"{item.usd}" for item in read(text, selection).prices}


def test_a_product_of_several_terms_costs_what_is_in_force_on_its_publication_day() -> None:
    terms = (
        ("2026-06-01T00:00:00Z", "1.9"),
        ("2026-11-01T00:00:00Z", "1.7"),
        ("2026-12-01T00:00:00Z", "1.5"),
    )
    assert list(usd_of(get_products(product(*terms))).values()) == ["1.7"]
    assert list(usd_of(get_products(product(*terms[::-1]))).values()) == ["1.7"]


def test_products_that_a_json_tool_unpacked_are_read_as_well() -> None:
    texts = json.loads(GET_PRODUCTS)["PriceList"]
    for unpacked in (texts, [json.loads(text) for text in texts]):
        assert list(usd_of(json.dumps(unpacked)).values()) == ["1.7"]


def test_products_are_not_the_whole_list_of_a_region() -> None:
    assert not read(GET_PRODUCTS).whole


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (get_products(product(("soon", "1.7"))), "soon"),
        (get_products(product(("2026-11-01", "free"))), "free"),
        (get_products(product(("2026-11-01", "1"), published="")), "a day such as"),
        ('{"PriceList": ["{\\"serviceCode\\": \\"AmazonEC2\\""]}', "not JSON"),
        ('{"PriceList": ["serviceCode AmazonEC2"]}', "not JSON"),
        ('{"PriceList": [7], "serviceCode": "AmazonEC2"}', "aws pricing get-products"),
    ],
)
def test_a_product_that_is_wrong_is_refused_with_what_was_found(text: str, part: str) -> None:
    with pytest.raises(SourceError, match="FILE, line 1") as caught:
        read(text)
    assert part in str(caught.value)


def test_a_spot_price_of_a_day_to_come_is_not_used() -> None:
    items = [spot("0.9", "2026-11-19T00:00:00Z"), spot("0.1", "2026-11-21T00:00:00Z")]
    assert list(usd_of(json.dumps({"SpotPriceHistory": items})).values()) == ["0.9"]


def test_skypilots_google_table_gives_no_price_for_a_machine_with_a_separate_gpu() -> None:
    assert usd_of(SKYPILOT_GOOGLE, "gcp") == {
        "node/gcp/us-central1/e2-standard-4/on-demand": "0.13402",
        "node/gcp/us-central1/e2-standard-4/spot": "0.05",
    }


def test_a_price_of_a_region_is_that_of_all_regions_where_the_book_has_one_for_all() -> None:
    assert usd_of(SKYPILOT_LAMBDA, "lambda") == {
        "node/lambda/any/gpu_8x_h100_sxm5/on-demand": "31.92"
    }


def test_a_gpuhunt_row_of_other_terms_of_sale_is_left_out_and_a_zone_is_its_region() -> None:
    assert usd_of(GPUHUNT_GOOGLE, "gcp") == {
        "node/gcp/us-central1/a2-ultragpu-1g/on-demand": "5.0688"
    }


@pytest.mark.parametrize("text", [SKYPILOT_LAMBDA, GPUHUNT_GOOGLE])
def test_a_table_that_does_not_name_its_cloud_needs_it(text: str) -> None:
    with pytest.raises(SourceError, match="--cloud"):
        usd_of(text, "")


def catalog(*prices: tuple[str, str], description: str = "Storage PD Capacity") -> str:
    sku = google_sku(description, "0")
    sku["pricingInfo"] = [
        {**google_sku(description, usd)["pricingInfo"][0], "effectiveTime": start}
        for start, usd in prices
    ]
    return json.dumps({"skus": [sku], "nextPageToken": ""})


def test_of_googles_timeline_the_price_in_force_counts() -> None:
    timeline = (
        ("2026-01-01T00:00:00Z", "0.05"),
        ("2026-11-01T00:00:00Z", "0.04"),
        ("2027-01-01T00:00:00Z", "0.03"),
    )
    for prices in (timeline, timeline[::-1]):
        assert usd_of(catalog(*prices)) == {"volume/gcp/us-central1/pd-standard": "0.04"}


def test_a_sku_of_google_whose_price_is_to_come_has_none() -> None:
    with pytest.raises(SourceError, match="no price"):
        usd_of(catalog(("2027-01-01T00:00:00Z", "0.03")))


@pytest.mark.parametrize(
    ("description", "names"),
    [
        ("Balanced PD Capacity in Frankfurt", {"pd-balanced", "standard-rwo"}),
        ("SSD backed PD Capacity", {"pd-ssd", "premium-rwo"}),
    ],
)
def test_a_disk_of_google_has_its_name_and_that_of_its_storage_class(
    description: str, names: set[str]
) -> None:
    found = usd_of(catalog(("2026-01-01T00:00:00Z", "0.1"), description=description))
    assert set(found) == {f"volume/gcp/us-central1/{name}" for name in names}


def test_a_regional_disk_of_google_is_not_a_zonal_one() -> None:
    timeline = ("2026-01-01T00:00:00Z", "0.1")
    with pytest.raises(SourceError, match="no price"):
        usd_of(catalog(timeline, description="Regional SSD backed PD Capacity"))
