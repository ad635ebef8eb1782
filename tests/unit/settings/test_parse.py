"""Every mistake of a stack file is told once, by its key, with a way out; and all at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.models import ModelFacts, load_models
from breakeven.errors import Problem
from breakeven.settings.files import defaults, stack_names, stack_values
from breakeven.settings.parse import parse
from breakeven.settings.stack import Settings
from tests.each import each
from tests.pools import CLUSTER_API

DIGEST = "sha256:" + "0" * 64
COMMIT = "0" * 40

KARPENTER = {
    "pool": "karpenter-aws",
    "instanceTypes": '["g6.xlarge"]',
    "karpenterNodeRole": "KarpenterNodeRole-test",
    "karpenterDiscoveryTag": "test",
}
AZURE = {
    "pool": "karpenter-azure",
    "cloud": "azure",
    "gpu": "h100-nvl",
    "instanceTypes": '["Standard_NC40ads_H100_v5"]',
}
SCALED = {**KARPENTER, "weightsAccessMode": "ReadWriteMany", "maxReplicas": 4}
GKE = {"pool": "gke-compute-class", "cloud": "gcp", "instanceTypes": '["g2-standard-8"]'}
OWNED = {
    "nodePricing": "owned",
    "nodePurchasePrice": "290000",
    "nodePowerWatts": "6500",
    "electricityPricePerKwh": "0.12",
}
SHARED = {"weightsAccessMode": "ReadWriteMany"}


def wire(values: Mapping[str, object]) -> dict[str, str]:
    return {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()
    }


def problems_of(values: Mapping[str, object]) -> tuple[Problem, ...]:
    return parse(wire(values))[1].problems


def settings_of(values: Mapping[str, object]) -> Settings:
    settings, reader = parse(wire(values))
    assert reader.problems == ()
    return settings


class Mistake(NamedTuple):
    """What a stack states, and the one problem that it must give."""

    values: Mapping[str, object]
    key: str
    found: str
    allowed: str


MISTAKES: Mapping[str, Mistake] = {
    "unknown key": Mistake(
        {"tokenPerDay": 5}, "tokenPerDay", "no such setting", "closest: tokensPerDay"
    ),
    "unknown key like no other": Mistake(
        {"zzz": 5}, "zzz", "no such setting", "Pulumi.yaml lists all keys"
    ),
    "a word for a number": Mistake(
        {"maxReplicas": "many"}, "maxReplicas", '"many"', "a whole number, 1 to 1,000"
    ),
    "a fraction for a whole number": Mistake(
        {"nodeCount": 1.5}, "nodeCount", '"1.5"', "a whole number, 1 to 1,000"
    ),
    "a word for a rate": Mistake(
        {"burstFactor": "fast"}, "burstFactor", '"fast"', "a number, 1 to 20"
    ),
    "a word for yes or no": Mistake(
        {"autoscaling": "yes"}, "autoscaling", '"yes"', "true or false"
    ),
    "a word for a list": Mistake(
        {**KARPENTER, "instanceTypes": "g6.xlarge"}, "instanceTypes", '"g6.xlarge"', "a list"
    ),
    "a list for a mapping": Mistake({"nodeLabels": ["gpu"]}, "nodeLabels", '["gpu"]', "a mapping"),
    "a label that is no string": Mistake(
        {"nodeLabels": {"gpu": True}}, "nodeLabels", '"gpu"', "put numbers and true in quotes"
    ),
    "a price that is no number": Mistake(
        {"priceOverrides": {"control-plane/eks": "free"}},
        "priceOverrides",
        '"free" for "control-plane/eks"',
        "a number, 0 to",
    ),
    "a number out of range": Mistake(
        {"gpuMemoryUtilization": "1.0"}, "gpuMemoryUtilization", '"1.0"', "a number, 0.50 to 0.95"
    ),
    "an unknown model": Mistake(
        {"model": "llama-3.1-8b"}, "model", '"llama-3.1-8b"', "Closest: llama-3.1-8b-instruct"
    ),
    "an unknown gpu": Mistake({"gpu": "H100"}, "gpu", '"H100"', "Closest: h100"),
    "an unknown precision": Mistake({"precision": "fp7"}, "precision", '"fp7"', "Closest: fp8"),
    "an unknown pool": Mistake(
        {"pool": "karpenter-gcp"}, "pool", '"karpenter-gcp"', "Closest: karpenter-aws"
    ),
    "a gpu of another vendor": Mistake(
        {"gpu": "mi300x"}, "gpu", "mi300x needs another device plugin", "NVIDIA"
    ),
    "a model that fetches when it starts": Mistake(
        {"model": "gpt-oss-20b", "precision": "int4"},
        "model",
        "gpt-oss-20b makes vLLM fetch",
        "another model",
    ),
    "node images that change by themselves": Mistake(
        {**KARPENTER, "karpenterNodeImage": "al2023@latest"},
        "karpenterNodeImage",
        '"al2023@latest"',
        "al2023@vRELEASE",
    ),
    "two GPUs a replica on nodes of one": Mistake(
        {"tensorParallel": 2},
        "tensorParallel",
        "2 GPUs a replica on nodes of 1",
        "set gpusPerNode to a multiple of 2",
    ),
    "replicas that do not fill a node": Mistake(
        {"tensorParallel": 2, "gpusPerNode": 3},
        "tensorParallel",
        "2 GPUs a replica on nodes of 3",
        "a divisor of 3",
    ),
    "three GPUs a replica": Mistake(
        {"tensorParallel": 3}, "tensorParallel", '"3"', "Allowed: 1, 2, 4, 8"
    ),
    "heads that do not split": Mistake(
        {"tensorParallel": 8, "gpusPerNode": 8},
        "tensorParallel",
        "28 attention heads and 4 key-value heads",
        "Allowed: 1, 2, 4",
    ),
    "key-value heads that do not split": Mistake(
        {"model": "phi-4", "gpu": "h100", "tensorParallel": 4, "gpusPerNode": 4},
        "tensorParallel",
        "40 attention heads and 10 key-value heads of phi-4",
        "Allowed: 1, 2",
    ),
    "a model beyond the memory": Mistake(
        {"model": "llama-3.3-70b-instruct"},
        "gpu",
        "llama-3.3-70b-instruct in bf16 does not fit 1 x l4: weights take 131.4 GiB",
        "Would fit: ",
    ),
    "requests beyond the memory": Mistake(
        {"gpuMemoryUtilization": "0.75", "maxModelLength": 32768},
        "gpu",
        "for requests of 32,768 tokens",
        "or shorten maxModelLength",
    ),
    "requests beyond the model": Mistake(
        {"maxModelLength": 65536}, "maxModelLength", "reads 32,768", "Allowed: up to 32,768"
    ),
    "a mean request beyond the longest": Mistake(
        {"maxModelLength": 1024}, "maxModelLength", "a mean request has 1,280", "1,280 or more"
    ),
    "a branch for a commit": Mistake(
        {"modelRevision": "main"}, "modelRevision", '"main"', "a commit of 40 hexadecimal digits"
    ),
    "a short commit": Mistake(
        {"modelRevision": "a09a354"}, "modelRevision", '"a09a354"', "40 hexadecimal digits"
    ),
    "a repository without owner": Mistake(
        {"modelRepository": "Qwen2.5"}, "modelRepository", '"Qwen2.5"', "OWNER/NAME"
    ),
    "an image without digest": Mistake(
        {"engineImage": "docker.io/vllm/vllm-openai:v0.24.0"},
        "engineImage",
        "vllm-openai:v0.24.0",
        "both tag and digest",
    ),
    "an image without tag": Mistake(
        {"engineImage": f"docker.io/vllm/vllm-openai@{DIGEST}"},
        "engineImage",
        "vllm-openai@sha256",
        "both tag and digest",
    ),
    "the latest image": Mistake(
        {"engineImage": f"docker.io/vllm/vllm-openai:latest@{DIGEST}"},
        "engineImage",
        ":latest@",
        "never latest",
    ),
    "an engine that cuts requests off": Mistake(
        {"engineImage": f"docker.io/vllm/vllm-openai:v0.17.1@{DIGEST}"},
        "engineImage",
        "vLLM 0.17.1 can't finish running requests",
        "0.18 or newer",
    ),
    "a name that is none": Mistake(
        {"apiKeySecret": "Key_1"}, "apiKeySecret", '"Key_1"', "a Kubernetes name"
    ),
    "fewest over most replicas": Mistake(
        {**KARPENTER, **SHARED, "minReplicas": 3, "maxReplicas": 2},
        "minReplicas",
        "3 is more than maxReplicas 2",
        "or raise maxReplicas",
    ),
    "two numbers of replicas without autoscaling": Mistake(
        {**KARPENTER, "autoscaling": False, "minReplicas": 1, "maxReplicas": 2},
        "maxReplicas",
        "2 differs from minReplicas 1 with autoscaling off",
        "or set autoscaling to true",
    ),
    "the same on nodes that hold fewer": Mistake(
        {"autoscaling": False, "minReplicas": 1, "maxReplicas": 4},
        "maxReplicas",
        "4 differs from minReplicas 1",
        "or set autoscaling to true",
    ),
    "more replicas than nodes that are there hold": Mistake(
        {**SHARED, "maxReplicas": 3, "nodeCount": 2},
        "maxReplicas",
        "3 replicas, but nodeCount 2 x gpusPerNode 1 hold 2 of tensorParallel 1",
        "up to 2, or more nodes",
    ),
    "weights of one node on two that are there": Mistake(
        {"nodeCount": 2, "maxReplicas": 2},
        "weightsAccessMode",
        "ReadWriteOnce with replicas on up to 2 nodes",
        "ReadWriteMany",
    ),
    "weights of one node on three that start": Mistake(
        {**KARPENTER, "maxReplicas": 5, "gpusPerNode": 2, "tensorParallel": 1},
        "weightsAccessMode",
        "ReadWriteOnce with replicas on up to 3 nodes",
        "ReadWriteMany",
    ),
    "karpenter without role": Mistake(
        {**KARPENTER, "karpenterNodeRole": ""}, "karpenterNodeRole", "empty", "karpenter-aws"
    ),
    "karpenter without tag": Mistake(
        {**KARPENTER, "karpenterDiscoveryTag": ""},
        "karpenterDiscoveryTag",
        "empty",
        "karpenter-aws",
    ),
    "karpenter without machine types": Mistake(
        {**KARPENTER, "instanceTypes": []}, "instanceTypes", "empty", "karpenter-aws"
    ),
    "karpenter without capacity types": Mistake(
        {**KARPENTER, "capacityTypes": []}, "capacityTypes", "empty", "karpenter-aws"
    ),
    "karpenter on another cloud": Mistake(
        {**KARPENTER, "cloud": "gcp"}, "cloud", '"gcp"', "with pool karpenter-aws: aws"
    ),
    "a reservation where AKS has none": Mistake(
        {**AZURE, "capacityTypes": ["reserved", "spot"]},
        "capacityTypes",
        "found reserved",
        "on-demand, spot; AKS node auto-provisioning uses no capacity reservations",
    ),
    "AKS on another cloud": Mistake(
        {**AZURE, "cloud": "aws"}, "cloud", '"aws"', "with pool karpenter-azure: azure"
    ),
    "a compute class on another cloud": Mistake(
        {**GKE, "cloud": "azure"}, "cloud", '"azure"', "with pool gke-compute-class: gcp"
    ),
    "a GPU that GKE does not have": Mistake(
        {**GKE, "gpu": "l40s"}, "gpu", '"l40s"', "with pool gke-compute-class: l4"
    ),
    "a GPU whose machines take no disk that is priced": Mistake(
        {**GKE, "gpu": "rtx-pro-6000"},
        "gpu",
        '"rtx-pro-6000"',
        "boot from Hyperdisk only",
    ),
    "a reservation without name": Mistake(
        {**GKE, "capacityTypes": ["reserved", "spot"]},
        "gkeReservations",
        "empty, with reserved in capacityTypes",
        "take reserved out",
    ),
    "a reservation of an impossible name": Mistake(
        {**GKE, "gkeReservations": ["Mine"]}, "gkeReservations", '"Mine"', "names of"
    ),
    "a service account of another form": Mistake(
        {**GKE, "gkeServiceAccount": "me@example.com"},
        "gkeServiceAccount",
        '"me@example.com"',
        "NAME@PROJECT.iam.gserviceaccount.com",
    ),
    "machines of Cluster API without a cluster": Mistake(
        {**CLUSTER_API, "clusterApiCluster": ""}, "clusterApiCluster", "empty", "cluster-api"
    ),
    "machines of Cluster API without a version": Mistake(
        {**CLUSTER_API, "clusterApiVersion": ""}, "clusterApiVersion", "empty", "cluster-api"
    ),
    "machines of Cluster API of a short version": Mistake(
        {**CLUSTER_API, "clusterApiVersion": "1.35"}, "clusterApiVersion", '"1.35"', "v1.35.4"
    ),
    "machines of Cluster API without a template": Mistake(
        {**CLUSTER_API, "clusterApiMachineTemplate": ""},
        "clusterApiMachineTemplate",
        "empty",
        "cluster-api",
    ),
    "machines of Cluster API from none": Mistake(
        {**CLUSTER_API, "minReplicas": 0, "mode": "hybrid", "teams": {"chat": {}}},
        "minReplicas",
        "0 with pool cluster-api",
        "1 or more",
    ),
    "a template without its group": Mistake(
        {**CLUSTER_API, "clusterApiBootstrapTemplate": "KubeadmConfigTemplate/gpu"},
        "clusterApiBootstrapTemplate",
        "KubeadmConfigTemplate/gpu",
        "GROUP/KIND/NAME",
    ),
    "spot machines of Cluster API": Mistake(
        {**CLUSTER_API, "capacityTypes": ["spot"]},
        "capacityTypes",
        "found spot",
        "on-demand; the machine template says",
    ),
    "no commit to go back to": Mistake(
        {"previousModelRevision": "main"}, "previousModelRevision", '"main"', "40 hexadecimal"
    ),
    "a commit to go back to that is served": Mistake(
        {"modelRevision": COMMIT, "previousModelRevision": COMMIT},
        "previousModelRevision",
        "the same commit as modelRevision",
        "the commit to go back to, or empty",
    ),
    "a replica of several nodes that leaves GPUs": Mistake(
        {**SHARED, "pipelineParallel": 2, "nodeCount": 2, "gpusPerNode": 2},
        "tensorParallel",
        "1 of 2 GPUs a node, with pipelineParallel 2",
        "2 (gpusPerNode), or pipelineParallel 1",
    ),
    "a node that no replica fills": Mistake(
        {**SHARED, "pipelineParallel": 2, "nodeCount": 3},
        "nodeCount",
        "3 with pipelineParallel 2",
        "a multiple of 2",
    ),
    "replicas of several nodes on too few": Mistake(
        {**SHARED, "pipelineParallel": 2, "nodeCount": 2, "maxReplicas": 2},
        "maxReplicas",
        "hold 1 of tensorParallel 1 and pipelineParallel 2",
        "up to 1, or more nodes",
    ),
    "weights of one node for a replica of two": Mistake(
        {"pipelineParallel": 2, "nodeCount": 2},
        "weightsAccessMode",
        "ReadWriteOnce with replicas on up to 2 nodes",
        "ReadWriteMany",
    ),
    "a model that fits no single node": Mistake(
        {
            **SHARED,
            "model": "llama-3.1-405b-instruct",
            "gpu": "l40s",
            "gpusPerNode": 8,
            "tensorParallel": 8,
            "maxModelLength": 131072,
        },
        "gpu",
        "does not fit 8 x l40s",
        "bf16 on 8 x h200, pipelineParallel 3 with 8 x l40s on each node",
    ),
    "a model that fits not even two nodes": Mistake(
        {
            **SHARED,
            "model": "llama-3.1-405b-instruct",
            "gpu": "l40s",
            "gpusPerNode": 8,
            "nodeCount": 2,
            "tensorParallel": 8,
            "pipelineParallel": 2,
        },
        "gpu",
        "does not fit 8 x l40s on each of 2 nodes",
        "Would fit:",
    ),
    "an adapter without commit": Mistake(
        {"loraAdapters": ["sql=acme/sql-lora"]},
        "loraAdapters",
        "sql=acme/sql-lora",
        "NAME=OWNER/REPOSITORY@COMMIT",
    ),
    "two adapters of one name": Mistake(
        {"loraAdapters": [f"sql=acme/one@{COMMIT}", f"sql=acme/two@{COMMIT}"]},
        "loraAdapters",
        "two adapters sql",
        "each name once",
    ),
    "too many adapters": Mistake(
        {"loraAdapters": [f"a{number}=acme/one@{COMMIT}" for number in range(17)]},
        "loraAdapters",
        "17 adapters",
        "up to 16",
    ),
    "an adapter with the name of the model": Mistake(
        {"loraAdapters": [f"qwen2.5-7b-instruct=acme/one@{COMMIT}"]},
        "loraAdapters",
        "called qwen2.5-7b-instruct",
        "another name",
    ),
    "an adapter of a mixture of experts": Mistake(
        {
            "model": "mixtral-8x7b",
            "gpu": "h200",
            "loraAdapters": [f"sql=acme/one@{COMMIT}"],
        },
        "loraAdapters",
        "a mixture of experts",
        "leave them out",
    ),
    "a rank that vLLM does not have": Mistake({"loraMaxRank": 24}, "loraMaxRank", '"24"', "8"),
    "adapters that leave no memory": Mistake(
        {
            "gpuMemoryUtilization": "0.85",
            "loraMaxRank": 512,
            "loraAdapters": [f"a{number}=acme/one@{COMMIT}" for number in range(4)],
        },
        "gpu",
        "does not fit 1 x l4",
        "Would fit",
    ),
    "weights in an image that can move": Mistake(
        {"weightsImage": "registry.example.com/models/qwen:latest"},
        "weightsImage",
        "models/qwen:latest",
        "@sha256:DIGEST",
    ),
    "a commit to go back to beside an image": Mistake(
        {"weightsImage": f"r.example.com/qwen@{DIGEST}", "previousModelRevision": COMMIT},
        "previousModelRevision",
        "a commit beside weightsImage",
        "name the earlier image",
    ),
    "a disk too small for the image": Mistake(
        {**KARPENTER, "weightsImage": f"r.example.com/qwen@{DIGEST}", "nodeVolumeGigabytes": 50},
        "nodeVolumeGigabytes",
        "50 GB, but each node unpacks",
        "56 or more",
    ),
    "a schedule of another form": Mistake(
        {**SCALED, "scheduledReplicas": ["weekdays 8-18 4"]},
        "scheduledReplicas",
        "weekdays 8-18 4",
        "mon-fri 08:00-18:00 4",
    ),
    "a schedule that runs backwards": Mistake(
        {**SCALED, "scheduledReplicas": ["mon-fri 22:00-06:00 4"]},
        "scheduledReplicas",
        "mon-fri 22:00-06:00 4",
        "two entries",
    ),
    "a schedule of days that run backwards": Mistake(
        {**SCALED, "scheduledReplicas": ["sat-mon 08:00-18:00 4"]},
        "scheduledReplicas",
        "sat-mon 08:00-18:00 4",
        "from Monday to Sunday",
    ),
    "a schedule above the most replicas": Mistake(
        {**SCALED, "scheduledReplicas": ["mon 08:00-18:00 5", "tue 08:00-18:00 1"]},
        "scheduledReplicas",
        "1, 5 replicas",
        "more than minReplicas 1, up to maxReplicas 4",
    ),
    "a schedule that nothing follows": Mistake(
        {"autoscaling": False, "scheduledReplicas": ["mon 08:00-18:00 5"]},
        "scheduledReplicas",
        "autoscaling off",
        "autoscaling to true",
    ),
    "a time zone that is none": Mistake(
        {"scheduleTimeZone": "+01:00"}, "scheduleTimeZone", '"+01:00"', "Europe/Berlin"
    ),
    "a time zone that nobody knows": Mistake(
        {"scheduleTimeZone": "Mars/Base"}, "scheduleTimeZone", '"Mars/Base"', "Europe/Berlin"
    ),
    "a Secret whose name Kubernetes refuses": Mistake(
        {"gatewaySecret": "a.-b"}, "gatewaySecret", '"a.-b"', "a Kubernetes name"
    ),
    "a DNS cache that is not on the node": Mistake(
        {"nodeLocalDnsAddress": "10.0.0.10"}, "nodeLocalDnsAddress", "10.0.0.10", "169.254.20.10"
    ),
    "a DNS cache at an address that is none": Mistake(
        {"nodeLocalDnsAddress": "169.254.999.999"},
        "nodeLocalDnsAddress",
        "169.254.999.999",
        "169.254.20.10",
    ),
    "a taint with its value": Mistake(
        {"nodeTaints": ["dedicated=llm"]}, "nodeTaints", "dedicated=llm", "keys of taints"
    ),
    "taints of nodes that the pool starts": Mistake(
        {**KARPENTER, "nodeTaints": ["dedicated"]},
        "nodeTaints",
        "nothing reads it with pool karpenter-aws",
        "with pool existing",
    ),
    "labels of nodes that the pool starts": Mistake(
        {**GKE, "nodeLabels": {"gpu": "l4"}},
        "nodeLabels",
        "nothing reads it with pool gke-compute-class",
        "with pool existing",
    ),
    "reservations that nothing buys": Mistake(
        {**GKE, "gkeReservations": ["mine"], "capacityTypes": ["on-demand", "spot"]},
        "gkeReservations",
        "with pool gke-compute-class and capacityTypes on-demand, spot",
        "reserved in capacityTypes",
    ),
    "Google's reservations at Amazon": Mistake(
        {**KARPENTER, "gkeReservations": ["mine"], "capacityTypes": ["reserved"]},
        "gkeReservations",
        "with pool karpenter-aws and capacityTypes reserved",
        "with pool gke-compute-class",
    ),
    "networks that no load balancer serves": Mistake(
        {"clientNetworks": ["10.0.0.0/8"]},
        "clientNetworks",
        "nothing reads it with exposure cluster",
        "internal-load-balancer; who is in the cluster is named in clientNamespaces",
    ),
    "a control plane of another cloud": Mistake(
        {**GKE, "controlPlane": "eks"}, "controlPlane", "eks with cloud gcp", "gke, or none"
    ),
    "a quota below the peak": Mistake(
        {**KARPENTER, **SHARED, "maxReplicas": 5, "gpuQuota": 4},
        "gpuQuota",
        "4 GPUs, but maxReplicas 5 takes 5 in whole nodes of 1",
        "a quota of 5, or lower maxReplicas",
    ),
    "a quota below the peak of whole nodes": Mistake(
        {**KARPENTER, "maxReplicas": 3, "gpusPerNode": 4, "gpuQuota": 3},
        "gpuQuota",
        "3 GPUs, but maxReplicas 3 takes 4 in whole nodes of 4",
        "a quota of 4, or lower maxReplicas",
    ),
    "a capacity type of another cloud": Mistake(
        {**KARPENTER, "capacityTypes": ["on-demand", "flex"]},
        "capacityTypes",
        '"flex"',
        "reserved, on-demand, spot",
    ),
    "a capacity type twice": Mistake(
        {**KARPENTER, "capacityTypes": ["spot", "spot"]}, "capacityTypes", "spot", "each entry once"
    ),
    "nodes that are there without labels": Mistake(
        {"nodeLabels": {}}, "nodeLabels", "empty", "Needed with pool existing"
    ),
    "a load balancer for nobody": Mistake(
        {"exposure": "internal-load-balancer"},
        "clientNetworks",
        "empty",
        "Needed with exposure internal-load-balancer",
    ),
    "a load balancer that nobody keeps private": Mistake(
        {
            "exposure": "internal-load-balancer",
            "clientNetworks": ["10.0.0.0/8"],
            "cloud": "lambda",
        },
        "exposure",
        "internal-load-balancer with cloud lambda",
        "with cloud aws, azure, gcp, none; or set exposure to cluster",
    ),
    "the internet as a client": Mistake(
        {"exposure": "internal-load-balancer", "clientNetworks": ["0.0.0.0/0"]},
        "clientNetworks",
        '"0.0.0.0/0"',
        "never opened to the internet",
    ),
    "a public network as a client": Mistake(
        {"exposure": "internal-load-balancer", "clientNetworks": ["10.0.0.0/8", "8.8.8.0/24"]},
        "clientNetworks",
        '"8.8.8.0/24"',
        "private networks",
    ),
    "a network that is wider than a private one": Mistake(
        {"clientNetworks": ["10.0.0.0/7"]}, "clientNetworks", '"10.0.0.0/7"', "private networks"
    ),
    "an address for a network": Mistake(
        {"clientNetworks": ["10.0.0.1/8"]}, "clientNetworks", '"10.0.0.1/8"', "host bits 0"
    ),
    "a word for a network": Mistake(
        {"clientNetworks": ["office"]}, "clientNetworks", '"office"', "such as 10.0.0.0/8"
    ),
    "the namespace of the monitoring": Mistake(
        {"namespace": "monitoring"}, "namespace", '"monitoring"', "a namespace of the model's own"
    ),
    "the default namespace": Mistake(
        {"namespace": "default"}, "namespace", '"default"', "a namespace of the model's own"
    ),
    "a shape without file": Mistake(
        {"trafficShape": "office.csv"}, "trafficShape", '"office.csv"', "a file in stacks/traffic/"
    ),
    "a shape outside its folder": Mistake(
        {"trafficShape": "../../Pulumi.yaml"},
        "trafficShape",
        '"../../Pulumi.yaml"',
        "a file in stacks/traffic/",
    ),
    "an API without provider": Mistake(
        {"apiInUse": "gpt-4.1-mini"}, "apiInUse", '"gpt-4.1-mini"', "PROVIDER/MODEL"
    ),
    "a hosted API without provider": Mistake(
        {"hostedApis": ["qwen"]}, "hostedApis", '"qwen"', "PROVIDER/MODEL"
    ),
    "a stated price that is not stated": Mistake(
        {"nodePricing": "stated"}, "nodePricePerHour", "no price", "USD an hour for a node"
    ),
    "owned without purchase price": Mistake(
        {**OWNED, "nodePurchasePrice": ""}, "nodePurchasePrice", "not stated", "nodePricing owned"
    ),
    "owned without power": Mistake(
        {**OWNED, "nodePowerWatts": 0}, "nodePowerWatts", "not stated", "nodePricing owned"
    ),
    "owned without electricity price": Mistake(
        {**OWNED, "electricityPricePerKwh": ""},
        "electricityPricePerKwh",
        "not stated",
        "nodePricing owned",
    ),
    "power without losses": Mistake(
        {**OWNED, "powerUsageEffectiveness": "0.9"},
        "powerUsageEffectiveness",
        '"0.9"',
        "a number, 1 to 3",
    ),
    "a budget of nothing": Mistake(
        {"budgetPerMonth": "0"}, "budgetPerMonth", '"0"', "a number, 0.01 to 1,000,000,000"
    ),
    "a month of another length": Mistake({"month": "28d"}, "month", '"28d"', "30d"),
}

BEYOND_ONE_L4 = [
    model for model in load_models().values() if model.weight_bytes("bf16") > 22 * 2**30
]

INDEPENDENT = {
    "tokenPerDay": "5",
    "modelRevision": "main",
    "engineImage": "vllm:latest",
    "weightsStorageClass": "Fast",
    "capacityTypes": '["flex"]',
    "targetRequestsPerReplica": "0",
    "prometheusAddress": "prometheus",
    "clientNetworks": '["0.0.0.0/0"]',
    "timeToFirstTokenSeconds": "soon",
    "cachedInputPercent": "96",
    "dataMayLeave": "no",
    "apiInUse": "gpt",
    "nodePricePerHour": "-1",
    "controlPlane": "ekz",
    "priceOverrides": '{"a": "b"}',
    "month": "31d",
    "engineerSalary": "much",
}
"""Mistakes of one key each; no check over several keys looks at them."""


@pytest.mark.parametrize("stack", stack_names())
def test_every_stack_file_is_without_mistake(stack: str) -> None:
    assert problems_of(stack_values(stack)) == ()


def test_the_defaults_alone_are_without_mistake() -> None:
    assert problems_of({}) == ()


@each("name", MISTAKES)
def test_a_mistake_is_told_once_by_its_key_with_a_way_out(name: str) -> None:
    mistake = MISTAKES[name]
    [problem] = problems_of(mistake.values)
    assert problem.key == mistake.key
    assert mistake.found in problem.found
    assert mistake.allowed in problem.allowed


@each("name", MISTAKES)
def test_a_problem_reads_as_sentences_on_one_line(name: str) -> None:
    for problem in problems_of(MISTAKES[name].values):
        text = str(problem)
        assert re.fullmatch(rf"breakeven:{re.escape(problem.key)}: \S.*[^.?;, ]\.", text)
        assert not re.search(r"\.\.(?!/)|;\.|: \.|: ;|  ", text)


@given(st.sets(st.sampled_from(sorted(INDEPENDENT))))
def test_all_mistakes_are_told_at_once_and_nothing_else(keys: set[str]) -> None:
    found = problems_of({key: INDEPENDENT[key] for key in keys})
    assert sorted(problem.key for problem in found) == sorted(keys)


def test_mistakes_over_several_keys_are_told_together() -> None:
    found = problems_of(
        {
            **KARPENTER,
            "model": "llama-3.3-70b-instruct",
            "maxReplicas": 2,
            "karpenterNodeRole": "",
            "exposure": "internal-load-balancer",
            "nodePricing": "stated",
            "namespace": "kube-system",
            "maxReplica": 2,
        }
    )
    assert [problem.key for problem in found] == [
        "maxReplica",
        "weightsAccessMode",
        "gpu",
        "karpenterNodeRole",
        "namespace",
        "clientNetworks",
        "nodePricePerHour",
    ]


@each(
    "values, key",
    [
        ({"model": "unknown", "maxModelLength": 65536}, "model"),
        ({"model": "llama-3.3-70b-instruct", "gpu": "l44"}, "gpu"),
        ({"model": "llama-3.3-70b-instruct", "precision": "fp7"}, "precision"),
        ({"model": "llama-3.3-70b-instruct", "gpuMemoryUtilization": "2"}, "gpuMemoryUtilization"),
        ({"model": "llama-3.3-70b-instruct", "maxModelLength": "long"}, "maxModelLength"),
        ({"maxModelLength": 1024, "inputTokensPerRequest": "many"}, "inputTokensPerRequest"),
        ({"maxModelLength": 1024, "outputTokensPerRequest": "0"}, "outputTokensPerRequest"),
        ({"tensorParallel": 2, "gpusPerNode": "one"}, "gpusPerNode"),
        ({"tensorParallel": 3, "gpusPerNode": 4}, "tensorParallel"),
        ({"minReplicas": 0, "maxReplicas": 5}, "minReplicas"),
        ({"minReplicas": 5, "maxReplicas": "few"}, "maxReplicas"),
        ({"minReplicas": 1, "maxReplicas": 2, "autoscaling": "off"}, "autoscaling"),
        ({"maxReplicas": 5, "nodeCount": "two"}, "nodeCount"),
        ({"maxReplicas": 5, "tensorParallel": 2}, "tensorParallel"),
        ({"maxReplicas": 5, "pool": "karpenter"}, "pool"),
        ({"nodeLabels": {}, "pool": "karpenter"}, "pool"),
        ({"maxReplicas": 2, "nodeCount": 2, "weightsAccessMode": "rwo"}, "weightsAccessMode"),
        ({**KARPENTER, "instanceTypes": "g6.xlarge"}, "instanceTypes"),
        ({**KARPENTER, "capacityTypes": ["cheap"]}, "capacityTypes"),
        ({**KARPENTER, "cloud": "amazon"}, "cloud"),
        ({"nodeLabels": "gpu"}, "nodeLabels"),
        ({"exposure": "internal-load-balancer", "clientNetworks": "all"}, "clientNetworks"),
        ({"exposure": "load-balancer"}, "exposure"),
        ({"namespace": "monitoring", "monitoringNamespace": "Obs"}, "monitoringNamespace"),
        ({"nodePricing": "stated", "nodePricePerHour": "cheap"}, "nodePricePerHour"),
        ({"nodePricing": "bought"}, "nodePricing"),
        ({**OWNED, "nodePurchasePrice": "much"}, "nodePurchasePrice"),
        ({**OWNED, "electricityPricePerKwh": "-1"}, "electricityPricePerKwh"),
        ({**OWNED, "nodePowerWatts": "much"}, "nodePowerWatts"),
    ],
)
def test_a_check_over_several_keys_is_silent_where_one_is_told_already(
    values: Mapping[str, object], key: str
) -> None:
    assert [problem.key for problem in problems_of(values)] == [key]


_ODD = st.sampled_from(
    ["", "0", "-1", "1", "2", "8", "1e999", "NaN", "true", "null", "[]", "{}", '["a"]', '{"a": 1}']
)


@given(st.dictionaries(st.sampled_from(sorted(defaults())), st.one_of(_ODD, st.text())))
def test_no_value_ends_in_anything_but_problems_of_stated_keys(values: dict[str, str]) -> None:
    settings, reader = parse(values)
    assert isinstance(settings, Settings)
    stated = set(values)
    # A check over several keys may name one at its default, where another was stated.
    assert not reader.problems or stated
    assert {problem.key for problem in reader.problems} <= set(defaults())


def test_a_file_name_longer_than_any_is_told_like_one_that_is_missing() -> None:
    [problem] = problems_of({"trafficShape": "a" * 5000})
    assert problem.key == "trafficShape"


class Asked(Mapping[str, str]):
    """States nothing, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.keys_seen: set[str] = set()

    def __getitem__(self, key: str) -> str:
        self.keys_seen.add(key)
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_every_declared_setting_is_read() -> None:
    asked = Asked()
    parse(asked)
    assert asked.keys_seen == set(defaults())


@each("utilization, model", product(["0.50", "0.95"], BEYOND_ONE_L4))
def test_what_is_said_to_fit_fits(model: ModelFacts, utilization: str) -> None:
    stated = {
        "model": model.name,
        "maxModelLength": model.max_model_length,
        "gpuMemoryUtilization": utilization,
    }
    [problem] = (problem for problem in problems_of(stated) if problem.key == "gpu")
    options = re.findall(r"(\w+) on (\d) x ([\w-]+)", problem.allowed)
    assert options
    for precision, parallel, gpu in options:
        fitting = {"precision": precision, "tensorParallel": parallel, "gpu": gpu}
        left = problems_of({**stated, **fitting, "gpusPerNode": parallel})
        assert {problem.key for problem in left} <= {"model"}


@given(
    replicas=st.integers(1, 20),
    nodes=st.integers(1, 8),
    per_node=st.sampled_from([1, 2, 4, 8]),
    parallel=st.sampled_from([1, 2, 4]),
    shared=st.booleans(),
)
def test_fixed_nodes_hold_all_replicas_of_what_is_accepted(
    replicas: int, nodes: int, per_node: int, parallel: int, shared: bool
) -> None:
    stated = {
        "maxReplicas": replicas,
        "nodeCount": nodes,
        "gpusPerNode": per_node,
        "tensorParallel": parallel,
        "weightsAccessMode": "ReadWriteMany" if shared else "ReadWriteOnce",
    }
    settings, reader = parse(wire(stated))
    fits = per_node % parallel == 0 and replicas * parallel <= nodes * per_node
    mounts = shared or min(nodes, replicas) == 1
    assert (not reader.problems) == (fits and mounts)
    if not reader.problems:
        most = settings.replicas.max + settings.surge_replicas
        assert most <= settings.pool.node_count * settings.replicas_per_node


@pytest.mark.parametrize(
    ("values", "surge"),
    [
        ({}, 0),
        ({"gpusPerNode": 2}, 1),
        ({"nodeCount": 2}, 0),
        ({**SHARED, "nodeCount": 2}, 1),
        ({**SHARED, "nodeCount": 2, "maxReplicas": 2}, 0),
        (KARPENTER, 0),
        ({**KARPENTER, **SHARED}, 1),
        ({**KARPENTER, **SHARED, "maxReplicas": 4, "gpuQuota": 4}, 0),
        ({**KARPENTER, **SHARED, "maxReplicas": 4, "gpuQuota": 5}, 1),
    ],
)
def test_a_rollout_adds_a_replica_only_where_a_gpu_and_the_weights_are_there(
    values: Mapping[str, object], surge: int
) -> None:
    assert settings_of(values).surge_replicas == surge


@pytest.mark.parametrize("parallel", [1, 2, 4])
def test_whole_replicas_fill_a_node(parallel: int) -> None:
    settings = settings_of({"gpusPerNode": 8, "tensorParallel": parallel})
    assert settings.replicas_per_node * parallel == 8


@pytest.mark.parametrize(
    ("image", "version"),
    [
        (f"docker.io/vllm/vllm-openai:v0.18.0@{DIGEST}", (0, 18, 0)),
        (f"registry.internal:5000/mirror/vllm:v1.2.30-cu129@{DIGEST}", (1, 2, 30)),
    ],
)
def test_the_version_of_the_engine_is_that_of_its_tag(image: str, version: tuple[int, ...]) -> None:
    engine = settings_of({"engineImage": image}).engine
    assert (engine.image, engine.version) == (image, version)


def test_prices_and_rates_are_read_exactly() -> None:
    settings = settings_of(
        {
            **OWNED,
            "electricityPricePerKwh": "0.1234567890123456789",
            "priceOverrides": {"control-plane/eks": "73.10"},
            "measuredOutputTokensPerSecond": "812.5",
        }
    )
    price = settings.pricing.owned.electricity_price_per_kwh
    assert price == Decimal("0.1234567890123456789")
    assert settings.pricing.overrides == {"control-plane/eks": Decimal("73.10")}
    assert settings.engine.measured_output_tokens_per_second == Decimal("812.5")


def test_what_an_owned_node_costs_is_asked_for_only_if_nodes_are_owned() -> None:
    assert settings_of({}).pricing.owned.purchase_price == 0
    assert settings_of({}).pricing.node_price_per_hour is None
    assert settings_of({}).weights.hub_token_secret is None


@pytest.mark.parametrize(
    "network", ["10.0.0.0/8", "172.16.0.0/12", "192.168.7.0/24", "100.64.0.0/10", "fd12::/16"]
)
def test_private_networks_may_call(network: str) -> None:
    settings = settings_of({"exposure": "internal-load-balancer", "clientNetworks": [network]})
    assert settings.network.client_networks == (network,)


@pytest.mark.parametrize(
    "values",
    [
        {**KARPENTER, "nodeLabels": '{"nvidia.com/gpu.present":"true"}', "nodeTaints": "[ ]"},
        {"clientNetworks": []},
        {"cloud": "lambda", "controlPlane": "eks"},
    ],
)
def test_what_is_stated_as_its_default_is_not_stated_in_vain(values: Mapping[str, object]) -> None:
    assert problems_of(values) == ()
