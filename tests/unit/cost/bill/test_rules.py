"""Every resource gets an answer, and nothing that is not known is free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes import utils

from breakeven.catalog.pool_kinds import POOL_KINDS
from breakeven.cost.bill.charge import Charge, Context, Part, Place, Unpriced, UnpricedReason
from breakeven.cost.bill.pricing import _RULES, parts_of
from breakeven.cost.bill.registered import GPU_POOL, Registered
from breakeven.cost.bill.rules import kubernetes
from breakeven.cost.bill.rules.values import parse_quantity
from breakeven.cost.bill.usage import StackUsage
from tests.unit.cost.builders import WEEK, assumptions

CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
SERVICE = "kubernetes:core/v1:Service"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"

POOL_RESOURCES = sorted(
    {f"kubernetes:{each}" for kind in POOL_KINDS.values() for each in kind.custom_resources}
)
KNOWN = sorted({*_RULES, *kubernetes._CONFIGURATION, *POOL_RESOURCES})

PLACE = Place("aws", "us-east-1")
ANYWHERE = Context(PLACE)


def of_a_stack(*, has_pool: bool = True) -> Context:
    usage = StackUsage(week=WEEK, assumptions=assumptions(), by_model=(), has_pool=has_pool)
    return Context(PLACE, usage)


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
        *("instanceType", "instanceTypes", "scalingConfig", "desiredSize", "rootBlockDevice"),
        *("ebsBlockDevices", "volumeSize", "volumeType", "size", "iops", "machineType"),
        *("scheduling", "priority", "instanceMarketOptions"),
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
contexts = st.sampled_from([ANYWHERE, of_a_stack(), of_a_stack(has_pool=False)])


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


def reasons(parts: Sequence[Part]) -> list[UnpricedReason]:
    return [part.reason for part in parts if isinstance(part, Unpriced)]


@given(st.one_of(st.sampled_from(KNOWN), st.text()), properties, contexts)
def test_any_resource_gets_an_answer(
    kind: str, inputs: Mapping[str, object] | None, context: Context
) -> None:
    for part in parts_of(Registered("any", kind, inputs), context):
        assert isinstance(part, Charge | Unpriced)
        if isinstance(part, Charge):
            assert part.quantity.is_finite()
            assert part.quantity >= 0


@given(st.text().filter(lambda kind: kind not in KNOWN), properties)
def test_a_type_without_a_rule_is_unknown_never_free(
    kind: str, inputs: Mapping[str, object] | None
) -> None:
    [part] = parts_of(Registered("any", kind, inputs), ANYWHERE)
    assert isinstance(part, Unpriced)


@given(scalars, scalars)
def test_a_volume_has_a_finite_size_and_a_class_or_is_unknown(
    storage: object, storage_class: object
) -> None:
    [part] = parts_of(claim(storage, storage_class), ANYWHERE)
    if isinstance(part, Charge):
        assert part.quantity.is_finite()
        assert part.variant == storage_class
    else:
        assert part.reason is UnpricedReason.STORAGE_UNKNOWN


@pytest.mark.parametrize("kind", sorted(_RULES))
def test_what_is_paid_for_is_unknown_without_its_inputs(kind: str) -> None:
    parts = parts_of(Registered("any", kind, None), of_a_stack())
    assert reasons(parts) == [UnpricedReason.INPUTS_UNREADABLE]


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
    [part] = parts_of(claim(storage), ANYWHERE)
    assert isinstance(part, Charge)
    assert (part.identifier, part.quantity) == ("volume/aws/gp3", Decimal(gigabytes))


@pytest.mark.parametrize(
    ("inputs", "kinds", "unknown"),
    [
        ({"spec": {"type": "LoadBalancer"}}, ["load-balancer"], []),
        ({"spec": {"type": "ClusterIP"}}, [], []),
        ({"spec": {"ports": []}}, [], []),
        ({"spec": {"type": None}}, [], [UnpricedReason.SERVICE_TYPE_UNKNOWN]),
        ({"spec": None}, [], [UnpricedReason.SERVICE_TYPE_UNKNOWN]),
    ],
)
def test_a_service_is_free_only_if_it_is_known_to_start_no_load_balancer(
    inputs: Mapping[str, object], kinds: list[str], unknown: list[UnpricedReason]
) -> None:
    parts = parts_of(Registered("vllm", SERVICE, inputs), ANYWHERE)
    assert [part.kind for part in parts if isinstance(part, Charge)] == kinds
    assert reasons(parts) == unknown


def needs_pool(resource: Registered) -> bool:
    """Whether a workload asks for GPUs, and for nodes that a stack has to pay for."""
    assert not parts_of(resource, of_a_stack())
    assert not parts_of(resource, ANYWHERE)
    return reasons(parts_of(resource, of_a_stack(has_pool=False))) == [UnpricedReason.NO_GPU_POOL]


@given(st.lists(st.integers(0, 8), max_size=4))
def test_a_workload_asks_for_the_gpus_of_all_its_containers(gpus: list[int]) -> None:
    containers = [{"resources": {"limits": {"nvidia.com/gpu": str(count)}}} for count in gpus]
    containers.append({"resources": {"limits": {"cpu": "4"}}})
    inputs = nested(("spec", "template", "spec", "containers"), containers)
    assert needs_pool(Registered("vllm", DEPLOYMENT, inputs)) == (sum(gpus) > 0)


@pytest.mark.parametrize(("leader", "worker"), [("8", "8"), ("0", "8"), ("8", "0")])
def test_a_replica_of_several_nodes_asks_for_the_gpus_of_all(leader: str, worker: str) -> None:
    def pod(gpus: str) -> Mapping[str, object]:
        return {"spec": {"containers": [{"resources": {"limits": {"nvidia.com/gpu": gpus}}}]}}

    group = {"size": 3.0, "leaderTemplate": pod(leader), "workerTemplate": pod(worker)}
    kind = "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet"
    assert needs_pool(Registered("model", kind, {"spec": {"leaderWorkerTemplate": group}}))
    unknown = parts_of(Registered("model", kind, {"spec": {}}), ANYWHERE)
    assert reasons(unknown) == [UnpricedReason.CONTAINERS_UNKNOWN]


def test_only_started_nodes_have_a_root_volume_that_is_paid() -> None:
    for kind in POOL_KINDS.values():
        pool = Registered("pool", GPU_POOL, {"kind": kind.name, "nodeVolumeGigabytes": 100.0})
        charges = [part for part in parts_of(pool, of_a_stack()) if isinstance(part, Charge)]
        volumes = [charge for charge in charges if charge.kind == "root-volumes"]
        assert [charge.variant for charge in volumes] == [
            name for name in (kind.root_volume_class,) if name
        ]
        assert all(charge.quantity == 2 * 100 for charge in volumes)
        assert kind.can_grow or not kind.root_volume_class
    elsewhere = Registered("pool", GPU_POOL, {"kind": "unknown", "nodeVolumeGigabytes": 100.0})
    kinds = [part.kind for part in parts_of(elsewhere, of_a_stack()) if isinstance(part, Charge)]
    assert kinds == ["busy-nodes", "idle-nodes"]


@pytest.mark.parametrize("kind", POOL_RESOURCES)
def test_what_describes_nodes_is_priced_with_the_pool(kind: str) -> None:
    assert not parts_of(Registered("nodes", kind, None), ANYWHERE)
