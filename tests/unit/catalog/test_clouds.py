"""What is known about clouds agrees with the price list and with the pool kinds."""

from __future__ import annotations

from breakeven.catalog.clouds import CLOUDS, CONTROL_PLANES, find_cloud, private_balancer_clouds
from breakeven.catalog.pool_kinds import POOL_KINDS
from breakeven.catalog.price_book import PriceBook
from breakeven.catalog.price_file import read_book
from breakeven.cli.init.stack_answers import Where
from tests.unit.cost.builders import TODAY


def test_every_cloud_with_priced_machines_is_listed() -> None:
    assert {shape.cloud for shape in read_book().shapes.values()} <= set(CLOUDS)


def test_every_price_that_a_cloud_names_is_in_the_price_list() -> None:
    book = PriceBook.load(today=TODAY)
    for cloud in CLOUDS.values():
        for identifier in cloud.balancer_prices or ():
            assert book.find(identifier).usd > 0
    for name in CONTROL_PLANES[:-1]:
        assert book.find(f"control-plane/{name}").usd > 0


def test_a_pool_kind_belongs_to_a_known_cloud_and_each_cloud_has_at_most_one_default() -> None:
    for kind in POOL_KINDS.values():
        assert kind.cloud is None or kind.cloud in CLOUDS
    defaults = [kind.cloud for kind in POOL_KINDS.values() if kind.is_clouds_default]
    assert len(defaults) == len(set(defaults))
    assert None not in defaults


def test_init_offers_each_cloud_with_a_suggested_region_and_own_servers() -> None:
    offered = [cloud.name for cloud in CLOUDS.values() if cloud.first_region]
    assert set(Where) == {*offered, "own"}
    for name in offered:
        cloud = find_cloud(name)
        assert cloud.control_plane
        assert cloud.shared_storage_class
        assert cloud.system_machine


def test_a_load_balancer_is_allowed_only_where_it_is_known_to_stay_private() -> None:
    assert private_balancer_clouds() == ("aws", "azure", "gcp", "none")
    assert find_cloud("elsewhere").private_balancer is None
