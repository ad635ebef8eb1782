"""Connects to a cluster by a kubeconfig, and calls its API on objects as plain data.

Authentication, certificates and proxies are those of the `kubernetes` package. Objects stay the
dicts of their JSON, because most of what a stack deploys are custom resources.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException

from breakeven.cluster.errors import (
    ForbiddenError,
    RefusedError,
    UnauthorizedError,
    UnreachableError,
)
from breakeven.cluster.kubeconfig import load, runs_in_pod
from breakeven.printable import all_printable

FIELD_MANAGER = "breakeven"
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
IN_CLUSTER = "in-cluster"
"""How the context is called where the command runs in a pod, by its service account."""

_PAGE = 500
_LONGEST_DETAIL = 600
_APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Cluster:
    """A cluster as one user of a kubeconfig sees it. Safe to call from several threads.

    Attributes:
        context: The kubeconfig's context.
        address: https://HOST:PORT of the API server, without credentials.
        namespace: The context's namespace; "default" where it has none.
        read_seconds: How long one answer may take.
    """

    context: str
    address: str
    namespace: str
    read_seconds: float = READ_SECONDS
    _client: Any = field(repr=False, kw_only=True)
    _kinds: dict[str, Mapping[str, Any]] = field(default_factory=dict, repr=False, kw_only=True)

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """Returns an object, or a list of them.

        Args:
            path: Path of the API, such as /api/v1/namespaces/llm.
            **query: Parameters of the query; None leaves one out.

        Raises:
            UnreachableError: The API server does not answer.
            UnauthorizedError: It does not accept the credentials.
            ForbiddenError: The user may not read that.
            RefusedError: It refused for another reason, such as 404.
        """
        return self._json("GET", path, query)

    def find(self, path: str, **query: object) -> dict[str, Any] | None:
        """Returns an object, or None where there is none. Raises as `get` does."""
        try:
            return self.get(path, **query)
        except RefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def items(self, path: str, **query: object) -> Iterator[dict[str, Any]]:
        """Yields the objects of a list, page by page. Raises as `get` does."""
        token = None
        while True:
            page = self.get(path, **{"limit": _PAGE, "continue": token, **query})
            yield from page.get("items") or ()
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return

    def text(self, path: str, **query: object) -> str:
        """Returns an answer as text: a pod's log, or what a Service behind the proxy says."""
        return self._call("GET", path, query).decode(errors="replace")

    def create(self, path: str, manifest: Mapping[str, Any], **query: object) -> dict[str, Any]:
        """Creates an object of a list. Raises as `get` does."""
        return self._json("POST", path, {"fieldManager": FIELD_MANAGER, **query}, manifest)

    def delete(self, path: str, **query: object) -> None:
        """Deletes an object, or nothing where there is none. Raises as `get` does."""
        try:
            self._call("DELETE", path, query)
        except RefusedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    def dry_run(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Lets the API server admit a manifest without keeping it, unknown fields refused.

        Raises:
            UnknownKindError: The cluster does not know its kind.
            RefusedError: Validation or admission refuses it; otherwise as `get`.
        """
        query = {
            "fieldManager": FIELD_MANAGER,
            "force": "true",
            "dryRun": "All",
            "fieldValidation": "Strict",
        }
        return self._json("PATCH", self.path_of(manifest), query, manifest, _APPLY)

    def path_of(self, manifest: Mapping[str, Any]) -> str:
        """Returns the path of an object in the API.

        Raises:
            UnknownKindError: The cluster does not know its kind.
        """
        version, kind, metadata = manifest["apiVersion"], manifest["kind"], manifest["metadata"]
        known = self.kinds(version).get(kind)
        if known is None:
            raise UnknownKindError(version, kind)
        namespace = metadata.get("namespace", self.namespace)
        inside = f"/namespaces/{namespace}" if known["namespaced"] else ""
        return f"{_root(version)}{inside}/{known['name']}/{metadata['name']}"

    def kinds(self, api_version: str) -> Mapping[str, Any]:
        """Returns the kinds of an API version as the API server describes them, none if unknown."""
        if api_version not in self._kinds:
            found = self.find(_root(api_version)) or {}
            self._kinds[api_version] = {
                each["kind"]: each
                for each in found.get("resources") or ()
                if "/" not in each["name"]
            }
        return self._kinds[api_version]

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        data = self._call(method, path, query, body, content_type)
        try:
            found = all_printable(json.loads(data or b"{}"))
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise UnreachableError(self.address, "the server there is not Kubernetes")
        return found

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        stated = {name: value for name, value in query.items() if value is not None}
        url = f"{self.address}{path}" + (f"?{urlencode(stated)}" if stated else "")
        headers = {"Accept": "application/json", "Content-Type": content_type}
        self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, None)
        # Only plain JSON is serialized by the client; other types it sends as they are.
        sent = json.dumps(body) if body is not None and content_type == _APPLY else body
        timeout = (CONNECT_SECONDS, self.read_seconds)
        try:
            answer = self._client.call_api(method, url, headers, sent, None, timeout)
            data: bytes = answer.read()
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
            raise UnreachableError(self.address, _reason(error)) from None
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise self._refusal(method, path, answer.status, data)
        return data

    def _refusal(self, method: str, path: str, status: int, data: bytes) -> Exception:
        doing = f"{method} {path}"
        try:
            told = all_printable(json.loads(data))
        except ValueError:
            told = {}
        told = told if isinstance(told, dict) else {}
        detail = str(told.get("message") or f"HTTP status {status}")[:_LONGEST_DETAIL]
        if status == HTTPStatus.UNAUTHORIZED:
            return UnauthorizedError(self.context)
        if status == HTTPStatus.FORBIDDEN and "forbidden: User" in detail:
            return ForbiddenError(doing, detail)
        return RefusedError(doing, status, str(told.get("reason") or ""), detail)


class UnknownKindError(RefusedError):
    """The cluster does not know a kind: its custom resource definition is not installed.

    Attributes:
        api_version: Group and version of the kind.
        kind: The kind.
    """

    def __init__(self, api_version: str, kind: str) -> None:
        self.api_version = api_version
        self.kind = kind
        super().__init__(
            f"{api_version} {kind}", 404, "NotFound", f"the cluster has no {kind} in {api_version}"
        )


def connect(kubeconfig: Path | None = None, context: str | None = None) -> Cluster:
    """Finds a cluster as kubectl does; calls nothing yet.

    Args:
        kubeconfig: The file; KUBECONFIG or ~/.kube/config if None, and in a pod without either its
            service account.
        context: Its context; the current one if None.

    Raises:
        KubeconfigError: There is no kubeconfig, it is damaged, or it does not have the context.
    """
    settings = Configuration()
    settings.retries = False
    if kubeconfig is None and context is None and runs_in_pod():
        config.load_incluster_config(  # type: ignore[no-untyped-call]  # not annotated
            client_configuration=settings
        )
        name, namespace = IN_CLUSTER, "default"
    else:
        name, namespace = load(settings, kubeconfig, context)
    address = urlsplit(settings.host)
    host = address.netloc.rpartition("@")[2]
    return Cluster(
        context=name,
        address=f"{address.scheme}://{host}{address.path.rstrip('/')}",
        namespace=namespace,
        _client=ApiClient(settings),
    )


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _reason(error: BaseException) -> str:
    """Why there is no answer, in a few words."""
    text = str(error)
    reasons = (
        (
            "CERTIFICATE_VERIFY_FAILED",
            "its certificate is not signed by the kubeconfig's certificate authority",
        ),
        ("WRONG_VERSION_NUMBER", "it does not speak TLS"),
        ("Connection refused", "connection refused"),
        ("Name or service not known", "its host name does not resolve"),
        ("Failed to resolve", "its host name does not resolve"),
        ("timed out", "timed out"),
        ("Read timed out", "timed out"),
        ("Connection aborted", "it closed the connection"),
        ("closed connection", "it closed the connection"),
        ("No route to host", "no route to host"),
    )
    known = (said for part, said in reasons if part in text)
    return next(known, type(error).__name__)
