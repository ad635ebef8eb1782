"""Queries Prometheus and OpenCost directly, instead of reading files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from breakeven.cli.reconcile.errors import ReconcileError
from breakeven.cli.reconcile.observed_files import Files
from breakeven.cost.reconciliation.kind import Kind
from breakeven.cost.reconciliation.node_counts import REPLICAS
from breakeven.cost.reconciliation.observations import Observed
from breakeven.cost.reconciliation.opencost_api import ALLOCATION, ASSETS
from breakeven.cost.reconciliation.vllm import VLLM
from breakeven.manifests.monitoring.promql import namespace_selector, one_of, replicas_asked_for
from breakeven.settings.stack import Settings

if TYPE_CHECKING:
    import httpx2

TOKEN = "PROMETHEUS_TOKEN"  # noqa: S105 -- the name of a variable, no secret
OPENCOST_TOKEN = "OPENCOST_TOKEN"  # noqa: S105 -- as above
"""Environment variables with bearer tokens."""

_LONGEST_SECONDS = 60.0
_MOST_POINTS = 11_000  # Prometheus rejects more
_LARGEST_BYTES = 256 << 20
_SHORTEST_STEP = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time range of the queries.

    Attributes:
        end: Its end, in UTC.
        days: Its length, above 0.
    """

    end: datetime
    days: float

    @property
    def start(self) -> datetime:
        """Its start, in UTC."""
        return self.end - timedelta(days=self.days)

    @property
    def step_seconds(self) -> int:
        """Seconds between points, within the limit of Prometheus."""
        return max(_SHORTEST_STEP, -(-round(self.days * 86_400) // _MOST_POINTS))


def ask_prometheus(
    address: str, files: Files, settings: Settings, window: Window
) -> Iterator[tuple[str, Observed]]:
    """Yields traffic and replicas of a stack from Prometheus.

    Args:
        address: Such as http://localhost:9090.
        files: Reads the responses.
        settings: Of the model.
        window: The time range.

    Raises:
        ReconcileError: It is unreachable, too slow, or not Prometheus.
        ObservedError: An answer cannot be used.
    """
    names = "prompt_tokens|prompt_tokens_cached|generation_tokens|request_success"
    selector = namespace_selector(settings)
    queries: tuple[tuple[str, Kind], ...] = (
        (f'{{__name__=~"vllm:({names})_total",{selector}}}', VLLM),
        (_replicas(files, settings), REPLICAS),
    )
    for query, kind in queries:
        parameters = {
            "query": query,
            "start": window.start.isoformat(),
            "end": window.end.isoformat(),
            "step": str(window.step_seconds),
        }
        text = fetch_answer(address, "/api/v1/query_range", parameters, TOKEN)
        yield f"{_plain(address)} ({kind.name})", files.answer(text, f"{_plain(address)}", kind)


def _replicas(files: Files, settings: Settings) -> str:
    """Returns the query for the replicas of a model, and of its candidate by their own name."""
    tried = settings.tried if files.trial_replicas() else None
    if tried is None:
        return replicas_asked_for(settings)
    names = one_of((settings.name, tried.settings.name))
    series = f"kube_deployment_spec_replicas{{{namespace_selector(settings)},deployment=~{names}}}"
    return f"sum by (deployment) ({series})"


def ask_opencost(address: str, files: Files, window: Window) -> Iterator[tuple[str, Observed]]:
    """Yields the cost of pods and nodes from OpenCost.

    Args:
        address: Such as http://localhost:9003.
        files: Reads the responses.
        window: The time range.

    Raises:
        ReconcileError: It is unreachable, too slow, or not OpenCost.
        ObservedError: An answer cannot be used.
    """
    span = ",".join(moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (window.start, window.end))
    asked = (
        (
            "/allocation",
            {"window": span, "aggregate": "namespace", "accumulate": "true"},
            ALLOCATION,
        ),
        ("/assets", {"window": span}, ASSETS),
    )
    for path, parameters, kind in asked:
        text = fetch_answer(address, path, parameters, OPENCOST_TOKEN)
        yield f"{_plain(address)}{path}", files.answer(text, f"{_plain(address)}{path}", kind)


def fetch_answer(address: str, path: str, parameters: Mapping[str, str], variable: str) -> str:
    """Returns a server's response as text.

    Args:
        address: Of the server.
        path: Below its address.
        parameters: Of the query.
        variable: Environment variable with a bearer token; can be unset.

    Raises:
        ReconcileError: It is unreachable, too slow, or returns an error.
    """
    import httpx2  # noqa: PLC0415 -- takes a while to load

    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        msg = f"{_plain(address)}: invalid address. Allowed: http://HOST:PORT or https://HOST"
        raise ReconcileError(msg)
    where = _plain(address)
    token = os.environ.get(variable, "")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    url = f"{address.rstrip('/')}{path}?{urlencode(parameters)}"
    try:
        with httpx2.Client(timeout=_LONGEST_SECONDS, follow_redirects=False) as client:
            answer = client.get(url, headers=headers)
    except httpx2.TimeoutException as error:
        msg = f"{where}: no response within {_LONGEST_SECONDS:.0f} s. Query fewer days: --days 1"
        raise ReconcileError(msg) from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        msg = f"{where}: unreachable ({type(error).__name__}). Check the address, or forward it "
        msg += "with kubectl port-forward"
        raise ReconcileError(msg) from error
    _check(answer, where, variable)
    return answer.text


def _check(answer: httpx2.Response, where: str, variable: str) -> None:
    code = answer.status_code
    if code in (401, 403):
        msg = f"{where}: access denied ({code}). Set a bearer token in {variable}"
        raise ReconcileError(msg)
    if code != 200:  # noqa: PLR2004 -- HTTP's code for an answer
        msg = f"{where}: returned {code}. Check that the address is that of the server itself"
        raise ReconcileError(msg)
    if len(answer.content) > _LARGEST_BYTES:
        msg = (
            f"{where}: the response exceeds {_LARGEST_BYTES >> 20} MiB. Query fewer days: --days 1"
        )
        raise ReconcileError(msg)


def _plain(address: str) -> str:
    """Returns an address without user, password and query, which can be secrets."""
    parts = urlsplit(address)
    host = parts.hostname or address.partition("?")[0].rpartition("@")[2]
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{parts.scheme}://{host}{port}" if parts.scheme else host
