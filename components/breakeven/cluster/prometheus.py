"""Asks a Prometheus: by its address, or through the API server's proxy of its Service."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2

from breakeven.cluster.connection import Cluster
from breakeven.cluster.errors import ClusterError
from breakeven.printable import all_printable

SECONDS = 10.0
"""How long one answer may take."""

_SERVICE = re.compile(r"(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc(\.cluster\.local)?\.?")
_LARGEST_BYTES = 32 << 20
_NOT_PROMETHEUS = "the server there is not Prometheus"


class PrometheusError(ClusterError):
    """Prometheus does not answer, or with something else than an answer of Prometheus."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"Prometheus at {where}: {reason}. Check monitoring.prometheusAddress, or name another "
            "address with --prometheus"
        )


@dataclass(frozen=True)
class Sample:
    """One series at one time.

    Attributes:
        labels: Its labels.
        value: Its value.
    """

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus.

    Attributes:
        where: How messages name it, without credentials.
    """

    where: str
    _get: Callable[[str], str]

    @classmethod
    def at(cls, address: str) -> Prometheus:
        """Asks an address that this machine reaches, such as http://127.0.0.1:9090."""
        base = address.rstrip("/")
        parts = urlsplit(base)
        where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

        def get(path: str) -> str:
            try:
                answer = httpx2.get(f"{base}{path}", timeout=SECONDS)
            except httpx2.HTTPError as error:
                raise PrometheusError(where, _reason(error)) from None
            if len(answer.content) > _LARGEST_BYTES:
                raise PrometheusError(where, "a response of more than 32 MB")
            return str(answer.text)

        return cls(where, get)

    @classmethod
    def of_stack(cls, cluster: Cluster, address: str) -> Prometheus:
        """Asks the Prometheus of a stack.

        Args:
            cluster: Through its API server a Service is asked.
            address: As monitoring.prometheusAddress; SERVICE.NAMESPACE.svc or any other host.
        """
        parts = urlsplit(address)
        service = _SERVICE.fullmatch(parts.hostname or "")
        if service is None:
            return cls.at(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        scheme = "https:" if parts.scheme == "https" else ""
        prefix = (
            f"/api/v1/namespaces/{service['namespace']}/services/"
            f"{scheme}{service['name']}:{port}/proxy{parts.path.rstrip('/')}"
        )
        where = f"{address} (through the API server)"

        def get(path: str) -> str:
            try:
                return cluster.text(f"{prefix}{path}")
            except ClusterError as error:
                reason = getattr(error, "detail", "") or "the API server does not respond"
                raise PrometheusError(where, " ".join(str(reason).split())) from None

        return cls(where, get)

    def query(self, promql: str) -> tuple[Sample, ...]:
        """Returns the series of an instant query, those without a finite value left out.

        Raises:
            PrometheusError: It does not answer, refuses the query, or answers something else.
        """
        data = self._data(f"/api/v1/query?{urlencode({'query': promql})}")
        try:
            found = [_sample(series) for series in data.get("result") or ()]
        except (KeyError, IndexError, TypeError, ValueError):
            raise PrometheusError(self.where, _NOT_PROMETHEUS) from None
        return tuple(sample for sample in found if math.isfinite(sample.value))

    def value(self, promql: str) -> float | None:
        """Returns the sum of the series of an instant query; None where it has none."""
        found = self.query(promql)
        return sum(sample.value for sample in found) if found else None

    def targets(self) -> tuple[Mapping[str, Any], ...]:
        """Returns the targets that it scrapes. Raises as `query` does."""
        return self._objects("/api/v1/targets?state=active", "activeTargets")

    def alerts(self) -> tuple[Mapping[str, Any], ...]:
        """Returns the alerts that are pending or firing. Raises as `query` does."""
        return self._objects("/api/v1/alerts", "alerts")

    def _objects(self, path: str, key: str) -> tuple[Mapping[str, Any], ...]:
        found = self._data(path).get(key) or ()
        if not all(isinstance(each, dict) for each in found):
            raise PrometheusError(self.where, _NOT_PROMETHEUS)
        return tuple(found)

    def _data(self, path: str) -> dict[str, Any]:
        text = self._get(path)
        try:
            answer = all_printable(json.loads(text))
            if answer["status"] != "success":
                raise PrometheusError(self.where, f"it rejected a query: {answer.get('error')}")
            data = answer["data"]
        except (ValueError, KeyError, TypeError):
            raise PrometheusError(self.where, _NOT_PROMETHEUS) from None
        if not isinstance(data, dict):
            raise PrometheusError(self.where, _NOT_PROMETHEUS)
        return data


def _sample(series: Any) -> Sample:
    """Reads a series of a vector; a scalar is a pair of time and value."""
    if isinstance(series, dict):
        return Sample(series["metric"], float(series["value"][1]))
    return Sample({}, float(series[1]))


def _reason(error: Exception) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return f"no response within {SECONDS:.0f} s"
    text = str(error)
    return "connection refused" if "refused" in text else text.splitlines()[0] if text else "failed"
