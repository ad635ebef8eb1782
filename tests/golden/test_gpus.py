"""Stacks on GPUs that no shipped stack has: AMD, Blackwell in NVFP4, a MIG profile, a time slice.

Their tables and the pods that serve, compared with files that a person can read; `make golden`
regenerates them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.location import PyTestLocation

from breakeven.catalog.engines import deployed_release
from breakeven.manifests.render import render
from breakeven.manifests.yaml_text import yaml_text
from breakeven.planning.offline import load_values
from breakeven.reports.estimate_text import render as table
from breakeven.settings.files import with_settings
from tests.golden.one_file import OneFile

pytestmark = pytest.mark.filterwarnings("ignore:[\\s\\S]*Consider adding")

TODAY = date(2026, 11, 24)
OWNED: Mapping[str, object] = {
    "pool.kind": "existing",
    "pool.gpusPerNode": 8,
    "pricing.nodes": "owned",
    "pricing.cloud": "none",
    "pricing.region": "",
    "pricing.controlPlane": "none",
    "pricing.systemNodeCount": 0,
    "pricing.owned.purchasePrice": 250_000,
    "pricing.owned.powerWatts": 9_000,
    "pricing.owned.electricityPricePerKwh": "0.12",
    "pricing.overrides": {"volume/none/local-nvme": "0"},
    "weights.storageClass": "local-nvme",
    "network.dataMayLeave": False,
    "traffic.tokensPerDay": 400_000_000,
}
STACKS: Mapping[str, Mapping[str, object]] = {
    "mi300x": {
        **OWNED,
        "model.name": "llama-3.3-70b-instruct",
        "model.repository": "meta-llama/Llama-3.3-70B-Instruct",
        "model.revision": "6f6073b423013f6a7d4d9f39144961bfbfbc386b",
        "engine.image": deployed_release().images["amd"].reference,
        "pool.gpu": "mi300x",
        "pool.nodeLabels": {"feature.node.kubernetes.io/amd-gpu": "true"},
        "replicas.autoscaling": False,
        "replicas.min": 8,
        "replicas.max": 8,
    },
    "b200-nvfp4": {
        **OWNED,
        "model.name": "minimax-m2.5-nvfp4",
        "pool.gpu": "b200",
        "engine.tensorParallel": 2,
        "replicas.autoscaling": False,
        "replicas.min": 4,
        "replicas.max": 4,
    },
    # 8 GPUs of 3 instances each.
    "h100-mig": {
        **OWNED,
        "pool.gpu": "h100/2g.20gb",
        "pool.gpusPerNode": 24,
        "pool.nodeLabels": {"nvidia.com/mig.config": "all-2g.20gb"},
        "replicas.autoscaling": False,
        "replicas.min": 24,
        "replicas.max": 24,
    },
    # 8 GPUs of 2 time slices each.
    "h100-shared": {
        **OWNED,
        "pool.gpu": "h100/shared-2",
        "pool.gpusPerNode": 16,
        "pool.nodeLabels": {"nvidia.com/device-plugin.config": "shared-2"},
        "replicas.autoscaling": False,
        "replicas.min": 16,
        "replicas.max": 16,
    },
}


class _OfGpus(OneFile):
    @classmethod
    def folder(cls, test_location: PyTestLocation) -> str:  # noqa: ARG003  # one for both tests
        return "gpus"


class _Text(_OfGpus):
    file_extension = "txt"


class _Yaml(_OfGpus):
    file_extension = "yaml"


@pytest.mark.parametrize("name", STACKS)
def test_table_of_a_gpu(name: str, snapshot: SnapshotAssertion) -> None:
    loaded = load_values(name, with_settings({}, STACKS[name]), TODAY)
    assert table(loaded.report()) == snapshot(extension_class=_Text, name=name)


@pytest.mark.parametrize("name", STACKS)
def test_pods_of_a_gpu(name: str, snapshot: SnapshotAssertion) -> None:
    loaded = load_values(name, with_settings({}, STACKS[name]), TODAY)
    [pods] = [
        resource.manifest["spec"]["template"]["spec"]
        for resource in render(loaded.stack)
        if resource.manifest["kind"] == "Deployment" and "vllm" in str(resource.manifest)
    ]
    [engine] = [each for each in pods["containers"] if "gpu-memory" in str(each.get("args"))]
    shown = {
        "image": engine["image"],
        "args": engine["args"],
        "resources": engine["resources"],
        "nodeSelector": pods["nodeSelector"],
        "tolerations": pods["tolerations"],
    }
    assert yaml_text(shown) == snapshot(extension_class=_Yaml, name=name)
