"""A pool kind that is defined here alone is estimated, rendered and recommended.

It is registered as any other: its `PoolKind` in one registry, what makes its nodes in another.
Nothing else of the package knows it.
"""

from __future__ import annotations

import pytest

from breakeven.catalog.gpus import Gpu
from breakeven.catalog.pool_kinds import POOL_KINDS, PoolKind
from breakeven.cli.recommend.search import Wishes, search_of
from breakeven.cost.estimate import estimate
from breakeven.cost.optimizer.ranking import recommend
from breakeven.errors import SettingsError
from breakeven.manifests.gpu_pool import POOLS
from breakeven.manifests.gpu_pool.pool import Pool, Scheduling
from breakeven.manifests.render import render
from breakeven.manifests.resource import Resource
from breakeven.planning.offline import LoadedStack, load_values
from breakeven.settings.files import stack_values, with_settings
from breakeven.settings.stack import Stack
from tests.unit.cost.builders import TODAY


def _has_a_fast_link(gpu: Gpu) -> bool:
    return not gpu.shares_over_pcie


ROBOT = PoolKind(
    name="rack-robot",
    can_grow=True,
    cloud="lambda",
    is_clouds_default=True,
    purchases=("on-demand",),
    purchases_hint="the robot rents by the hour",
    root_volume_class="rack-disk",
    required_settings=("instanceTypes",),
    custom_resources=("robots.example/v1:Rack",),
    accepts_gpu=_has_a_fast_link,
)


def robot_pool(stack: Stack) -> Pool:
    manifest = {
        "apiVersion": "robots.example/v1",
        "kind": "Rack",
        "metadata": {"name": "rack"},
        "spec": {"gpus": stack.peak_gpus},
    }
    return Pool(
        resources=(Resource(name="rack", manifest=manifest),),
        scheduling=Scheduling.on_gpu_nodes({"robots.example/rack": "rack"}),
        weights_scheduling=Scheduling(),
    )


@pytest.fixture
def robot(monkeypatch: pytest.MonkeyPatch) -> PoolKind:
    monkeypatch.setitem(POOL_KINDS, ROBOT.name, ROBOT)
    monkeypatch.setitem(POOLS, ROBOT.name, robot_pool)
    return ROBOT


VALUES: dict[str, object] = {
    "pool.kind": ROBOT.name,
    "pricing.cloud": "lambda",
    "pricing.region": "any",
    "network.exposure": "cluster",
    "network.clientNetworks": [],
    "pool.gpu": "h100",
    "pool.instanceTypes": ["gpu_1x_h100_sxm5"],
    "pool.capacityTypes": ["on-demand"],
    "pricing.controlPlane": "none",
    "pricing.natGatewaySharePercent": 0,
    "weights.storageClass": "rack-disk",
    "weights.accessMode": "ReadWriteMany",
    "pricing.systemInstanceType": "",
    "pricing.systemNodeCount": 0,
    "pool.karpenter.nodeRole": "",
    "pool.karpenter.discoveryTag": "",
    "pricing.overrides": {"volume/lambda/rack-disk": "0.10"},
}


def loaded(**changes: object) -> LoadedStack:
    values = with_settings(stack_values("aws-prod"), {**VALUES, **changes})
    return load_values("robots", values, TODAY)


def test_it_is_estimated_with_its_root_volumes(robot: PoolKind) -> None:
    stack = loaded()
    report = estimate(stack.ledger(), stack.assumptions)
    [disks] = [item for item in report.infrastructure.lines if item.kind == "root-volumes"]
    assert disks.monthly > 0
    assert not report.infrastructure.not_priced
    assert stack.settings.pool.kind is robot


def test_it_is_rendered_and_pods_go_to_its_nodes(robot: PoolKind) -> None:
    stack = loaded().stack
    manifests = {resource.kind: resource.manifest for resource in render(stack)}
    assert manifests["Rack"]["spec"] == {"gpus": stack.peak_gpus}
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"robots.example/rack": "rack"}
    assert robot.name in POOLS


def test_it_is_recommended_with_nodes_that_follow_the_load(robot: PoolKind) -> None:
    found = recommend(search_of(loaded(), Wishes()))
    assert found.as_it_stands == estimate(loaded().ledger(), loaded().assumptions).total
    assert any(each.configuration.offer.nodes_follow for each in found.ranked)
    for each in found.ranked:
        assert robot.accepts_gpu(each.configuration.offer.gpu)


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"pool.gpu": "l40s"}, "pool.gpu"),
        ({"pricing.cloud": "aws"}, "pricing.cloud"),
        ({"pool.capacityTypes": ["spot"]}, "pool.capacityTypes"),
        ({"pool.instanceTypes": []}, "pool.instanceTypes"),
        ({"network.boundary": "air-gapped"}, "pool.kind"),
    ],
)
def test_what_it_cannot_do_is_refused(
    robot: PoolKind, changed: dict[str, object], key: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        loaded(**changed)
    [problem] = [each for each in refused.value.problems if each.key == key]
    assert robot.name in f"{problem.found} {problem.allowed}"


def test_without_it_the_name_is_unknown() -> None:
    with pytest.raises(SettingsError) as refused:
        loaded()
    assert "pool.kind" in [each.key for each in refused.value.problems]
