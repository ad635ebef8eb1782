"""Any program's resources are priced by the book; what is not known is listed, never free."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pulumi
import pytest

from breakeven.catalog.price_book import PriceBook
from breakeven.cost.bill.charge import Context, Place, UnpricedReason
from breakeven.cost.bill.pricing import price_resources
from breakeven.cost.bill.registered import Registered
from breakeven.reports.program_table import program_table
from breakeven.reports.sentences.line_items import not_priced_reason
from breakeven.resources.ledger import Ledger
from breakeven.resources.price_stack import Priced
from tests.mock_engine import registered_by

TODAY = date(2026, 11, 24)
AWS = Context(Place("aws", "us-east-1"))


def priced(kind: str, properties: dict[str, object]) -> tuple[Decimal, list[str]]:
    found = price_resources([Registered("x", kind, properties)], PriceBook.load(today=TODAY), AWS)
    return found.monthly, [not_priced_reason(item, "prices") for item in found.not_priced]


@pytest.mark.parametrize(
    ("kind", "properties", "usd"),
    [
        # 730 hours x 0.192, 1.861; 100 GB x 0.08; list prices of the book
        # 140.16 + 30 GB of gp2 x 0.10 + 200 GB of gp3 x 0.08
        (
            "aws:ec2/instance:Instance",
            {
                "instanceType": "m6i.xlarge",
                "rootBlockDevice": {"volumeSize": 30},
                "ebsBlockDevices": [
                    {"deviceName": "/dev/sdf", "volumeType": "gp3", "volumeSize": 200}
                ],
            },
            "159.16",
        ),
        # 100 GB x 0.125 + 1,000 IOPS x 0.065
        ("aws:ebs/volume:Volume", {"type": "io1", "size": 100, "iops": 1000}, "77.50"),
        ("aws:ebs/volume:Volume", {"type": "gp3", "size": 100}, "8.00"),
        ("aws:eks/cluster:Cluster", {}, "73.00"),
        ("kubernetes:core/v1:Service", {"spec": {"type": "LoadBalancer"}}, "16.43"),
        (
            "kubernetes:core/v1:PersistentVolumeClaim",
            {
                "spec": {
                    "storageClassName": "gp3",
                    "resources": {"requests": {"storage": "100Gi"}},
                }
            },
            "8.00",
        ),
        ("kubernetes:core/v1:ConfigMap", {}, "0"),
    ],
)
def test_what_the_book_knows_is_priced(kind: str, properties: dict[str, object], usd: str) -> None:
    assert priced(kind, properties) == (Decimal(usd), [])


@pytest.mark.parametrize(
    ("kind", "properties", "reason"),
    [
        (
            "aws:ec2/instance:Instance",
            {"instanceType": "m99.huge", "rootBlockDevice": {"volumeSize": 0}},
            "no price node/aws",
        ),
        (
            "aws:ec2/instance:Instance",
            {
                "instanceType": "m6i.xlarge",
                "instanceMarketOptions": {"marketType": "spot"},
                "rootBlockDevice": {"volumeSize": 0},
            },
            "no price node/aws/us-east-1/m6i.xlarge/spot",
        ),
        ("aws:ebs/volume:Volume", {"type": "gp3", "size": -1}, "size or type"),
        ("aws:eks/nodeGroup:NodeGroup", {"instanceTypes": ["g6e.xlarge"]}, "number of nodes"),
        ("aws:ebs/volume:Volume", {"type": "gp3"}, "size or type"),
        ("gcp:compute/instance:Instance", {"machineType": "n2-standard-4"}, "it is from gcp"),
        ("aws:msk/cluster:Cluster", {}, "no rule for this type"),
        (
            "aws:rds/instance:Instance",
            {},
            "charged by instance hours and GB stored; not in the price book",
        ),
        ("aws:s3/bucketV2:BucketV2", {}, "charged by use: GB stored and requests"),
        ("aws:autoscaling/group:Group", {"desiredCapacity": 2}, "machine type is not known"),
        ("aws:ecs/service:Service", {"launchType": "FARGATE"}, "its tasks on Fargate"),
        ("kubernetes:helm.sh/v3:Release", {}, "its chart's resources are not known"),
        ("kubernetes:networking.k8s.io/v1:Ingress", {}, "can create a load balancer"),
        ("breakeven:gpu_pool:GpuPool", {}, "priced only by its own stack"),
        ("kubernetes:core/v1:Service", {"spec": {"type": None}}, "type is not known"),
    ],
)
def test_what_it_does_not_know_is_listed_and_not_in_the_total(
    kind: str, properties: dict[str, object], reason: str
) -> None:
    usd, reasons = priced(kind, properties)
    assert usd == 0
    [told] = reasons
    assert reason in told


def test_a_machine_whose_image_decides_about_its_root_volume_is_priced_without_it() -> None:
    usd, [told] = priced("aws:ec2/instance:Instance", {"instanceType": "m6i.xlarge"})
    assert usd == Decimal("140.16")  # 730 hours x 0.192
    assert "size comes from the machine's image" in told
    usd, reasons = priced("aws:ec2/instance:Instance", {"instanceType": None})
    assert usd == 0
    assert "machine type is not known" in reasons[0]


def test_nodes_of_a_group_are_priced_by_their_number_and_capacity_type() -> None:
    group: dict[str, object] = {
        "instanceTypes": ["g6e.xlarge"],
        "scalingConfig": {"desiredSize": 2},
    }
    usd, [told] = priced("aws:eks/nodeGroup:NodeGroup", group)
    assert usd == Decimal("2717.06")  # 2 x 730 hours x 1.861
    assert "image" in told
    usd, reasons = priced("aws:eks/nodeGroup:NodeGroup", {**group, "capacityType": "SPOT"})
    assert usd == 0
    assert "no price node/aws/us-east-1/g6e.xlarge/spot" in reasons[0]


@pytest.mark.parametrize(
    ("cloud", "kind", "properties"),
    [
        (
            "azure",
            "azure:compute/linuxVirtualMachine:LinuxVirtualMachine",
            {"size": "x", "priority": "Spot"},
        ),
        (
            "gcp",
            "gcp:compute/instance:Instance",
            {"machineType": "x", "scheduling": {"provisioningModel": "SPOT"}},
        ),
        (
            "gcp",
            "gcp:compute/instance:Instance",
            {"machineType": "x", "scheduling": {"preemptible": True}},
        ),
    ],
)
def test_a_spot_machine_is_never_priced_on_demand(
    cloud: str, kind: str, properties: dict[str, object]
) -> None:
    own = {
        f"node/{cloud}/r/x/spot": Decimal(1),
        f"node/{cloud}/r/x/on-demand": Decimal(3),
    }
    book = PriceBook.load(own, today=TODAY)
    found = price_resources([Registered("x", kind, properties)], book, Context(Place(cloud, "r")))
    assert found.monthly == 730


def test_inputs_that_can_not_be_read_are_listed() -> None:
    resource = Registered("x", "aws:ec2/instance:Instance", None)
    found = price_resources([resource], PriceBook.load(today=TODAY), AWS)
    assert found.not_priced[0].reason is UnpricedReason.INPUTS_UNREADABLE


def test_own_prices_win() -> None:
    own = PriceBook.load({"control-plane/eks": Decimal(10)}, today=TODAY)
    found = price_resources([Registered("c", "aws:eks/cluster:Cluster", {})], own, AWS)
    assert found.monthly == 10
    assert "stated" in program_table("t", found)


def test_the_table_names_what_is_left_out() -> None:
    resources = [
        Registered("cluster", "aws:eks/cluster:Cluster", {}),
        Registered("base", "aws:rds/instance:Instance", {}),
        Registered("files", "aws:s3/bucket:Bucket", {}),
        *(Registered(f"topic{number}", "aws:msk/topic:Topic", {}) for number in range(20)),
        Registered("names", "kubernetes:core/v1:ConfigMap", {}),
    ]
    found = price_resources(resources, PriceBook.load(today=TODAY), AWS)
    text = " ".join(program_table("t", found).split())
    assert "Control plane cluster (eks)" in text
    assert "Total of priced resources" in text
    assert "1 resource is free." in text
    assert "Charged by use, and not in the total: files (GB stored and requests)." in text
    assert "Not in the price book, and not in the total: base (instance hours and GB" in text
    assert "not in the total: 20 resources, aws:msk/topic:Topic (20)." in text
    assert text.count("not in the total") == 3


@pytest.mark.parametrize(
    ("cloud", "kind", "properties", "usd"),
    [
        ("aws", "aws:ec2/natGateway:NatGateway", {}, "32.85"),
        # 730 hours x 0.0225, of either kind
        ("aws", "aws:lb/loadBalancer:LoadBalancer", {}, "16.43"),
        ("aws", "aws:lb/loadBalancer:LoadBalancer", {"loadBalancerType": "network"}, "16.43"),
        ("azure", "azure-native:network:LoadBalancer", {"sku": {"name": "Standard"}}, "18.25"),
        ("gcp", "gcp:compute/forwardingRule:ForwardingRule", {}, "18.25"),
    ],
)
def test_what_is_paid_by_the_month_and_by_use_is_priced_and_says_so(
    cloud: str, kind: str, properties: dict[str, object], usd: str
) -> None:
    context = Context(Place(cloud, "us-east-1"))
    found = price_resources(
        [Registered("x", kind, properties)], PriceBook.load(today=TODAY), context
    )
    assert found.monthly == Decimal(usd)
    [item] = found.not_priced
    assert item.reason is UnpricedReason.BY_USE


def nodes_of(cloud: str, kind: str, properties: dict[str, object]) -> tuple[Decimal, set[str]]:
    """Nodes that a cluster or pool makes, at a dollar an hour; and the rest of its lines."""
    own = {f"node/{cloud}/r/x/on-demand": Decimal(1), f"node/{cloud}/r/x/spot": Decimal("0.5")}
    context = Context(Place(cloud, "r"))
    found = price_resources(
        [Registered("x", kind, properties)], PriceBook.load(own, today=TODAY), context
    )
    machines = [line.monthly for line in found.lines if line.kind == "machine"]
    others: set[str] = {line.kind for line in found.lines if line.kind != "machine"}
    return sum(machines, Decimal(0)) / 730, others


@pytest.mark.parametrize(
    ("kind", "properties", "nodes", "others"),
    [
        (
            "azure-native:containerservice:ManagedCluster",
            {
                "sku": {"tier": "Standard"},
                "agentPoolProfiles": [
                    {"vmSize": "x", "count": 2},
                    {"vmSize": "x", "count": 2, "scaleSetPriority": "Spot"},
                ],
            },
            "3",
            {"control-plane"},
        ),
        (
            "azure-native:containerservice/v20240901:ManagedCluster",
            {"agentPoolProfiles": [{"vmSize": "x", "count": 2}]},
            "2",
            set(),
        ),
        ("azure-native:containerservice:AgentPool", {"vmSize": "x", "count": 3}, "3", set()),
        (
            "azure:containerservice/kubernetesCluster:KubernetesCluster",
            {"skuTier": "Standard", "defaultNodePool": {"vmSize": "x", "nodeCount": 1}},
            "1",
            {"control-plane"},
        ),
        (
            "azure:containerservice/kubernetesClusterNodePool:KubernetesClusterNodePool",
            {"vmSize": "x", "nodeCount": 4, "priority": "Spot"},
            "2",
            set(),
        ),
        ("azure-native:compute:VirtualMachine", {"hardwareProfile": {"vmSize": "x"}}, "1", set()),
    ],
)
def test_nodes_of_azures_clusters_are_priced(
    kind: str, properties: dict[str, object], nodes: str, others: set[str]
) -> None:
    assert nodes_of("azure", kind, properties) == (Decimal(nodes), others)


GKE = "gcp:container/cluster:Cluster"
NODE = {"nodeConfig": {"machineType": "x"}}


@pytest.mark.parametrize(
    ("kind", "properties", "nodes"),
    [
        (GKE, {"initialNodeCount": 2, **NODE}, "2"),
        (GKE, {"initialNodeCount": 2, "location": "a-b1", **NODE}, "6"),
        (
            "gcp:container/cluster:Cluster",
            {"initialNodeCount": 2, "location": "a-b1-c", **NODE},
            "2",
        ),
        (
            GKE,
            {"initialNodeCount": 1, "location": "a-b1-c", "nodeLocations": ["a-b1-d"], **NODE},
            "2",
        ),
        (
            "gcp:container/cluster:Cluster",
            {"initialNodeCount": 1, "removeDefaultNodePool": True},
            "0",
        ),
        ("gcp:container/cluster:Cluster", {"enableAutopilot": True}, "0"),
        (
            "gcp:container/nodePool:NodePool",
            {"nodeCount": 2, "location": "a-b1", "nodeLocations": ["a-b1-c", "a-b1-d"], **NODE},
            "4",
        ),
        (
            "gcp:container/nodePool:NodePool",
            {"nodeCount": 2, "nodeConfig": {"machineType": "x", "spot": True}},
            "1",
        ),
    ],
)
def test_nodes_of_gke_are_counted_in_each_zone(
    kind: str, properties: dict[str, object], nodes: str
) -> None:
    found, others = nodes_of("gcp", kind, properties)
    assert found == Decimal(nodes)
    assert others == ({"control-plane"} if kind.endswith(":Cluster") else set())


def test_pods_on_existing_nodes_are_reported_with_their_gpus() -> None:
    """Through the engine's mock, as a program of somebody else registers them."""
    program_inputs: dict[str, object] = {
        "spec": {
            "replicas": 3,
            "template": {
                "spec": {
                    "containers": [
                        {"name": "vllm", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
                    ]
                }
            },
        }
    }

    resources: list[tuple[str, str, dict[str, object]]] = [
        ("kubernetes:apps/v1:Deployment", "agent", program_inputs),
        ("aws:iam/role:Role", "role", {}),
    ]
    group: dict[str, object] = {
        "instanceTypes": ["g6e.xlarge"],
        "scalingConfig": {"desiredSize": 3},
    }
    nodes = ("aws:eks/nodeGroup:NodeGroup", "gpus", group)
    text = table_of(resources)
    assert "Pods on nodes of others, and not in the total: agent (3 GPUs)." in text
    assert "1 resource is free." in text
    assert "All resources are priced" not in text
    text = table_of([*resources, nodes])
    assert "does not make" not in text
    assert "2 resources are free." in text
    assert "$4,075.59" in text  # 3 x 730 hours x 1.861


def table_of(resources: Sequence[tuple[str, str, dict[str, object]]]) -> str:
    """The table of what a program registers."""

    async def program() -> None:
        made = [pulumi.CustomResource(*resource) for resource in resources]
        for resource in made:
            await resource.urn.future()

    ledger = Ledger()
    for each in registered_by(program)[1]:
        options = pulumi.ResourceOptions()
        ledger._observe(
            pulumi.ResourceTransformArgs(
                custom=True, type_=each.type, name=each.name, props=each.inputs, opts=options
            )
        )
    priced = Priced("t", ledger, PriceBook.load(today=TODAY), Place("aws", "us-east-1"))
    return " ".join(priced.text().split())
