"""What watches the stack: Prometheus, GPU metrics, runbooks, and where traces go."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from breakeven.addresses import is_of_a_machine
from breakeven.settings.fields import LABEL, Boolean, Form, Group, KubernetesName, matching

_SERVICE = re.compile(rf"{LABEL}\.(?P<namespace>{LABEL})\.svc(\.cluster\.local)?")


class TracingEndpoint(BaseModel):
    """The OpenTelemetry collector: a Service's `namespace`, or None where `host` is an address."""

    model_config = ConfigDict(frozen=True)

    scheme: str
    host: str
    port: int
    namespace: str | None

    @property
    def url(self) -> str:
        """Where vLLM sends spans to, by gRPC; https is encrypted (seen with vLLM 0.24)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def _endpoint(text: str) -> TracingEndpoint:
    parts = urlsplit(text)
    host, port = parts.hostname or "", parts.port
    service = _SERVICE.fullmatch(host)
    usable = service is not None or is_of_a_machine(ipaddress.ip_address(host))
    # A path, a user or a query would be lost.
    bare = not (parts.path or parts.query or parts.fragment or parts.username)
    if parts.scheme not in ("http", "https") or not usable or not port or not bare:
        raise ValueError(text)
    return TracingEndpoint(
        scheme=parts.scheme,
        host=host,
        port=port,
        namespace=service["namespace"] if service else None,
    )


_Endpoint = Annotated[
    TracingEndpoint | None,
    Form(
        _endpoint,
        allowed="http://SERVICE.NAMESPACE.svc:4317, or https, or the IP address of another machine "
        "instead of the Service; the port accepts OTLP over gRPC; network rules cannot allow "
        "other host names",
        empty=None,
    ),
]


class MonitoringSettings(Group):
    """What watches the stack. `tracing_endpoint` is None where no traces are sent."""

    enabled: Boolean = Field(
        default=True,
        description="Create a PodMonitor, alert rules, and dashboards; requires the Prometheus "
        "operator's custom resources. If false with replicas.autoscaling, something else "
        "must scrape vLLM, or no replica is added",
    )
    namespace: KubernetesName = Field(
        default="monitoring",
        description="Namespace of Prometheus and Grafana",
    )
    prometheus_address: Annotated[
        str,
        matching(r"https?://[a-z0-9.-]+(:\d+)?(/\S*)?", "http://SERVICE.NAMESPACE.svc:PORT"),
    ] = Field(
        default="http://prometheus-operated.monitoring.svc:9090",
        description="Address of the Prometheus that scrapes vLLM; KEDA queries it",
    )
    gpu_metrics: Boolean = Field(
        default=True,
        description="Whether the GPU vendor's exporter (NVIDIA's DCGM exporter, AMD's device "
        "metrics exporter) runs in the cluster and Prometheus scrapes it; adds GPU alerts and "
        "panels",
    )
    runbooks: Annotated[
        str,
        matching(
            r"(https?://[^\s/]+/)?[\w.~/-]*[\w.~-]",
            "an address such as https://wiki.example/runbooks, or a path; without a trailing slash",
        ),
    ] = Field(
        default="docs/runbooks",
        description="Location of docs/runbooks for alerts: an address on your web server, or a "
        "path in this repository",
    )
    tracing_endpoint: _Endpoint = Field(
        default=None,
        description="OpenTelemetry collector for vLLM's traces: http or https, "
        "SERVICE.NAMESPACE.svc or an IP address, and its gRPC port; empty for "
        "none",
    )
