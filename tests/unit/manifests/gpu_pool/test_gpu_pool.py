"""GPU nodes: what is made, what is bounded, where pods go."""

from __future__ import annotations

import re
from itertools import product

import pytest

from breakeven.catalog.pool_kinds import POOL_KINDS
from breakeven.manifests.gpu_pool import POOLS, pool_of
from breakeven.manifests.gpu_pool.karpenter import POOL_LABEL
from breakeven.manifests.gpu_pool.pool import Pool, pool_component, pool_name
from breakeven.settings.stack import Stack
from tests.each import each
from tests.pools import CLUSTER_API
from tests.recording import STACKS, Registration, resources_of, stack_of


def rendered(stack: Stack) -> tuple[Pool, Registration]:
    pool = pool_of(stack)
    return pool, resources_of(pool_component(stack, pool))


def test_every_pool_that_settings_allow_is_rendered() -> None:
    assert set(POOLS) == set(POOL_KINDS)


@pytest.mark.parametrize("name", STACKS)
def test_the_ledger_finds_the_pool_with_plain_inputs(name: str) -> None:
    stack = stack_of(name)
    component = pool_component(stack, pool_of(stack))
    assert component.type == "breakeven:gpu_pool:GpuPool"
    assert component.inputs == {
        "kind": stack.pool.kind.name,
        "gpu": stack.pool.gpu.name,
        "gpusPerNode": stack.pool.gpus_per_node,
        "replicasPerNode": stack.models[0].replicas_per_node,
        "instanceTypes": list(stack.pool.instance_types),
        "capacityTypes": list(stack.pool.capacity_types),
        "nodeCount": stack.pool.node_count,
        "nodeVolumeGigabytes": stack.pool.node_volume_gigabytes,
    }


@each("name, length", product(["dev", "aks", "gke", "owned-h100"], [1, 49, 50, 59, 63]))
def test_names_of_a_pool_are_values_of_labels_however_long_the_namespace(
    name: str, length: int
) -> None:
    # Clusters of Cluster API shorten the name of a MachineDeployment in labels themselves.
    stack = stack_of(name, **{"network.namespace": "n" * length})
    pool, registration = rendered(stack)
    names = [each.metadata["name"] for each in registration.of("NodePool")]
    for value in (*pool.scheduling.node_selector.values(), *names):
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", value)
    assert (pool_name(stack) == f"{'n' * length}-gpu") is (length < 50)


def test_two_long_namespaces_never_share_a_pool() -> None:
    first, second = (stack_of("dev", **{"network.namespace": "n" * 59 + each}) for each in "ab")
    assert pool_name(first) != pool_name(second)


@pytest.mark.parametrize("name", STACKS)
def test_a_gpu_taint_of_any_value_keeps_no_replica_away(name: str) -> None:
    stack = stack_of(name)
    pool, _ = rendered(stack)
    gpus = {"key": "nvidia.com/gpu", "operator": "Exists"}
    assert pool.scheduling.tolerations == ([] if stack.pool.gpu.is_cpu else [gpus])


def test_existing_nodes_are_found_by_their_labels_and_nothing_is_made() -> None:
    stack = stack_of("on-prem")
    pool = pool_of(stack)
    assert pool.resources == ()
    assert pool.scheduling.node_selector == stack.pool.node_labels


def test_taints_of_existing_nodes_keep_no_replica_away() -> None:
    pool, _ = rendered(stack_of("on-prem", **{"pool.nodeTaints": ["dedicated", "nvidia.com/gpu"]}))
    assert [(each["key"], each["operator"]) for each in pool.scheduling.tolerations] == [
        ("nvidia.com/gpu", "Exists"),
        ("dedicated", "Exists"),
    ]
    assert pool.weights_scheduling == pool.scheduling


def test_weights_are_fetched_on_nodes_that_are_paid_anyway() -> None:
    # A volume on a node's own disk is made where its first pod runs; no other node can read it.
    pool, _ = rendered(stack_of("on-prem"))
    assert pool.fetches_where_it_serves


def test_no_gpu_node_starts_for_a_download() -> None:
    pool, _ = rendered(stack_of("dev"))
    assert pool.weights_scheduling.node_selector == {}
    assert pool.weights_scheduling.tolerations == []


class TestKarpenter:
    def test_pods_and_nodes_meet_by_label_and_taint(self) -> None:
        pool, registration = rendered(stack_of("dev"))
        template = registration.one("NodePool").spec["template"]
        assert template["metadata"]["labels"] == pool.scheduling.node_selector
        assert set(pool.scheduling.node_selector) == {POOL_LABEL}
        [taint] = template["spec"]["taints"]
        assert (taint["key"], taint["effect"]) == ("nvidia.com/gpu", "NoSchedule")

    def test_only_the_listed_machine_types_can_start(self) -> None:
        # Left free, Karpenter bought a machine with four GPUs for two pods of one GPU each.
        stack = stack_of("aws-prod")
        _, registration = rendered(stack)
        requirements = registration.one("NodePool").spec["template"]["spec"]["requirements"]
        by_key = {item["key"]: (item["operator"], item["values"]) for item in requirements}
        assert by_key["node.kubernetes.io/instance-type"] == (
            "In",
            list(stack.pool.instance_types),
        )
        assert by_key["kubernetes.io/arch"] == ("In", ["amd64"])

    def test_capacity_types_are_tried_in_the_order_of_the_setting(self) -> None:
        order = ["reserved", "on-demand", "spot"]
        _, registration = rendered(stack_of("aws-prod", **{"pool.capacityTypes": order}))
        pools = sorted(registration.of("NodePool"), key=lambda pool: -pool.spec["weight"])
        tried = [
            item["values"]
            for pool in pools
            for item in pool.spec["template"]["spec"]["requirements"]
            if item["key"] == "karpenter.sh/capacity-type"
        ]
        assert tried == [[kind] for kind in order]
        assert len({pool.spec["weight"] for pool in pools}) == len(order)
        assert all(1 <= pool.spec["weight"] <= 100 for pool in pools)

    @pytest.mark.parametrize(
        ("capacity_types", "named"), [(["on-demand"], False), (["reserved", "spot"], True)]
    )
    def test_reservations_are_named_where_they_are_to_be_used(
        self, capacity_types: list[str], named: bool
    ) -> None:
        stack = stack_of("aws-prod", **{"pool.capacityTypes": capacity_types})
        _, registration = rendered(stack)
        terms = registration.one("EC2NodeClass").spec.get("capacityReservationSelectorTerms")
        tag = {"karpenter.sh/discovery": stack.pool.karpenter.discovery_tag}
        assert terms == ([{"tags": tag}] if named else None)

    @pytest.mark.parametrize(
        ("overrides", "gpus"),
        [
            ({"replicas.max": 8}, 9),  # one more for a rollout
            ({"replicas.max": 3, "pool.gpusPerNode": 4, "pool.instanceTypes": ["g6e.12xlarge"]}, 4),
            ({"replicas.max": 4, "pool.gpusPerNode": 4, "pool.instanceTypes": ["g6e.12xlarge"]}, 8),
            (
                {
                    "replicas.max": 2,
                    "pool.gpusPerNode": 8,
                    "engine.tensorParallel": 4,
                    "pool.instanceTypes": ["g6e.48xlarge"],
                },
                16,
            ),
        ],
    )
    def test_gpus_are_bounded_by_whole_nodes_for_all_replicas_and_a_rollout(
        self, overrides: dict[str, object], gpus: int
    ) -> None:
        stack = stack_of("aws-prod", **overrides)
        assert stack.peak_gpus == gpus
        _, registration = rendered(stack)
        assert registration.one("NodePool").spec["limits"] == {"nvidia.com/gpu": gpus}

    def test_a_busy_node_is_never_emptied_to_save_money(self) -> None:
        _, registration = rendered(stack_of("aws-prod"))
        disruption = registration.one("NodePool").spec["disruption"]
        assert disruption["consolidationPolicy"] == "WhenEmpty"
        assert disruption["budgets"] == [{"nodes": "1"}]

    def test_the_node_image_is_a_fixed_release(self) -> None:
        _, registration = rendered(stack_of("dev"))
        [term] = registration.one("EC2NodeClass").spec["amiSelectorTerms"]
        family, _, release = term["alias"].partition("@")
        assert family == "al2023"
        assert release.startswith("v20")
        assert release[1:].isdigit()

    def test_a_pod_can_not_read_the_credentials_of_its_node(self) -> None:
        _, registration = rendered(stack_of("dev"))
        options = registration.one("EC2NodeClass").spec["metadataOptions"]
        assert options["httpTokens"] == "required"
        assert options["httpPutResponseHopLimit"] == 1

    def test_the_root_volume_is_encrypted_and_of_the_size_that_is_priced(self) -> None:
        stack = stack_of("dev", **{"pool.nodeVolumeGigabytes": 120})
        _, registration = rendered(stack)
        [device] = registration.one("EC2NodeClass").spec["blockDeviceMappings"]
        assert device["ebs"]["encrypted"] is True
        assert device["ebs"]["volumeType"] == "gp3"
        assert device["ebs"]["volumeSize"] == "120Gi"
        assert device["deviceName"] == "/dev/xvda"

    def test_the_volume_of_images_has_the_size_where_the_system_has_its_own(self) -> None:
        image = {
            "pool.karpenter.nodeImage": "bottlerocket@v1.46.0",
            "pool.nodeVolumeGigabytes": 120,
        }
        _, registration = rendered(stack_of("dev", **image))
        devices = registration.one("EC2NodeClass").spec["blockDeviceMappings"]
        sizes = {each["deviceName"]: each["ebs"]["volumeSize"] for each in devices}
        assert sizes == {"/dev/xvda": "4Gi", "/dev/xvdb": "116Gi"}
        assert all(each["ebs"]["encrypted"] for each in devices)

    def test_node_pools_wait_for_a_class_that_is_ready(self) -> None:
        _, registration = rendered(stack_of("dev"))
        node_class, node_pool = registration.one("EC2NodeClass"), registration.one("NodePool")
        assert node_pool.depends_on(node_class)
        assert node_pool.spec["template"]["spec"]["nodeClassRef"] == {
            "group": "karpenter.k8s.aws",
            "kind": "EC2NodeClass",
            "name": node_class.metadata["name"],
        }
        assert node_class.metadata["annotations"]["pulumi.com/waitFor"] == "condition=Ready"


class TestKarpenterOnAzure:
    def test_node_pools_name_the_class_of_azure(self) -> None:
        _, registration = rendered(stack_of("aks"))
        node_class = registration.one("AKSNodeClass")
        pools = registration.of("NodePool")
        assert {pool.name for pool in pools} == {"llm-gpu-on-demand", "llm-gpu-spot"}
        for pool in pools:
            assert pool.depends_on(node_class)
            assert pool.spec["template"]["spec"]["nodeClassRef"] == {
                "group": "karpenter.azure.com",
                "kind": "AKSNodeClass",
                "name": node_class.metadata["name"],
            }

    def test_the_disk_of_a_node_has_the_size_that_is_priced(self) -> None:
        stack = stack_of("aks", **{"pool.nodeVolumeGigabytes": 200})
        pool, registration = rendered(stack)
        assert registration.one("AKSNodeClass").spec["osDiskSizeGB"] == 200
        assert pool_component(stack, pool).inputs["nodeVolumeGigabytes"] == 200


class TestGkeComputeClass:
    def test_purchases_are_tried_in_order_and_each_with_every_machine_type(self) -> None:
        stack = stack_of(
            "gke",
            **{
                "pool.gpu": "l4",
                "model.name": "qwen2.5-7b-instruct",
                "model.maxLength": 4096,
                "pool.instanceTypes": ["g2-standard-8", "g2-standard-12"],
                "pool.capacityTypes": ["spot", "on-demand"],
                "pool.gke.reservations": [],
            },
        )
        _, registration = rendered(stack)
        choices = registration.one("ComputeClass").spec["priorities"]
        assert [(choice["spot"], choice["machineType"]) for choice in choices] == [
            (True, "g2-standard-8"),
            (True, "g2-standard-12"),
            (False, "g2-standard-8"),
            (False, "g2-standard-12"),
        ]
        assert {choice["gpu"]["type"] for choice in choices} == {"nvidia-l4"}

    def test_a_reservation_is_used_where_it_is_named_and_nowhere_else(self) -> None:
        _, registration = rendered(stack_of("gke"))
        reserved, *others = registration.one("ComputeClass").spec["priorities"]
        assert reserved["reservations"] == {
            "affinity": "Specific",
            "specific": [{"name": "llm-a100"}],
        }
        assert [other["reservations"] for other in others] == [{"affinity": "None"}] * 2

    def test_pods_choose_the_class_by_its_name(self) -> None:
        pool, registration = rendered(stack_of("gke"))
        name = registration.one("ComputeClass").metadata["name"]
        assert pool.scheduling.node_selector == {"cloud.google.com/compute-class": name}

    def test_no_busy_node_is_emptied_and_no_other_machine_is_taken(self) -> None:
        _, registration = rendered(stack_of("gke"))
        spec = registration.one("ComputeClass").spec
        assert spec["autoscalingPolicy"]["gpuConsolidationThreshold"] == 0
        assert "activeMigration" not in spec
        assert spec["whenUnsatisfiable"] == "DoNotScaleUp"

    def test_the_disk_is_of_the_class_that_is_priced(self) -> None:
        stack = stack_of("gke")
        _, registration = rendered(stack)
        disk = stack.pool.kind.root_volume_class
        for choice in registration.one("ComputeClass").spec["priorities"]:
            assert choice["storage"] == {"bootDiskType": disk, "bootDiskSize": 100}


class TestClusterApi:
    def test_machines_are_counted_between_the_nodes_of_fewest_and_most_replicas(self) -> None:
        overrides = {
            **CLUSTER_API,
            "replicas.min": 3,
            "replicas.max": 5,
            "replicas.autoscaling": True,
        }
        stack = stack_of("on-prem", **overrides, **{"weights.accessMode": "ReadWriteMany"})
        _, registration = rendered(stack)
        machines = registration.one("MachineDeployment")
        prefix = "cluster.x-k8s.io/cluster-api-autoscaler-node-group"
        assert machines.metadata["annotations"][f"{prefix}-min-size"] == "2"
        assert machines.metadata["annotations"][f"{prefix}-max-size"] == "3"
        # Two owners of one field undo each other.
        assert "replicas" not in machines.spec

    def test_pods_find_machines_by_a_label_that_cluster_api_copies_to_nodes(self) -> None:
        pool, registration = rendered(stack_of("on-prem", **CLUSTER_API))
        [label] = pool.scheduling.node_selector
        assert label.startswith("node.cluster.x-k8s.io/")
        template = registration.one("MachineDeployment").spec["template"]
        assert template["metadata"]["labels"] == pool.scheduling.node_selector

    def test_templates_are_referred_to_by_group_kind_and_name(self) -> None:
        _, registration = rendered(stack_of("on-prem", **CLUSTER_API))
        spec = registration.one("MachineDeployment").spec["template"]["spec"]
        assert spec["bootstrap"]["configRef"] == {
            "apiGroup": "bootstrap.cluster.x-k8s.io",
            "kind": "KubeadmConfigTemplate",
            "name": "gpu-workers",
        }
        assert spec["infrastructureRef"]["kind"] == "Metal3MachineTemplate"

    @pytest.mark.parametrize("context", ["", "management"])
    def test_the_management_cluster_is_another_only_where_one_is_named(self, context: str) -> None:
        stack = stack_of("on-prem", **{**CLUSTER_API, "pool.clusterApi.context": context})
        [machines] = pool_of(stack).resources
        assert machines.context == context
