"""What pool kinds say of themselves is what their stacks deploy."""

from __future__ import annotations

import pytest

from breakeven.catalog.gpus import find_gpu, load_gpus
from breakeven.catalog.pool_kinds import (
    EXISTING,
    POOL_KINDS,
    PoolKind,
    default_pool_kind,
    is_pool_resource,
)
from breakeven.planning.offline import ledger_of
from tests.crd_schemas import FOLDER
from tests.pools import CLUSTER_API
from tests.recording import STACKS, stack_of

DEPLOYED = [*((stack, {}) for stack in STACKS), ("on-prem", CLUSTER_API)]


def test_every_pool_kind_is_deployed_by_some_stack() -> None:
    assert {stack_of(stack, **changes).pool.kind.name for stack, changes in DEPLOYED} == set(
        POOL_KINDS
    )


def test_a_stack_deploys_the_custom_resources_that_its_pool_kind_names() -> None:
    for stack, changes in DEPLOYED:
        read = stack_of(stack, **changes)
        deployed = {entry.type.removeprefix("kubernetes:") for entry in ledger_of(read)}
        assert set(filter(is_pool_resource, deployed)) == set(read.pool.kind.custom_resources)


@pytest.mark.parametrize("kind", POOL_KINDS.values(), ids=lambda kind: kind.name)
def test_every_custom_resource_of_a_pool_has_a_schema_that_tests_check(kind: PoolKind) -> None:
    for resource in kind.custom_resources:
        file = resource.replace("/", "_").replace(":", "_")
        assert (FOLDER / f"{file}.json").is_file()


@pytest.mark.parametrize("kind", POOL_KINDS.values(), ids=lambda kind: kind.name)
def test_what_a_pool_kind_can_do_fits_together(kind: PoolKind) -> None:
    assert POOL_KINDS[kind.name] is kind
    assert kind.can_grow or not kind.purchases
    assert kind.can_grow or not kind.root_volume_class
    assert not (kind.runs_in_closed_network and kind.cloud)
    assert not kind.reservations_setting or kind.supports("reserved")
    assert set(kind.starter_settings) <= set(kind.required_settings)
    assert kind.gpus


def test_a_cloud_without_a_pool_kind_has_nodes_that_are_there() -> None:
    assert default_pool_kind("lambda") is EXISTING
    assert default_pool_kind("aws").can_grow


def test_gke_starts_gpus_that_it_names_and_that_boot_from_the_priced_disk() -> None:
    gke = POOL_KINDS["gke-compute-class"]
    assert gke.restricts_gpus
    assert gke.gpus == ("t4", "l4", "a100-40", "a100-80", "h100")
    assert "Hyperdisk" in gke.gpu_hint(find_gpu("rtx-pro-6000"))
    assert gke.gpu_hint(find_gpu("l40s")) == ""
    assert POOL_KINDS["karpenter-aws"].gpus == tuple(load_gpus())
