"""A small client of the Kubernetes API: objects are the dictionaries that YAML and JSON hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import urllib3

FIELD_MANAGER = "rig"
TIMEOUT_SECONDS = 30.0

# Plurals that are not the kind in lower case and an s, as far as the rig uses such kinds.
_PLURALS = {
    "EC2NodeClass": "ec2nodeclasses",
    "NetworkPolicy": "networkpolicies",
    "StorageClass": "storageclasses",
}
_OUTSIDE_NAMESPACES = {
    *("APIService", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"),
    *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    *("EC2NodeClass", "Namespace", "Node", "NodeClaim", "NodePool", "PersistentVolume", "Stage"),
    "StorageClass",
}


class ApiError(Exception):
    """The API server refused.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(f"{status}: {message}")


@dataclass(frozen=True)
class Api:
    """Calls one API server.

    Attributes:
        address: https://HOST:PORT.
        pool: Connections, with the client's certificate.
    """

    address: str
    pool: urllib3.PoolManager

    @classmethod
    def connect(cls, address: str, folder: Path) -> Api:
        """Use the administrator's certificate of a folder of certificates."""
        pool = urllib3.PoolManager(
            ca_certs=str(folder / "ca.crt"),
            cert_file=str(folder / "admin.crt"),
            key_file=str(folder / "admin.key"),
            timeout=urllib3.Timeout(total=TIMEOUT_SECONDS),
            retries=False,
        )
        return cls(address, pool)

    def call(
        self, method: str, path: str, body: object = None, *, kind: str = "application/json"
    ) -> dict[str, Any]:
        """Make one call.

        Args:
            method: The HTTP method.
            path: Path and query.
            body: What is sent: an object as JSON, or text as it is.
            kind: Content type of the body.

        Raises:
            ApiError: The answer is a refusal.
            urllib3.exceptions.HTTPError: There is no answer.
        """
        answer = self.pool.request(
            method,
            f"{self.address}{path}",
            body=body if isinstance(body, str | None) else json.dumps(body),
            headers={"Content-Type": kind, "Accept": "application/json"},
        )
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise ApiError(answer.status, _message(answer.data))
        found: dict[str, Any] = json.loads(answer.data or b"{}")
        return found

    def get(self, path: str) -> dict[str, Any]:
        """Return an object, or a list of them."""
        return self.call("GET", path)

    def find(self, path: str) -> dict[str, Any] | None:
        """Return an object, or None where there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield the objects of a list."""
        yield from self.get(path)["items"]

    def apply(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Make an object, or make it as the manifest says (server-side apply)."""
        return self.call(
            "PATCH",
            f"{path_of(manifest)}?fieldManager={FIELD_MANAGER}&force=true",
            manifest,
            kind="application/apply-patch+yaml",
        )

    def apply_text(self, text: str) -> None:
        """Do the same with the text of one YAML document, which the API server reads itself.

        Definitions are large, and Python's YAML is slow and of another version.
        """
        kind, name, version = (_line(text, key) for key in ("kind", "  name", "apiVersion"))
        path = path_of({"apiVersion": version, "kind": kind, "metadata": {"name": name}})
        query = f"?fieldManager={FIELD_MANAGER}&force=true"
        self.call("PATCH", f"{path}{query}", text, kind="application/apply-patch+yaml")

    def healthy(self) -> bool:
        """Whether the API server says that all of it works."""
        answer = self.pool.request("GET", f"{self.address}/healthz")
        return answer.status == HTTPStatus.OK

    def merge(self, path: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Change fields of an object; null removes one."""
        return self.call("PATCH", path, patch, kind="application/merge-patch+json")

    def delete(self, path: str) -> None:
        """Delete an object, or nothing where there is none."""
        try:
            self.call("DELETE", path)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise


def path_of(manifest: Mapping[str, Any]) -> str:
    """The path of an object in the API."""
    version, kind, metadata = manifest["apiVersion"], manifest["kind"], manifest["metadata"]
    plural = _PLURALS.get(kind, f"{kind.lower()}s")
    prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
    if kind in _OUTSIDE_NAMESPACES:
        return f"{prefix}/{plural}/{metadata['name']}"
    return f"{prefix}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}"


def _line(text: str, key: str) -> str:
    """The value of a key at the indentation that the key has."""
    match = re.search(rf"^{key}: [\"']?([^\s\"']+)", text, re.MULTILINE)
    if match is None:
        msg = f"a document without {key.strip()}: {text[:80]!r}"
        raise ValueError(msg)
    return match.group(1)


def answers(check: Callable[[], object]) -> bool:
    """Whether a call is answered without a refusal."""
    try:
        check()
    except (ApiError, urllib3.exceptions.HTTPError):
        return False
    return True


def _message(data: bytes) -> str:
    text = data.decode(errors="replace")
    try:
        return str(json.loads(text).get("message", text))
    except (json.JSONDecodeError, AttributeError):
        return text
