"""Every resource gets an answer, and nothing that is not known is free."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.pool_kinds import POOL_KINDS
from breakeven.cost.bill import classify as quantities
from breakeven.cost.bill.classify import (
    GPU_POOL,
    Free,
    GpuNodes,
    InPool,
    LoadBalancer,
    Quantity,
    Registered,
    Unknown,
    Volume,
    Workload,
    classify,
    parse_quantity,
)
from kubernetes import utils

CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
SERVICE = "kubernetes:core/v1:Service"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"

POOL_RESOURCES = sorted(
    {f"kubernetes:{each}" for kind in POOL_KINDS.values() for each in kind.custom_resources}
)
KNOWN = sorted(
    {GPU_POOL, CLAIM, SERVICE, *quantities._FREE, *POOL_RESOURCES, *quantities._WORKLOADS}
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["NaN", "sNaN", "Infinity", "1e999999", "9e999999Ti", "-1Gi", "5Mi", "Gi", ""]),
)
# Names that rules look at, so that data of any kind stands where they expect another.
names = st.sampled_from(
    [
        *("spec", "type", "template", "containers", "resources", "requests", "storage"),
        *("storageClassName", "limits", "nvidia.com/gpu", "kind", "nodeVolumeGigabytes"),
    ]
)
data = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(names, st.text(max_size=3)), inner)
    ),
    max_leaves=12,
)
properties = st.one_of(st.none(), st.dictionaries(names, data))


def kubernetes_quantity(text: str) -> Decimal:
    """What Kubernetes' own client reads."""
    return Decimal(utils.parse_quantity(text))  # type: ignore[no-untyped-call]  # has no types


def nested(path: tuple[str, ...], value: object) -> Mapping[str, object]:
    for key in reversed(path):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def claim(storage: object, storage_class: object = "gp3") -> Registered:
    resources = {"requests": {"storage": storage}}
    return Registered(
        "weights", CLAIM, {"spec": {"storageClassName": storage_class, "resources": resources}}
    )


@given(st.one_of(st.sampled_from(KNOWN), st.text()), properties)
def test_any_resource_gets_an_answer(kind: str, inputs: Mapping[str, object] | None) -> None:
    assert isinstance(classify(Registered("any", kind, inputs)), get_args(Quantity))


@given(
    st.sampled_from([CLAIM, SERVICE, DEPLOYMENT, GPU_POOL]),
    st.sampled_from(
        [
            ("spec", "type"),
            ("spec", "template", "spec", "containers"),
            ("spec", "resources", "requests", "storage"),
            ("nodeVolumeGigabytes",),
        ]
    ),
    data,
)
def test_any_value_in_the_place_of_a_known_one_gets_an_answer(
    kind: str, path: tuple[str, ...], value: object
) -> None:
    quantity = classify(Registered("any", kind, nested(path, value)))
    assert isinstance(quantity, get_args(Quantity))


@given(st.text().filter(lambda kind: kind not in KNOWN), properties)
def test_a_type_without_a_rule_is_unknown_never_free(
    kind: str, inputs: Mapping[str, object] | None
) -> None:
    assert isinstance(classify(Registered("any", kind, inputs)), Unknown)


@given(scalars, scalars)
def test_a_volume_has_a_finite_size_and_a_class_or_is_unknown(
    storage: object, storage_class: object
) -> None:
    quantity = classify(claim(storage, storage_class))
    if isinstance(quantity, Volume):
        assert quantity.gigabytes.is_finite()
        assert quantity.storage_class == storage_class
    else:
        assert isinstance(quantity, Unknown)


@pytest.mark.parametrize("kind", [CLAIM, SERVICE, DEPLOYMENT, GPU_POOL])
def test_what_is_paid_for_is_unknown_without_its_inputs(kind: str) -> None:
    assert classify(Registered("any", kind, None)) == Unknown("its inputs could not be read")


@given(
    st.decimals(Decimal(0), Decimal(10**6), places=3),
    st.sampled_from(["", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"]),
)
def test_quantities_are_those_of_kubernetes(number: Decimal, unit: str) -> None:
    text = f"{number}{unit}"
    assert parse_quantity(text) == kubernetes_quantity(text)


@given(st.text(alphabet="0123456789.-+eEkKmMGTPi ", max_size=8))
def test_a_text_that_is_read_is_read_as_kubernetes_reads_it(text: str) -> None:
    ours = parse_quantity(text)
    if ours is not None:
        assert ours == kubernetes_quantity(text.strip())


@pytest.mark.parametrize(
    "text", [None, "", "Gi", "1i", "1KM", "1Pi", "1m", "NaN", "Infinity", "9e999999Ti", [], {}]
)
def test_what_is_no_quantity_is_none(text: object) -> None:
    assert parse_quantity(text) is None


@pytest.mark.parametrize(
    ("storage", "gigabytes"), [("200Gi", "200"), ("1Ti", "1024"), ("512Mi", "0.5"), (2**30, "1")]
)
def test_a_volume_is_sold_in_gib(storage: object, gigabytes: str) -> None:
    assert classify(claim(storage)) == Volume("gp3", Decimal(gigabytes))


@pytest.mark.parametrize(
    ("inputs", "quantity"),
    [
        ({"spec": {"type": "LoadBalancer"}}, LoadBalancer()),
        ({"spec": {"type": "ClusterIP"}}, Free()),
        ({"spec": {"ports": []}}, Free()),
        ({"spec": {"type": None}}, Unknown("its type is not known at preview")),
        ({"spec": None}, Unknown("its type is not known at preview")),
    ],
)
def test_a_service_is_free_only_if_it_is_known_to_start_no_load_balancer(
    inputs: Mapping[str, object], quantity: Quantity
) -> None:
    assert classify(Registered("vllm", SERVICE, inputs)) == quantity


@given(st.lists(st.integers(0, 8), max_size=4))
def test_a_workload_asks_for_the_gpus_of_all_its_containers(gpus: list[int]) -> None:
    containers = [{"resources": {"limits": {"nvidia.com/gpu": str(count)}}} for count in gpus]
    containers.append({"resources": {"limits": {"cpu": "4"}}})
    inputs = nested(("spec", "template", "spec", "containers"), containers)
    assert classify(Registered("vllm", DEPLOYMENT, inputs)) == Workload(sum(gpus))


def test_a_replica_of_several_nodes_asks_for_the_gpus_of_all() -> None:
    pod = {"spec": {"containers": [{"resources": {"limits": {"nvidia.com/gpu": "8"}}}]}}
    group = {"size": 3.0, "leaderTemplate": pod, "workerTemplate": pod}
    kind = "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet"
    known = Registered("model", kind, {"spec": {"leaderWorkerTemplate": group}})
    assert classify(known) == Workload(24)
    assert isinstance(classify(Registered("model", kind, {"spec": {}})), Unknown)


def test_only_started_nodes_have_a_root_volume_that_is_paid() -> None:
    for kind in POOL_KINDS.values():
        pool = Registered("pool", GPU_POOL, {"kind": kind.name, "nodeVolumeGigabytes": 100.0})
        assert classify(pool) == GpuNodes(kind.root_volume_class, 100)
        assert kind.can_grow or not kind.root_volume_class
    elsewhere = Registered("pool", GPU_POOL, {"kind": "unknown", "nodeVolumeGigabytes": 100.0})
    assert classify(elsewhere) == GpuNodes("", 100)


@pytest.mark.parametrize("kind", POOL_RESOURCES)
def test_what_describes_nodes_is_priced_with_the_pool(kind: str) -> None:
    assert classify(Registered("nodes", kind, None)) == InPool()
