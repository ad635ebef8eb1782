"""Reads what watches the stack: objectives, GPU metrics, runbooks, and where traces go."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from breakeven.addresses import is_of_a_machine
from breakeven.settings.fields import LABEL, LABEL_ALLOWED
from breakeven.settings.groups import MonitoringSettings, TracingEndpoint
from breakeven.settings.reader import ConfigReader
from breakeven.settings.stack import Settings

_SERVICE = re.compile(rf"{LABEL}\.(?P<namespace>{LABEL})\.svc(\.cluster\.local)?")
_COLLECTOR = (
    "Allowed: http://SERVICE.NAMESPACE.svc:4317, or https, or the IP address of another machine "
    "in the Service's place; the port takes OTLP by gRPC; other names can't be let through the "
    "network rules"
)


def read_monitoring(reader: ConfigReader) -> MonitoringSettings:
    """Reads the settings of monitoring and tracing."""
    return MonitoringSettings(
        enabled=reader.boolean("monitoring"),
        namespace=reader.text("monitoringNamespace", pattern=LABEL, allowed=LABEL_ALLOWED),
        prometheus_address=reader.text(
            "prometheusAddress",
            pattern=r"https?://[a-z0-9.-]+(:\d+)?(/\S*)?",
            allowed="Allowed: http://SERVICE.NAMESPACE.svc:PORT",
        ),
        gpu_metrics=reader.boolean("gpuMetrics"),
        runbooks=reader.text(
            "runbooks",
            pattern=r"(https?://[^\s/]+/)?[\w.~/-]*[\w.~-]",
            allowed="Allowed: an address such as https://wiki.example/runbooks, or a path; no "
            "slash at its end",
        ),
        tracing_endpoint=_tracing(reader),
    )


def check_monitoring(settings: Settings, reader: ConfigReader) -> None:
    """Rejects traces that would leave the network although prompts must stay inside."""
    tracing = settings.monitoring.tracing_endpoint
    if (
        tracing is None
        or tracing.namespace is not None
        or settings.network.data_may_leave
        or not reader.usable("tracingEndpoint", "dataMayLeave")
    ):
        return
    if ipaddress.ip_address(tracing.host).is_global:
        reader.reject(
            "tracingEndpoint",
            f"{tracing.host} is a public address, but dataMayLeave is false",
            "Allowed: a collector in the cluster (http://SERVICE.NAMESPACE.svc:4317) or at a "
            "private address",
        )


def _tracing(reader: ConfigReader) -> TracingEndpoint | None:
    value = reader.text("tracingEndpoint")
    if not value:
        return None
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    host = parts.hostname or ""
    service = _SERVICE.fullmatch(host)
    address = _address(host)
    usable = service is not None or (address is not None and is_of_a_machine(address))
    # A path, a user or a query would be lost.
    bare = not (parts.path or parts.query or parts.fragment or parts.username)
    if parts.scheme not in ("http", "https") or not usable or not port or not bare:
        reader.reject("tracingEndpoint", f'found "{value}"', _COLLECTOR)
        return None
    return TracingEndpoint(
        scheme=parts.scheme,
        host=host,
        port=port,
        namespace=service["namespace"] if service else None,
    )


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
