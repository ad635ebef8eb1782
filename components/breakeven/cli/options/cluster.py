"""Options of commands that talk to a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

KubeconfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--kubeconfig",
        help="Kubeconfig file. Default: KUBECONFIG, or ~/.kube/config.",
        metavar="FILE",
    ),
]
ContextOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--context", help="Context of the kubeconfig. Default: the current one."),
]
NamespaceOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--namespace", "-n", help="Namespace of the stack, instead of network.namespace."),
]
PrometheusOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--prometheus",
        metavar="URL",
        help="Address of Prometheus. Default: monitoring.prometheusAddress, through the API "
        "server's proxy if it is a Service.",
    ),
]


def namespace_change(namespace: str | None) -> dict[str, object]:
    """Returns the setting that --namespace overrides."""
    return {"network.namespace": namespace} if namespace else {}
