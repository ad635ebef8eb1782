"""What storage charges besides the size that is asked for."""

from __future__ import annotations

from breakeven.catalog.clouds import CLOUDS
from breakeven.catalog.storage_classes import StorageClass, storage_class


def test_the_class_that_init_suggests_is_known_in_each_cloud() -> None:
    suggested = [cloud for cloud in CLOUDS.values() if cloud.shared_storage_class]
    assert len(suggested) == 3
    for cloud in suggested:
        assert storage_class(cloud.name, cloud.shared_storage_class) != StorageClass()


def test_of_another_class_the_size_is_all() -> None:
    assert storage_class("aws", "gp3") == StorageClass()
    assert storage_class("none", "efs") == StorageClass()
