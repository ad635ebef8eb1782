"""All errors of a stack file are reported together, each once, by key, with a fix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.models import ModelFacts, load_models
from breakeven.errors import Problem
from breakeven.planning.checks import serving_conflicts
from breakeven.settings.files import stack_names, stack_values, with_settings
from breakeven.settings.mistakes.findings import keys_of
from breakeven.settings.mistakes.old_keys import OLD_KEYS
from breakeven.settings.parse import GROUPS, in_order, parse, told
from breakeven.settings.stack import Settings, Stack
from tests.each import each
from tests.pools import CLUSTER_API

DIGEST = "sha256:" + "0" * 64
COMMIT = "0" * 40

KARPENTER = {
    "pool.kind": "karpenter-aws",
    "pool.instanceTypes": '["g6.xlarge"]',
    "pool.karpenter.nodeRole": "KarpenterNodeRole-test",
    "pool.karpenter.discoveryTag": "test",
}
AZURE = {
    "pool.kind": "karpenter-azure",
    "pricing.cloud": "azure",
    "pool.gpu": "h100-nvl",
    "pool.instanceTypes": '["Standard_NC40ads_H100_v5"]',
}
SCALED = {**KARPENTER, "weights.accessMode": "ReadWriteMany", "replicas.max": 4}
GKE = {
    "pool.kind": "gke-compute-class",
    "pricing.cloud": "gcp",
    "pool.instanceTypes": '["g2-standard-8"]',
}
OWNED = {
    "pricing.nodes": "owned",
    "pricing.owned.purchasePrice": "290000",
    "pricing.owned.powerWatts": "6500",
    "pricing.owned.electricityPricePerKwh": "0.12",
}
SHARED = {"weights.accessMode": "ReadWriteMany"}


def read(values: Mapping[str, object]) -> tuple[Settings, tuple[Problem, ...]]:
    """Settings and problems of what is stated by dotted key, with those of memory."""
    stack, problems = parse(with_settings({}, values))
    [settings] = stack.models
    return settings, told(problems, settings, serving_conflicts(settings))


def problems_of(values: Mapping[str, object]) -> tuple[Problem, ...]:
    return in_order(read(values)[1])


def settings_of(values: Mapping[str, object]) -> Settings:
    settings, problems = read(values)
    assert problems == ()
    return settings


class Mistake(NamedTuple):
    """What a stack states, and the one problem that it must give."""

    values: Mapping[str, object]
    key: str
    found: str
    allowed: str


MISTAKES: Mapping[str, Mistake] = {
    "unknown key": Mistake(
        {"tokenPerDay": 5}, "tokenPerDay", "unknown setting", "Did you mean 'traffic.tokensPerDay'?"
    ),
    "unknown key like no other": Mistake(
        {"zzz": 5}, "zzz", "unknown setting", "docs/settings.md lists all settings"
    ),
    "a word for a number": Mistake(
        {"replicas.max": "many"}, "replicas.max", '"many"', "a whole number, 1 to 1,000"
    ),
    "a fraction for a whole number": Mistake(
        {"pool.nodeCount": 1.5}, "pool.nodeCount", '"1.5"', "a whole number, 1 to 1,000"
    ),
    "a word for a rate": Mistake(
        {"traffic.burstFactor": "fast"}, "traffic.burstFactor", '"fast"', "a number, 1 to 20"
    ),
    "a word for yes or no": Mistake(
        {"replicas.autoscaling": "yes"}, "replicas.autoscaling", '"yes"', "true or false"
    ),
    "a word for a list": Mistake(
        {**KARPENTER, "pool.instanceTypes": "g6.xlarge"},
        "pool.instanceTypes",
        '"g6.xlarge"',
        "a list",
    ),
    "a list for a mapping": Mistake(
        {"pool.nodeLabels": ["gpu"]}, "pool.nodeLabels", '["gpu"]', "a mapping"
    ),
    "a label that is not a string": Mistake(
        {"pool.nodeLabels": {"gpu": True}},
        "pool.nodeLabels",
        '"gpu"',
        "put numbers and true in quotes",
    ),
    "a price that is not a number": Mistake(
        {"pricing.overrides": {"control-plane/eks": "free"}},
        "pricing.overrides",
        '"free" for "control-plane/eks"',
        "a number, 0 to",
    ),
    "a number out of range": Mistake(
        {"engine.gpuMemoryUtilization": "1.0"},
        "engine.gpuMemoryUtilization",
        '"1.0"',
        "a number, 0.50 to 0.95",
    ),
    "an unknown model": Mistake(
        {"model.name": "llama-3.1-8b"},
        "model.name",
        '"llama-3.1-8b"',
        "Closest: llama-3.1-8b-instruct",
    ),
    "an unknown gpu": Mistake({"pool.gpu": "H100"}, "pool.gpu", '"H100"', "Closest: h100"),
    "an unknown precision": Mistake(
        {"model.precision": "fp7"}, "model.precision", '"fp7"', "Closest: fp8"
    ),
    "an unknown pool": Mistake(
        {"pool.kind": "karpenter-gcp"}, "pool.kind", '"karpenter-gcp"', "Closest: karpenter-aws"
    ),
    "an engine for the GPUs of another vendor": Mistake(
        {
            "pool.gpu": "mi300x",
            "pool.nodeLabels": {"feature.node.kubernetes.io/amd-gpu": "true"},
        },
        "engine.image",
        "is built for NVIDIA GPUs, but pool.gpu is mi300x",
        "vLLM built for ROCm",
    ),
    "a precision that the checkpoint does not have": Mistake(
        {"model.name": "gpt-oss-20b", "model.precision": "fp8"},
        "model.precision",
        "fp8, but the checkpoint of gpt-oss-20b is stored in mxfp4 (mxfp4)",
        "checkpoint, mxfp4",
    ),
    "node images that change by themselves": Mistake(
        {**KARPENTER, "pool.karpenter.nodeImage": "al2023@latest"},
        "pool.karpenter.nodeImage",
        '"al2023@latest"',
        "al2023@vRELEASE",
    ),
    "two GPUs per replica on nodes of one": Mistake(
        {"engine.tensorParallel": 2},
        "engine.tensorParallel",
        "2 GPUs per replica on nodes of 1",
        "set pool.gpusPerNode to a multiple of 2",
    ),
    "replicas that do not fill a node": Mistake(
        {"engine.tensorParallel": 2, "pool.gpusPerNode": 3},
        "engine.tensorParallel",
        "2 GPUs per replica on nodes of 3",
        "a divisor of 3",
    ),
    "three GPUs a replica": Mistake(
        {"engine.tensorParallel": 3}, "engine.tensorParallel", '"3"', "Allowed: 1, 2, 4, 8"
    ),
    "heads that do not split": Mistake(
        {"engine.tensorParallel": 8, "pool.gpusPerNode": 8},
        "engine.tensorParallel",
        "28 attention heads and 4 key-value heads",
        "Allowed: 1, 2, 4",
    ),
    "key-value heads that do not split": Mistake(
        {
            "model.name": "phi-4",
            "pool.gpu": "h100",
            "engine.tensorParallel": 4,
            "pool.gpusPerNode": 4,
        },
        "engine.tensorParallel",
        "40 attention heads and 10 key-value heads of phi-4",
        "Allowed: 1, 2",
    ),
    "a model beyond the memory": Mistake(
        {"model.name": "llama-3.3-70b-instruct"},
        "pool.gpu",
        "llama-3.3-70b-instruct in bf16 does not fit 1 x l4: weights take 131.4 GiB",
        "Would fit: ",
    ),
    "requests beyond the memory": Mistake(
        {"engine.gpuMemoryUtilization": "0.75", "model.maxLength": 32768},
        "pool.gpu",
        "for requests of 32,768 tokens",
        "or lower model.maxLength",
    ),
    "requests beyond the model": Mistake(
        {"model.maxLength": 65536}, "model.maxLength", "supports 32,768", "Allowed: up to 32,768"
    ),
    "a mean request beyond the longest": Mistake(
        {"model.maxLength": 1024},
        "model.maxLength",
        "an average request has 1,280",
        "1,280 or more",
    ),
    "a branch for a commit": Mistake(
        {"model.revision": "main"}, "model.revision", '"main"', "a commit of 40 hexadecimal digits"
    ),
    "a short commit": Mistake(
        {"model.revision": "a09a354"}, "model.revision", '"a09a354"', "40 hexadecimal digits"
    ),
    "a repository without owner": Mistake(
        {"model.repository": "Qwen2.5"}, "model.repository", '"Qwen2.5"', "OWNER/NAME"
    ),
    "an image without digest": Mistake(
        {"engine.image": "docker.io/vllm/vllm-openai:v0.24.0"},
        "engine.image",
        "vllm-openai:v0.24.0",
        "both tag and digest",
    ),
    "an image without tag": Mistake(
        {"engine.image": f"docker.io/vllm/vllm-openai@{DIGEST}"},
        "engine.image",
        "vllm-openai@sha256",
        "both tag and digest",
    ),
    "the latest image": Mistake(
        {"engine.image": f"docker.io/vllm/vllm-openai:latest@{DIGEST}"},
        "engine.image",
        ":latest@",
        "never latest",
    ),
    "an engine that cuts requests off": Mistake(
        {"engine.image": f"docker.io/vllm/vllm-openai:v0.17.1@{DIGEST}"},
        "engine.image",
        "vLLM 0.17.1 cannot finish running requests",
        "0.18 or newer",
    ),
    "a name that is none": Mistake(
        {"engine.apiKeySecret": "Key_1"}, "engine.apiKeySecret", '"Key_1"', "a Kubernetes name"
    ),
    "fewest over most replicas": Mistake(
        {**KARPENTER, **SHARED, "replicas.min": 3, "replicas.max": 2},
        "replicas.min",
        "3 is more than replicas.max 2",
        "or raise replicas.max",
    ),
    "two numbers of replicas without autoscaling": Mistake(
        {**KARPENTER, "replicas.autoscaling": False, "replicas.min": 1, "replicas.max": 2},
        "replicas.max",
        "2 differs from replicas.min 1 with replicas.autoscaling off",
        "or set replicas.autoscaling to true",
    ),
    "the same on nodes that hold fewer": Mistake(
        {"replicas.autoscaling": False, "replicas.min": 1, "replicas.max": 4},
        "replicas.max",
        "4 differs from replicas.min 1",
        "or set replicas.autoscaling to true",
    ),
    "more replicas than nodes that are there hold": Mistake(
        {**SHARED, "replicas.max": 3, "pool.nodeCount": 2},
        "replicas.max",
        "3 replicas, but pool.nodeCount 2 x pool.gpusPerNode 1 hold 2 of engine.tensorParallel 1",
        "up to 2, or more nodes",
    ),
    "weights of one node on two that are there": Mistake(
        {"pool.nodeCount": 2, "replicas.max": 2},
        "weights.accessMode",
        "ReadWriteOnce with replicas on up to 2 nodes",
        "ReadWriteMany",
    ),
    "weights of one node on three that start": Mistake(
        {**KARPENTER, "replicas.max": 5, "pool.gpusPerNode": 2, "engine.tensorParallel": 1},
        "weights.accessMode",
        "ReadWriteOnce with replicas on up to 3 nodes",
        "ReadWriteMany",
    ),
    "karpenter without role": Mistake(
        {**KARPENTER, "pool.karpenter.nodeRole": ""},
        "pool.karpenter.nodeRole",
        "empty",
        "karpenter-aws",
    ),
    "karpenter without tag": Mistake(
        {**KARPENTER, "pool.karpenter.discoveryTag": ""},
        "pool.karpenter.discoveryTag",
        "empty",
        "karpenter-aws",
    ),
    "karpenter without machine types": Mistake(
        {**KARPENTER, "pool.instanceTypes": []}, "pool.instanceTypes", "empty", "karpenter-aws"
    ),
    "karpenter without capacity types": Mistake(
        {**KARPENTER, "pool.capacityTypes": []}, "pool.capacityTypes", "empty", "karpenter-aws"
    ),
    "karpenter on another cloud": Mistake(
        {**KARPENTER, "pricing.cloud": "gcp"},
        "pricing.cloud",
        '"gcp"',
        "with pool karpenter-aws: aws",
    ),
    "a reservation where AKS has none": Mistake(
        {**AZURE, "pool.capacityTypes": ["reserved", "spot"]},
        "pool.capacityTypes",
        "found reserved",
        "on-demand, spot; AKS node auto-provisioning uses no capacity reservations",
    ),
    "AKS on another cloud": Mistake(
        {**AZURE, "pricing.cloud": "aws"},
        "pricing.cloud",
        '"aws"',
        "with pool karpenter-azure: azure",
    ),
    "a compute class on another cloud": Mistake(
        {**GKE, "pricing.cloud": "azure"},
        "pricing.cloud",
        '"azure"',
        "with pool gke-compute-class: gcp",
    ),
    "a GPU that GKE does not have": Mistake(
        {**GKE, "pool.gpu": "l40s"}, "pool.gpu", '"l40s"', "with pool gke-compute-class: t4, l4"
    ),
    "a GPU whose machines take no disk that is priced": Mistake(
        {**GKE, "pool.gpu": "rtx-pro-6000"},
        "pool.gpu",
        '"rtx-pro-6000"',
        "boot from Hyperdisk only",
    ),
    "a reservation without name": Mistake(
        {**GKE, "pool.capacityTypes": ["reserved", "spot"]},
        "pool.gke.reservations",
        "empty, with reserved in pool.capacityTypes",
        "remove reserved",
    ),
    "a reservation of an impossible name": Mistake(
        {**GKE, "pool.gke.reservations": ["Mine"]}, "pool.gke.reservations", '"Mine"', "names of"
    ),
    "a service account of another form": Mistake(
        {**GKE, "pool.gke.serviceAccount": "me@example.com"},
        "pool.gke.serviceAccount",
        '"me@example.com"',
        "NAME@PROJECT.iam.gserviceaccount.com",
    ),
    "machines of Cluster API without a cluster": Mistake(
        {**CLUSTER_API, "pool.clusterApi.cluster": ""},
        "pool.clusterApi.cluster",
        "empty",
        "cluster-api",
    ),
    "machines of Cluster API without a version": Mistake(
        {**CLUSTER_API, "pool.clusterApi.version": ""},
        "pool.clusterApi.version",
        "empty",
        "cluster-api",
    ),
    "machines of Cluster API of a short version": Mistake(
        {**CLUSTER_API, "pool.clusterApi.version": "1.35"},
        "pool.clusterApi.version",
        '"1.35"',
        "v1.35.4",
    ),
    "machines of Cluster API without a template": Mistake(
        {**CLUSTER_API, "pool.clusterApi.machineTemplate": ""},
        "pool.clusterApi.machineTemplate",
        "empty",
        "cluster-api",
    ),
    "machines of Cluster API from none": Mistake(
        {**CLUSTER_API, "replicas.min": 0, "gateway.mode": "hybrid", "gateway.teams": {"chat": {}}},
        "replicas.min",
        "0 with pool cluster-api",
        "1 or more",
    ),
    "a template without its group": Mistake(
        {**CLUSTER_API, "pool.clusterApi.bootstrapTemplate": "KubeadmConfigTemplate/gpu"},
        "pool.clusterApi.bootstrapTemplate",
        "KubeadmConfigTemplate/gpu",
        "GROUP/KIND/NAME",
    ),
    "spot machines of Cluster API": Mistake(
        {**CLUSTER_API, "pool.capacityTypes": ["spot"]},
        "pool.capacityTypes",
        "found spot",
        "on-demand; the machine template says",
    ),
    "no commit to go back to": Mistake(
        {"model.previousRevision": "main"}, "model.previousRevision", '"main"', "40 hexadecimal"
    ),
    "a commit to go back to that is served": Mistake(
        {"model.revision": COMMIT, "model.previousRevision": COMMIT},
        "model.previousRevision",
        "the same commit as model.revision",
        "the commit to roll back to, or empty",
    ),
    "a replica of several nodes that leaves GPUs": Mistake(
        {**SHARED, "engine.pipelineParallel": 2, "pool.nodeCount": 2, "pool.gpusPerNode": 2},
        "engine.tensorParallel",
        "1 of 2 GPUs per node, with engine.pipelineParallel 2",
        "2 (pool.gpusPerNode), or engine.pipelineParallel 1",
    ),
    "a node that no replica fills": Mistake(
        {**SHARED, "engine.pipelineParallel": 2, "pool.nodeCount": 3},
        "pool.nodeCount",
        "3 with engine.pipelineParallel 2",
        "a multiple of 2",
    ),
    "replicas of several nodes on too few": Mistake(
        {**SHARED, "engine.pipelineParallel": 2, "pool.nodeCount": 2, "replicas.max": 2},
        "replicas.max",
        "hold 1 of engine.tensorParallel 1 and engine.pipelineParallel 2",
        "up to 1, or more nodes",
    ),
    "weights of one node for a replica of two": Mistake(
        {"engine.pipelineParallel": 2, "pool.nodeCount": 2},
        "weights.accessMode",
        "ReadWriteOnce with replicas on up to 2 nodes",
        "ReadWriteMany",
    ),
    "a model that fits no single node": Mistake(
        {
            **SHARED,
            "model.name": "llama-3.1-405b-instruct",
            "pool.gpu": "l40s",
            "pool.gpusPerNode": 8,
            "engine.tensorParallel": 8,
            "model.maxLength": 131072,
        },
        "pool.gpu",
        "does not fit 8 x l40s",
        "bf16 on 8 x h200, engine.pipelineParallel 3 with 8 x l40s on each node",
    ),
    "a model that fits not even two nodes": Mistake(
        {
            **SHARED,
            "model.name": "llama-3.1-405b-instruct",
            "pool.gpu": "l40s",
            "pool.gpusPerNode": 8,
            "pool.nodeCount": 2,
            "engine.tensorParallel": 8,
            "engine.pipelineParallel": 2,
        },
        "pool.gpu",
        "does not fit 8 x l40s on each of 2 nodes",
        "Would fit:",
    ),
    "an adapter without commit": Mistake(
        {"model.loraAdapters": ["sql=acme/sql-lora"]},
        "model.loraAdapters",
        "sql=acme/sql-lora",
        "NAME=OWNER/REPOSITORY@COMMIT",
    ),
    "two adapters of one name": Mistake(
        {"model.loraAdapters": [f"sql=acme/one@{COMMIT}", f"sql=acme/two@{COMMIT}"]},
        "model.loraAdapters",
        "two adapters sql",
        "each name once",
    ),
    "too many adapters": Mistake(
        {"model.loraAdapters": [f"a{number}=acme/one@{COMMIT}" for number in range(17)]},
        "model.loraAdapters",
        "17 adapters",
        "up to 16",
    ),
    "an adapter with the name of the model": Mistake(
        {"model.loraAdapters": [f"qwen2.5-7b-instruct=acme/one@{COMMIT}"]},
        "model.loraAdapters",
        "called qwen2.5-7b-instruct",
        "another name",
    ),
    "an adapter of a mixture of experts": Mistake(
        {
            "model.name": "mixtral-8x7b",
            "pool.gpu": "h200",
            "model.loraAdapters": [f"sql=acme/one@{COMMIT}"],
        },
        "model.loraAdapters",
        "a mixture of experts",
        "leave them out",
    ),
    "a rank that vLLM does not have": Mistake(
        {"model.loraMaxRank": 24}, "model.loraMaxRank", '"24"', "8"
    ),
    "adapters that leave no memory": Mistake(
        {
            "engine.gpuMemoryUtilization": "0.85",
            "model.loraMaxRank": 512,
            "model.loraAdapters": [f"a{number}=acme/one@{COMMIT}" for number in range(4)],
        },
        "pool.gpu",
        "does not fit 1 x l4",
        "Would fit",
    ),
    "weights in an image that can move": Mistake(
        {"weights.image": "registry.example.com/models/qwen:latest"},
        "weights.image",
        "models/qwen:latest",
        "@sha256:DIGEST",
    ),
    "a commit to go back to beside an image": Mistake(
        {"weights.image": f"r.example.com/qwen@{DIGEST}", "model.previousRevision": COMMIT},
        "model.previousRevision",
        "a commit together with weights.image",
        "name the earlier image",
    ),
    "a disk too small for the image": Mistake(
        {
            **KARPENTER,
            "weights.image": f"r.example.com/qwen@{DIGEST}",
            "pool.nodeVolumeGigabytes": 50,
        },
        "pool.nodeVolumeGigabytes",
        "50 GB, but each node unpacks",
        "56 or more",
    ),
    "a schedule of another form": Mistake(
        {**SCALED, "replicas.schedule": ["weekdays 8-18 4"]},
        "replicas.schedule",
        "weekdays 8-18 4",
        "mon-fri 08:00-18:00 4",
    ),
    "a schedule that runs backwards": Mistake(
        {**SCALED, "replicas.schedule": ["mon-fri 22:00-06:00 4"]},
        "replicas.schedule",
        "mon-fri 22:00-06:00 4",
        "two entries",
    ),
    "a schedule of days that run backwards": Mistake(
        {**SCALED, "replicas.schedule": ["sat-mon 08:00-18:00 4"]},
        "replicas.schedule",
        "sat-mon 08:00-18:00 4",
        "from Monday to Sunday",
    ),
    "a schedule above the most replicas": Mistake(
        {**SCALED, "replicas.schedule": ["mon 08:00-18:00 5", "tue 08:00-18:00 1"]},
        "replicas.schedule",
        "1, 5 replicas",
        "more than replicas.min 1, up to replicas.max 4",
    ),
    "a schedule that nothing follows": Mistake(
        {"replicas.autoscaling": False, "replicas.schedule": ["mon 08:00-18:00 5"]},
        "replicas.schedule",
        "replicas.autoscaling off",
        "autoscaling to true",
    ),
    "a time zone that is none": Mistake(
        {"replicas.timeZone": "+01:00"}, "replicas.timeZone", '"+01:00"', "Europe/Berlin"
    ),
    "a time zone that nobody knows": Mistake(
        {"replicas.timeZone": "Mars/Base"}, "replicas.timeZone", '"Mars/Base"', "Europe/Berlin"
    ),
    "a Secret whose name Kubernetes refuses": Mistake(
        {"gateway.teamKeysSecret": "a.-b"}, "gateway.teamKeysSecret", '"a.-b"', "a Kubernetes name"
    ),
    "a DNS cache that is not on the node": Mistake(
        {"network.nodeLocalDnsAddress": "10.0.0.10"},
        "network.nodeLocalDnsAddress",
        "10.0.0.10",
        "169.254.20.10",
    ),
    "a DNS cache at an address that is none": Mistake(
        {"network.nodeLocalDnsAddress": "169.254.999.999"},
        "network.nodeLocalDnsAddress",
        "169.254.999.999",
        "169.254.20.10",
    ),
    "a taint with its value": Mistake(
        {"pool.nodeTaints": ["dedicated=llm"]}, "pool.nodeTaints", "dedicated=llm", "keys of taints"
    ),
    "taints of nodes that the pool starts": Mistake(
        {**KARPENTER, "pool.nodeTaints": ["dedicated"]},
        "pool.nodeTaints",
        "has no effect with pool karpenter-aws",
        "with pool existing",
    ),
    "labels of nodes that the pool starts": Mistake(
        {**GKE, "pool.nodeLabels": {"gpu": "l4"}},
        "pool.nodeLabels",
        "has no effect with pool gke-compute-class",
        "with pool existing",
    ),
    "reservations that nothing buys": Mistake(
        {**GKE, "pool.gke.reservations": ["mine"], "pool.capacityTypes": ["on-demand", "spot"]},
        "pool.gke.reservations",
        "with pool gke-compute-class and pool.capacityTypes on-demand, spot",
        "reserved in pool.capacityTypes",
    ),
    "Google's reservations at Amazon": Mistake(
        {**KARPENTER, "pool.gke.reservations": ["mine"], "pool.capacityTypes": ["reserved"]},
        "pool.gke.reservations",
        "with pool karpenter-aws and pool.capacityTypes reserved",
        "with pool gke-compute-class",
    ),
    "networks that no load balancer serves": Mistake(
        {"network.clientNetworks": ["10.0.0.0/8"]},
        "network.clientNetworks",
        "has no effect with network.exposure cluster",
        "internal-load-balancer; for clients in the cluster, use network.clientNamespaces",
    ),
    "a control plane of another cloud": Mistake(
        {**GKE, "pricing.controlPlane": "eks"},
        "pricing.controlPlane",
        "eks with pricing.cloud gcp",
        "gke, or none",
    ),
    "a quota below the peak": Mistake(
        {**KARPENTER, **SHARED, "replicas.max": 5, "pool.gpuQuota": 4},
        "pool.gpuQuota",
        "4 GPUs, but replicas.max 5 takes 5 in whole nodes of 1",
        "a quota of 5, or lower replicas.max",
    ),
    "a quota below the peak of whole nodes": Mistake(
        {**KARPENTER, "replicas.max": 3, "pool.gpusPerNode": 4, "pool.gpuQuota": 3},
        "pool.gpuQuota",
        "3 GPUs, but replicas.max 3 takes 4 in whole nodes of 4",
        "a quota of 4, or lower replicas.max",
    ),
    "a capacity type of another cloud": Mistake(
        {**KARPENTER, "pool.capacityTypes": ["on-demand", "flex"]},
        "pool.capacityTypes",
        '"flex"',
        "reserved, on-demand, spot",
    ),
    "a capacity type twice": Mistake(
        {**KARPENTER, "pool.capacityTypes": ["spot", "spot"]},
        "pool.capacityTypes",
        "spot",
        "each entry once",
    ),
    "nodes that are there without labels": Mistake(
        {"pool.nodeLabels": {}}, "pool.nodeLabels", "empty", "Needed with pool existing"
    ),
    "a load balancer for nobody": Mistake(
        {"network.exposure": "internal-load-balancer"},
        "network.clientNetworks",
        "empty",
        "Needed with network.exposure internal-load-balancer",
    ),
    "a load balancer that nobody keeps private": Mistake(
        {
            "network.exposure": "internal-load-balancer",
            "network.clientNetworks": ["10.0.0.0/8"],
            "pricing.cloud": "lambda",
        },
        "network.exposure",
        "internal-load-balancer with pricing.cloud lambda",
        "with pricing.cloud aws, azure, gcp, none; or set network.exposure to cluster",
    ),
    "the internet as a client": Mistake(
        {"network.exposure": "internal-load-balancer", "network.clientNetworks": ["0.0.0.0/0"]},
        "network.clientNetworks",
        '"0.0.0.0/0"',
        "never exposed to the internet",
    ),
    "a public network as a client": Mistake(
        {
            "network.exposure": "internal-load-balancer",
            "network.clientNetworks": ["10.0.0.0/8", "8.8.8.0/24"],
        },
        "network.clientNetworks",
        '"8.8.8.0/24"',
        "private networks",
    ),
    "a network that is wider than a private one": Mistake(
        {"network.clientNetworks": ["10.0.0.0/7"]},
        "network.clientNetworks",
        '"10.0.0.0/7"',
        "private networks",
    ),
    "an address for a network": Mistake(
        {"network.clientNetworks": ["10.0.0.1/8"]},
        "network.clientNetworks",
        '"10.0.0.1/8"',
        "host bits 0",
    ),
    "a word for a network": Mistake(
        {"network.clientNetworks": ["office"]},
        "network.clientNetworks",
        '"office"',
        "such as 10.0.0.0/8",
    ),
    "the namespace of the monitoring": Mistake(
        {"network.namespace": "monitoring"},
        "network.namespace",
        '"monitoring"',
        "a namespace used only by the model",
    ),
    "the default namespace": Mistake(
        {"network.namespace": "default"},
        "network.namespace",
        '"default"',
        "a namespace used only by the model",
    ),
    "a shape without file": Mistake(
        {"traffic.shape": "office.csv"},
        "traffic.shape",
        '"office.csv"',
        "a file in stacks/traffic/",
    ),
    "a shape outside its folder": Mistake(
        {"traffic.shape": "../../Pulumi.yaml"},
        "traffic.shape",
        '"../../Pulumi.yaml"',
        "a file in stacks/traffic/",
    ),
    "an API without provider": Mistake(
        {"api.inUse": "gpt-4.1-mini"}, "api.inUse", '"gpt-4.1-mini"', "PROVIDER/MODEL"
    ),
    "a hosted API without provider": Mistake(
        {"api.hosted": ["qwen"]}, "api.hosted", '"qwen"', "PROVIDER/MODEL"
    ),
    "a stated price that is not stated": Mistake(
        {"pricing.nodes": "stated"},
        "pricing.nodePricePerHour",
        "no price",
        "USD per hour for a node",
    ),
    "owned without purchase price": Mistake(
        {**OWNED, "pricing.owned.purchasePrice": ""},
        "pricing.owned.purchasePrice",
        "not stated",
        "pricing.nodes owned",
    ),
    "owned without power": Mistake(
        {**OWNED, "pricing.owned.powerWatts": 0},
        "pricing.owned.powerWatts",
        "not stated",
        "pricing.nodes owned",
    ),
    "owned without electricity price": Mistake(
        {**OWNED, "pricing.owned.electricityPricePerKwh": ""},
        "pricing.owned.electricityPricePerKwh",
        "not stated",
        "pricing.nodes owned",
    ),
    "power without losses": Mistake(
        {**OWNED, "pricing.owned.powerUsageEffectiveness": "0.9"},
        "pricing.owned.powerUsageEffectiveness",
        '"0.9"',
        "a number, 1 to 3",
    ),
    "a budget of nothing": Mistake(
        {"pricing.budgetPerMonth": "0"},
        "pricing.budgetPerMonth",
        '"0"',
        "a number, 0.01 to 1,000,000,000",
    ),
    "a month of another length": Mistake({"pricing.month": "28d"}, "pricing.month", '"28d"', "30d"),
}

BEYOND_ONE_L4 = [
    model
    for model in load_models().values()
    if model.weight_bytes(model.checkpoint.precision) > 22 * 2**30
]

INDEPENDENT = {
    "tokenPerDay": "5",
    "model.revision": "main",
    "engine.image": "vllm:latest",
    "weights.storageClass": "Fast",
    "pool.capacityTypes": '["flex"]',
    "replicas.targetRequests": "0",
    "monitoring.prometheusAddress": "prometheus",
    "network.clientNetworks": '["0.0.0.0/0"]',
    "traffic.timeToFirstTokenSeconds": "soon",
    "traffic.cachedInputPercent": "96",
    "network.dataMayLeave": "no",
    "api.inUse": "gpt",
    "pricing.nodePricePerHour": "-1",
    "pricing.controlPlane": "ekz",
    "pricing.overrides": '{"a": "b"}',
    "pricing.month": "31d",
    "staffing.engineerSalary": "much",
}
"""Mistakes of one key each; no check over several keys looks at them."""


@pytest.mark.parametrize("stack", stack_names())
def test_every_stack_file_is_without_mistake(stack: str) -> None:
    assert parse(stack_values(stack))[1] == ()


def test_the_defaults_alone_are_without_mistake() -> None:
    assert problems_of({}) == ()


@each("name", MISTAKES)
def test_a_mistake_is_reported_once_by_key_with_its_fix(name: str) -> None:
    mistake = MISTAKES[name]
    [problem] = problems_of(mistake.values)
    assert problem.key == mistake.key
    assert mistake.found in problem.found
    assert mistake.allowed in problem.allowed


@each("name", MISTAKES)
def test_a_problem_reads_as_sentences_on_one_line(name: str) -> None:
    for problem in problems_of(MISTAKES[name].values):
        text = str(problem)
        assert re.fullmatch(rf"breakeven:{re.escape(problem.key)}: \S.*[^.?;, ][.?]", text)
        assert not re.search(r"\.\.(?!/)|;\.|: \.|: ;|  ", text)


@given(st.sets(st.sampled_from(sorted(INDEPENDENT))))
def test_all_mistakes_are_reported_together_and_nothing_else(keys: set[str]) -> None:
    found = problems_of({key: INDEPENDENT[key] for key in keys})
    assert sorted(problem.key for problem in found) == sorted(keys)


def test_mistakes_over_several_keys_are_reported_together() -> None:
    found = problems_of(
        {
            **KARPENTER,
            "model.name": "llama-3.3-70b-instruct",
            "replicas.max": 2,
            "pool.karpenter.nodeRole": "",
            "network.exposure": "internal-load-balancer",
            "pricing.nodes": "stated",
            "network.namespace": "kube-system",
            "maxReplica": 2,
        }
    )
    assert [problem.key for problem in found] == [
        "maxReplica",
        "weights.accessMode",
        "pool.gpu",
        "pool.karpenter.nodeRole",
        "network.namespace",
        "network.clientNetworks",
        "pricing.nodePricePerHour",
    ]


@each(
    "values, key",
    [
        ({"model.name": "unknown", "model.maxLength": 65536}, "model.name"),
        ({"model.name": "llama-3.3-70b-instruct", "pool.gpu": "l44"}, "pool.gpu"),
        ({"model.name": "llama-3.3-70b-instruct", "model.precision": "fp7"}, "model.precision"),
        (
            {"model.name": "llama-3.3-70b-instruct", "engine.gpuMemoryUtilization": "2"},
            "engine.gpuMemoryUtilization",
        ),
        ({"model.name": "llama-3.3-70b-instruct", "model.maxLength": "long"}, "model.maxLength"),
        ({"model.maxLength": 1024, "traffic.inputTokens": "many"}, "traffic.inputTokens"),
        ({"model.maxLength": 1024, "traffic.outputTokens": "0"}, "traffic.outputTokens"),
        ({"engine.tensorParallel": 2, "pool.gpusPerNode": "one"}, "pool.gpusPerNode"),
        ({"engine.tensorParallel": 3, "pool.gpusPerNode": 4}, "engine.tensorParallel"),
        ({"replicas.min": 0, "replicas.max": 5}, "replicas.min"),
        ({"replicas.min": 5, "replicas.max": "few"}, "replicas.max"),
        (
            {"replicas.min": 1, "replicas.max": 2, "replicas.autoscaling": "off"},
            "replicas.autoscaling",
        ),
        ({"replicas.max": 5, "pool.nodeCount": "two"}, "pool.nodeCount"),
        ({"replicas.max": 5, "engine.tensorParallel": 2}, "engine.tensorParallel"),
        ({"replicas.max": 5, "pool.kind": "karpenter"}, "pool.kind"),
        ({"pool.nodeLabels": {}, "pool.kind": "karpenter"}, "pool.kind"),
        (
            {"replicas.max": 2, "pool.nodeCount": 2, "weights.accessMode": "rwo"},
            "weights.accessMode",
        ),
        ({**KARPENTER, "pool.instanceTypes": "g6.xlarge"}, "pool.instanceTypes"),
        ({**KARPENTER, "pool.capacityTypes": ["cheap"]}, "pool.capacityTypes"),
        ({**KARPENTER, "pricing.cloud": "amazon"}, "pricing.cloud"),
        ({"pool.nodeLabels": "gpu"}, "pool.nodeLabels"),
        (
            {"network.exposure": "internal-load-balancer", "network.clientNetworks": "all"},
            "network.clientNetworks",
        ),
        ({"network.exposure": "load-balancer"}, "network.exposure"),
        (
            {"network.namespace": "monitoring", "monitoring.namespace": "Obs"},
            "monitoring.namespace",
        ),
        (
            {"pricing.nodes": "stated", "pricing.nodePricePerHour": "cheap"},
            "pricing.nodePricePerHour",
        ),
        ({"pricing.nodes": "bought"}, "pricing.nodes"),
        ({**OWNED, "pricing.owned.purchasePrice": "much"}, "pricing.owned.purchasePrice"),
        (
            {**OWNED, "pricing.owned.electricityPricePerKwh": "-1"},
            "pricing.owned.electricityPricePerKwh",
        ),
        ({**OWNED, "pricing.owned.powerWatts": "much"}, "pricing.owned.powerWatts"),
    ],
)
def test_a_check_over_several_keys_is_silent_if_one_is_already_reported(
    values: Mapping[str, object], key: str
) -> None:
    assert [problem.key for problem in problems_of(values)] == [key]


KEYS = [key for name, group in GROUPS.items() for key, _ in keys_of(group, name)]
_ODD = st.sampled_from(
    ["", "0", "-1", "1e999", "NaN", "true", "null", 0, 1, 8, True, None, [], {}, ["a"], {"a": 1}]
)


@given(st.dictionaries(st.sampled_from(KEYS), st.one_of(_ODD, st.text())))
def test_no_value_ends_in_anything_but_problems_of_known_keys(values: dict[str, object]) -> None:
    stack, problems = parse(with_settings({}, values))
    assert isinstance(stack, Stack)
    # A check over several keys may name one at its default, where another was stated.
    assert not problems or values
    for problem in problems:
        assert any(problem.key == key or problem.key.startswith(f"{key}.") for key in KEYS)


def test_a_too_long_file_name_is_reported_like_a_missing_file() -> None:
    [problem] = problems_of({"traffic.shape": "a" * 5000})
    assert problem.key == "traffic.shape"


@pytest.mark.parametrize("old", OLD_KEYS)
def test_an_old_key_names_the_new_one(old: str) -> None:
    [problem] = parse({old: "true"})[1]
    assert (problem.key, problem.found) == (old, f"is now {OLD_KEYS[old]}")
    assert "docs/migration.md" in problem.allowed


def test_every_new_key_exists() -> None:
    assert set(OLD_KEYS.values()) <= {*KEYS, "models"}


@each("utilization, model", product(["0.50", "0.95"], BEYOND_ONE_L4))
def test_gpus_that_are_reported_to_fit_do_fit(model: ModelFacts, utilization: str) -> None:
    stated = {
        "model.name": model.name,
        "model.maxLength": min(model.max_model_length, 1_048_576),
        "engine.gpuMemoryUtilization": utilization,
    }
    [problem] = (problem for problem in problems_of(stated) if problem.key == "pool.gpu")
    pattern = r"(\w+) on (?:(\d) nodes of )?(\d) x ([\w-]+)"
    options = re.findall(pattern, problem.allowed)
    assert options
    for precision, nodes, parallel, gpu in options:
        fitting = {
            "model.precision": precision,
            "engine.tensorParallel": parallel,
            "engine.pipelineParallel": nodes or "1",
            "pool.gpu": gpu,
            "pool.gpusPerNode": parallel,
        }
        left = {problem.key for problem in problems_of({**stated, **fitting})}
        assert "pool.gpu" not in left if nodes else left <= {"model.name"}


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
        "replicas.max": replicas,
        "pool.nodeCount": nodes,
        "pool.gpusPerNode": per_node,
        "engine.tensorParallel": parallel,
        "weights.accessMode": "ReadWriteMany" if shared else "ReadWriteOnce",
    }
    settings, problems = read(stated)
    fits = per_node % parallel == 0 and replicas * parallel <= nodes * per_node
    mounts = shared or min(nodes, replicas) == 1
    assert (not problems) == (fits and mounts)
    if not problems:
        most = settings.replicas.max + settings.surge_replicas
        assert most <= settings.pool.node_count * settings.replicas_per_node


@pytest.mark.parametrize(
    ("values", "surge"),
    [
        ({}, 0),
        ({"pool.gpusPerNode": 2}, 1),
        ({"pool.nodeCount": 2}, 0),
        ({**SHARED, "pool.nodeCount": 2}, 1),
        ({**SHARED, "pool.nodeCount": 2, "replicas.max": 2}, 0),
        (KARPENTER, 0),
        ({**KARPENTER, **SHARED}, 1),
        ({**KARPENTER, **SHARED, "replicas.max": 4, "pool.gpuQuota": 4}, 0),
        ({**KARPENTER, **SHARED, "replicas.max": 4, "pool.gpuQuota": 5}, 1),
    ],
)
def test_a_rollout_adds_a_replica_only_where_a_gpu_and_the_weights_are_there(
    values: Mapping[str, object], surge: int
) -> None:
    assert settings_of(values).surge_replicas == surge


@pytest.mark.parametrize("parallel", [1, 2, 4])
def test_whole_replicas_fill_a_node(parallel: int) -> None:
    settings = settings_of({"pool.gpusPerNode": 8, "engine.tensorParallel": parallel})
    assert settings.replicas_per_node * parallel == 8


@pytest.mark.parametrize(
    ("image", "version"),
    [
        (f"docker.io/vllm/vllm-openai:v0.18.0@{DIGEST}", (0, 18, 0)),
        (f"registry.internal:5000/mirror/vllm:v1.2.30-cu129@{DIGEST}", (1, 2, 30)),
    ],
)
def test_the_version_of_the_engine_is_that_of_its_tag(image: str, version: tuple[int, ...]) -> None:
    engine = settings_of({"engine.image": image}).engine
    assert (engine.image, engine.version) == (image, version)


def test_prices_and_rates_are_read_exactly() -> None:
    settings = settings_of(
        {
            **OWNED,
            "pricing.owned.electricityPricePerKwh": "0.1234567890123456789",
            "pricing.overrides": {"control-plane/eks": "73.10"},
            "engine.measuredOutputTokensPerSecond": "812.5",
        }
    )
    price = settings.pricing.owned.electricity_price_per_kwh
    assert price == Decimal("0.1234567890123456789")
    assert settings.pricing.stated_prices == {"control-plane/eks": Decimal("73.10")}
    assert settings.engine.measured_output_tokens_per_second == Decimal("812.5")


def test_the_cost_of_an_owned_node_is_required_only_if_nodes_are_owned() -> None:
    assert settings_of({}).pricing.owned.purchase_price is None
    assert settings_of({}).pricing.node_price_per_hour is None
    assert settings_of({}).weights.hub_token_secret is None


@pytest.mark.parametrize(
    "network", ["10.0.0.0/8", "172.16.0.0/12", "192.168.7.0/24", "100.64.0.0/10", "fd12::/16"]
)
def test_private_networks_may_call(network: str) -> None:
    settings = settings_of(
        {"network.exposure": "internal-load-balancer", "network.clientNetworks": [network]}
    )
    assert settings.network.client_networks == (network,)


@pytest.mark.parametrize(
    "values",
    [
        {
            **KARPENTER,
            "pool.nodeLabels": '{"nvidia.com/gpu.present":"true"}',
            "pool.nodeTaints": "[ ]",
        },
        {"network.clientNetworks": []},
        {"pricing.cloud": "lambda", "pricing.controlPlane": "eks"},
    ],
)
def test_what_is_stated_as_its_default_is_not_stated_in_vain(values: Mapping[str, object]) -> None:
    assert problems_of(values) == ()
