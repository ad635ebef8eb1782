"""From an empty AWS account to a served model: network, EKS, one GPU node, add-ons, vLLM.

Not yet run against a real account. Tests run it with Pulumi's mocks.
"""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from breakeven import GatewayFigures, parse, price_stack, raise_problems, register, user_errors

REGION, ZONES, NAME = "us-east-1", ("us-east-1a", "us-east-1b"), "llm"
VERSION = "1.34"
GPU_MACHINE, SYSTEM_MACHINE = "g6.xlarge", "m6i.large"
SETTINGS: dict[str, Any] = {
    "model": {"name": "qwen2.5-7b-instruct"},
    "weights": {"storageClass": "gp3"},
    "pool": {
        "kind": "existing",
        "gpu": "l4",
        "nodeCount": 1,
        "instanceTypes": [GPU_MACHINE],
        "nodeLabels": {"example.com/gpu": "l4"},
    },
    "replicas": {"min": 1, "max": 1, "autoscaling": False},
    "network": {"clientNamespaces": ["chat"]},
    "traffic": {"tokensPerDay": "5M"},
    "pricing": {"cloud": "aws", "region": REGION, "controlPlane": "eks"},
}
POLICY = "arn:aws:iam::aws:policy/"


def role(
    name: str, principal: str, *policies: str, actions: tuple[str, ...]
) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
    """Returns a role that a service takes, and the attachments of AWS's own policies to it."""
    trust = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": list(actions)}
    made = aws.iam.Role(
        name, assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    attached: list[pulumi.Resource] = [
        aws.iam.RolePolicyAttachment(
            f"{name}-{policy.rpartition('/')[2]}", role=made.name, policy_arn=POLICY + policy
        )
        for policy in policies
    ]
    return made, attached


def network() -> list[aws.ec2.Subnet]:
    """Returns private subnets in two zones, which reach the internet by one NAT gateway."""
    vpc = aws.ec2.Vpc(NAME, cidr_block="10.0.0.0/16", enable_dns_hostnames=True)
    internet = aws.ec2.InternetGateway(NAME, vpc_id=vpc.id)
    out = aws.ec2.RouteTable(
        "public",
        vpc_id=vpc.id,
        routes=[{"cidr_block": "0.0.0.0/0", "gateway_id": internet.id}],
    )
    public, private = (
        [
            aws.ec2.Subnet(
                f"{kind}-{number}",
                vpc_id=vpc.id,
                cidr_block=f"10.0.{16 * number + first}.0/{size}",
                availability_zone=zone,
            )
            for number, zone in enumerate(ZONES)
        ]
        for kind, first, size in (("public", 0, 24), ("private", 64, 20))
    )
    aws.ec2.RouteTableAssociation("public", subnet_id=public[0].id, route_table_id=out.id)
    address = aws.ec2.Eip(NAME, domain="vpc")
    nat = aws.ec2.NatGateway(NAME, subnet_id=public[0].id, allocation_id=address.id)
    inside = aws.ec2.RouteTable(
        "private",
        vpc_id=vpc.id,
        routes=[{"cidr_block": "0.0.0.0/0", "nat_gateway_id": nat.id}],
    )
    for number, subnet in enumerate(private):
        aws.ec2.RouteTableAssociation(
            f"private-{number}", subnet_id=subnet.id, route_table_id=inside.id
        )
    return private


def cluster() -> tuple[aws.eks.Cluster, list[pulumi.Resource]]:
    """Returns the cluster, and what has to be there before anything is put into it."""
    subnets = [subnet.id for subnet in network()]
    control, may_control = role(
        "control", "eks.amazonaws.com", "AmazonEKSClusterPolicy", actions=("sts:AssumeRole",)
    )
    nodes, may_join = role(
        "nodes",
        "ec2.amazonaws.com",
        *(
            "AmazonEKSWorkerNodePolicy",
            "AmazonEKS_CNI_Policy",
            "AmazonEC2ContainerRegistryPullOnly",
        ),
        actions=("sts:AssumeRole",),
    )
    disks, may_attach = role(
        "disks",
        "pods.eks.amazonaws.com",
        "service-role/AmazonEBSCSIDriverPolicy",
        actions=("sts:AssumeRole", "sts:TagSession"),
    )
    made = aws.eks.Cluster(
        NAME,
        role_arn=control.arn,
        version=VERSION,
        vpc_config={"subnet_ids": subnets},
        access_config={
            "authentication_mode": "API",
            "bootstrap_cluster_creator_admin_permissions": True,
        },
        opts=pulumi.ResourceOptions(depends_on=may_control),
    )
    common = {
        "cluster_name": made.name,
        "node_role_arn": nodes.arn,
        "subnet_ids": subnets,
        "opts": pulumi.ResourceOptions(depends_on=may_join),
    }
    system = aws.eks.NodeGroup(
        "system",
        instance_types=[SYSTEM_MACHINE],
        scaling_config={"desired_size": 2, "min_size": 2, "max_size": 2},
        **common,
    )
    gpu = aws.eks.NodeGroup(
        "gpu",
        instance_types=[GPU_MACHINE],
        ami_type="AL2023_x86_64_NVIDIA",  # with the driver
        disk_size=100,
        scaling_config={"desired_size": 1, "min_size": 1, "max_size": 1},
        labels=SETTINGS["pool"]["nodeLabels"],
        taints=[{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}],
        **common,
    )
    enforced = json.dumps({"enableNetworkPolicy": "true"})
    add_ons = [
        aws.eks.Addon(
            name,
            cluster_name=made.name,
            addon_name=name,
            configuration_values=values,
            pod_identity_associations=associations,
            opts=pulumi.ResourceOptions(depends_on=[system, *may_attach]),
        )
        for name, values, associations in (
            ("vpc-cni", enforced, None),
            ("eks-pod-identity-agent", None, None),
            (
                "aws-ebs-csi-driver",
                None,
                [{"role_arn": disks.arn, "service_account": "ebs-csi-controller-sa"}],
            ),
        )
    ]
    return made, [gpu, *add_ons]


def kubeconfig(made: aws.eks.Cluster) -> pulumi.Output[str]:
    """Returns a kubeconfig that asks the AWS command line for a token."""

    def written(values: list[str]) -> str:
        name, endpoint, certificate = values
        token = ["eks", "get-token", "--cluster-name", name, "--region", REGION]
        command = {"apiVersion": "client.authentication.k8s.io/v1", "command": "aws", "args": token}
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [
                    {
                        "name": name,
                        "cluster": {"server": endpoint, "certificate-authority-data": certificate},
                    }
                ],
                "users": [
                    {"name": name, "user": {"exec": {**command, "interactiveMode": "Never"}}}
                ],
                "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
                "current-context": name,
            }
        )

    certificate = made.certificate_authority.apply(lambda authority: authority["data"])
    return pulumi.Output.all(made.name, made.endpoint, certificate).apply(written)


def add_ons(provider: kubernetes.Provider, first: list[pulumi.Resource]) -> list[pulumi.Resource]:
    """Returns what `breakeven preflight` asks for: device plugin, Prometheus, storage class."""
    options = pulumi.ResourceOptions(provider=provider, depends_on=first)
    plugin = kubernetes.helm.v3.Release(
        "nvidia-device-plugin",
        chart="nvidia-device-plugin",
        version="0.18.0",
        namespace="kube-system",
        repository_opts={"repo": "https://nvidia.github.io/k8s-device-plugin"},
        values={"affinity": {}, "nodeSelector": SETTINGS["pool"]["nodeLabels"]},
        opts=options,
    )
    prometheus = kubernetes.helm.v3.Release(
        "monitoring",
        chart="kube-prometheus-stack",
        version="81.6.2",
        namespace="monitoring",
        create_namespace=True,
        repository_opts={"repo": "https://prometheus-community.github.io/helm-charts"},
        values={
            "prometheus": {
                "prometheusSpec": {
                    "podMonitorSelectorNilUsesHelmValues": False,
                    "ruleSelectorNilUsesHelmValues": False,
                }
            }
        },
        opts=options,
    )
    disks = kubernetes.storage.v1.StorageClass(
        "gp3",
        metadata={"name": "gp3"},
        provisioner="ebs.csi.aws.com",
        parameters={"type": "gp3", "encrypted": "true"},
        volume_binding_mode="WaitForFirstConsumer",
        opts=options,
    )
    return [plugin, prometheus, disks]


async def main() -> dict[str, object]:
    """Makes everything; the cost of all of it is shown at every preview."""
    price_stack(cloud="aws", region=REGION)
    with user_errors():
        stack, problems = parse(SETTINGS)
        raise_problems(NAME, problems)
        made, ready = cluster()
        config = kubeconfig(made)
        cluster_only = kubernetes.Provider(NAME, kubeconfig=config)
        # Whatever has this provider waits for the add-ons.
        provider = kubernetes.Provider(
            "stack",
            kubeconfig=config,
            opts=pulumi.ResourceOptions(depends_on=add_ons(cluster_only, ready)),
        )
        options = pulumi.ResourceOptions(providers=[provider])
        return await register(stack, GatewayFigures.none, options)


if __name__ == "__main__":
    pulumi.run(main)
