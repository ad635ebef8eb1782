"""What a stack needs of its cluster, from its settings and manifests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from breakeven.manifests.resource import Resource
from breakeven.policy.manifest import Pod, at, listed
from breakeven.policy.manifest import Resource as Judged
from breakeven.settings.stack import Stack

TLS_KEYS = frozenset({"tls.crt", "tls.key"})
"""Keys of a Secret with a certificate: kubernetes.io, TLS secrets."""


@dataclass(frozen=True, slots=True)
class SecretNeed:
    """A Secret that pods refer to.

    Attributes:
        namespace: Where it must be.
        name: Its name.
        keys: Keys that must be in it; empty where any will do.
        pulls_images: Whether it holds the credentials of a registry.
    """

    namespace: str
    name: str
    keys: frozenset[str]
    pulls_images: bool = False


@dataclass(frozen=True)
class Needs:
    """What a stack needs of its cluster.

    Attributes:
        name: Name of the stack.
        stack: Its settings.
        resources: Its manifests.
    """

    name: str
    stack: Stack
    resources: tuple[Resource, ...]

    @cached_property
    def contexts(self) -> tuple[str, ...]:
        """Contexts of the clusters that it deploys to; "" is the stack's own cluster."""
        return tuple(dict.fromkeys(resource.context for resource in self.resources))

    @cached_property
    def own_namespaces(self) -> tuple[str, ...]:
        """Namespaces that the stack makes."""
        return tuple(
            str(each.manifest["metadata"]["name"])
            for each in self.resources
            if each.kind == "Namespace"
        )

    @cached_property
    def foreign_namespaces(self) -> tuple[tuple[str, str], ...]:
        """Context and name of the namespaces that it deploys into and does not make."""
        return tuple(
            dict.fromkeys(
                (each.context, each.namespace)
                for each in self.resources
                if each.namespace and each.namespace not in self.own_namespaces
            )
        )

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        """The pods, and templates of pods, of its manifests."""
        return tuple(
            pod
            for each in self.resources
            for pod in Judged(each.manifest, f"stack {self.name}", each.name).pods
        )

    @cached_property
    def claims(self) -> tuple[Mapping[str, Any], ...]:
        """Its PersistentVolumeClaims."""
        return tuple(
            each.manifest for each in self.resources if each.kind == "PersistentVolumeClaim"
        )

    @cached_property
    def images(self) -> tuple[str, ...]:
        """Images that its containers and image volumes name, sorted."""
        named = {str(each.spec["image"]) for pod in self.pods for each in pod.containers()}
        return tuple(sorted(named | set(self.volume_images)))

    @cached_property
    def volume_images(self) -> tuple[str, ...]:
        """Images that pods mount as volumes, sorted."""
        return tuple(
            sorted(
                {
                    str(volume["image"]["reference"])
                    for pod in self.pods
                    for volume in listed(pod.spec.get("volumes"))
                    if at(volume, "image", "reference")
                }
            )
        )

    @cached_property
    def secrets(self) -> tuple[SecretNeed, ...]:
        """Secrets that its pods refer to and that must be there, sorted by name."""
        keys: dict[tuple[str, str], set[str]] = {}
        pulling: set[tuple[str, str]] = set()
        for pod in self.pods:
            for name, key in _secret_keys(pod):
                tls = self.stack.gateway.tls
                if tls.issuer and name in (tls.secret, tls.egress_secret):
                    continue  # cert-manager fills it once its order is there
                keys.setdefault((pod.namespace, name), set()).update({key} if key else ())
                if name in (self.stack.network.tls_secret, tls.secret, tls.egress_secret):
                    keys[pod.namespace, name].update(TLS_KEYS)
            for entry in listed(pod.spec.get("imagePullSecrets")):
                pulling.add((pod.namespace, str(entry["name"])))
                keys.setdefault((pod.namespace, str(entry["name"])), set())
        return tuple(
            SecretNeed(*place, frozenset(named), place in pulling)
            for place, named in sorted(keys.items())
        )


def _secret_keys(pod: Pod) -> Iterator[tuple[str, str]]:
    """Yields name and key of every Secret that a pod needs; an empty key for the whole Secret."""
    for container in pod.containers():
        for entry in listed(container.spec.get("env")):
            yield from _reference(at(entry, "valueFrom", "secretKeyRef"))
        for entry in listed(container.spec.get("envFrom")):
            yield from _reference(at(entry, "secretRef"))
    for volume in listed(pod.spec.get("volumes")):
        projected = listed(at(volume, "projected", "sources"))
        for source in (at(volume, "secret"), *(at(each, "secret") for each in projected)):
            yield from _reference(source)


def _reference(source: Any) -> Iterator[tuple[str, str]]:
    """Yields the name and the keys that one reference to a Secret needs."""
    if source and not source.get("optional"):
        name = str(source.get("secretName") or source.get("name"))
        named = [str(item["key"]) for item in listed(source.get("items"))]
        yield from ((name, key) for key in named or [str(source.get("key") or "")])
