"""Takes the schemas of custom resources from the Go modules of the projects that own them.

`make schemas` runs it; it needs Go and the module proxy. Each file is the CRD of one version of a
project, under Apache-2.0, without its descriptions and its status: nothing else is changed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Source:
    """A CRD file in a Go module."""

    module: str
    version: str
    path: str


_KARPENTER = "pkg/apis/crds"
_PROMETHEUS = "example/prometheus-operator-crd"

SOURCES = (
    Source("sigs.k8s.io/karpenter", "v1.13.0", f"{_KARPENTER}/karpenter.sh_nodepools.yaml"),
    Source(
        "github.com/aws/karpenter-provider-aws",
        "v1.13.1",
        f"{_KARPENTER}/karpenter.k8s.aws_ec2nodeclasses.yaml",
    ),
    Source(
        "github.com/Azure/karpenter-provider-azure",
        "v1.5.1",
        f"{_KARPENTER}/karpenter.azure.com_aksnodeclasses.yaml",
    ),
    Source(
        "sigs.k8s.io/cluster-api",
        "v1.14.2",
        "core/config/crd/bases/cluster.x-k8s.io_machinedeployments.yaml",
    ),
    Source(
        "sigs.k8s.io/lws",
        "v0.8.0",
        "config/crd/bases/leaderworkerset.x-k8s.io_leaderworkersets.yaml",
    ),
    Source(
        "sigs.k8s.io/gateway-api",
        "v1.4.0",
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    ),
    Source(
        "sigs.k8s.io/gateway-api",
        "v1.4.0",
        "config/crd/standard/gateway.networking.k8s.io_backendtlspolicies.yaml",
    ),
    Source(
        "sigs.k8s.io/gateway-api-inference-extension",
        "v1.5.0",
        "config/crd/bases/inference.networking.k8s.io_inferencepools.yaml",
    ),
    Source(
        "github.com/cert-manager/cert-manager",
        "v1.19.1",
        "deploy/crds/cert-manager.io_certificates.yaml",
    ),
    Source("github.com/kedacore/keda/v2", "v2.20.2", "config/crd/bases/keda.sh_scaledobjects.yaml"),
    Source(
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        f"{_PROMETHEUS}/monitoring.coreos.com_podmonitors.yaml",
    ),
    Source(
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        f"{_PROMETHEUS}/monitoring.coreos.com_prometheusrules.yaml",
    ),
)


def main() -> None:
    """Writes a file for each served version of each CRD."""
    for source in SOURCES:
        folder = _download(source)
        crd = yaml.safe_load((folder / source.path).read_text(encoding="utf-8"))
        for name, schema in _schemas(crd, source):
            text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
            (HERE / name).write_text(f"{text}\n", encoding="utf-8")
            sys.stdout.write(f"{name} from {source.module} {source.version}\n")


def _download(source: Source) -> Path:
    with tempfile.TemporaryDirectory() as empty:
        answer = subprocess.run(
            ["go", "mod", "download", "-json", f"{source.module}@{source.version}"],
            cwd=empty,
            check=True,
            capture_output=True,
            text=True,
        )
    return Path(json.loads(answer.stdout)["Dir"])


def _schemas(crd: dict[str, Any], source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    spec = crd["spec"]
    served = [one for one in spec["versions"] if one["served"] and not one.get("deprecated")]
    has_v1 = any(version["name"] == "v1" for version in served)
    for version in served:
        if version["name"] == "v1" or not has_v1:
            kind = spec["names"]["kind"]
            yield (
                f"{spec['group']}_{version['name']}_{kind}.json",
                {
                    "source": f"{source.module} {source.version}, {source.path}",
                    "licence": "Apache-2.0",
                    "changes": "taken from its YAML; descriptions and status left out",
                    "scope": spec["scope"],
                    "schema": _bare(version["schema"]["openAPIV3Schema"]),
                },
            )


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    properties = {key: value for key, value in schema["properties"].items() if key != "status"}
    bare: dict[str, Any] = _without_descriptions({**schema, "properties": properties})
    return bare


def _without_descriptions(node: Any, *, names: bool = False) -> Any:
    """Leaves out descriptions; under "properties" the keys are names, and one may be that word."""
    if isinstance(node, list):
        return [_without_descriptions(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_descriptions(value, names=key == "properties" and not names)
        for key, value in node.items()
        if names or key != "description" or not isinstance(value, str)
    }


if __name__ == "__main__":
    main()
