"""Components of plain manifests, registered with the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from breakeven.manifests.resource import Component, Resource

_PROVIDER = "pulumi_kubernetes"
"""The package whose provider takes the manifests."""

_MANAGEMENT = "Provider/management"
"""Key of the provider of a Cluster API's management cluster."""


class KubernetesResource(pulumi.CustomResource):
    """A manifest, registered as the typed class of its kind would be.

    Attributes:
        metadata: The object's metadata.
    """

    metadata: pulumi.Output[Mapping[str, Any]]

    def __init__(
        self, resource: Resource, manifest: Mapping[str, Any], opts: pulumi.ResourceOptions
    ) -> None:
        # The version of the provider that the package asks for, as its own classes do.
        pinned = pulumi.ResourceOptions(version=version(_PROVIDER))
        super().__init__(
            resource.type,
            resource.name,
            dict(manifest),
            pulumi.ResourceOptions.merge(pinned, opts),
        )


class BreakevenComponent(pulumi.ComponentResource):
    """A component and the resources that it consists of.

    Attributes:
        by_key: The component's resources by kind and name, such as "Deployment/model".

    Args:
        component: What is registered.
        namespace: The namespace of the stack as an input, so that what lives in it waits for it;
            the manifests' own text where None.
        known: Resources of other components by key, for dependencies on them.
        depends_on: Resources of other programs that must be ready before any of these.
        opts: Resource options.
    """

    by_key: dict[str, pulumi.Resource]

    def __init__(
        self,
        component: Component,
        *,
        namespace: pulumi.Input[str] | None = None,
        known: Mapping[str, pulumi.Resource] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component.type, component.name, dict(component.inputs), opts)
        self.by_key = {}
        self._component = component
        self._namespace = namespace
        self._known = known or {}
        self._depends_on = tuple(depends_on)
        self._register(component.resources)
        if not component.started_last:
            self.register_outputs(dict(component.outputs))

    @property
    def resources(self) -> list[pulumi.Resource]:
        """Every resource that the component made, in order."""
        return list(self.by_key.values())

    def start_last(self, resources: Iterable[Resource]) -> None:
        """Registers what is started once all other components are ready; call it once."""
        self._register(resources)
        self.register_outputs(dict(self._component.outputs))

    def _register(self, resources: Iterable[Resource]) -> None:
        for resource in resources:
            self.by_key[resource.key] = KubernetesResource(
                resource, self._placed(resource), self._options(resource)
            )

    def _placed(self, resource: Resource) -> Mapping[str, Any]:
        manifest = resource.manifest
        waits = resource.namespace is not None and resource.namespace == self._component.namespace
        if self._namespace is None or not waits:
            return manifest
        return {**manifest, "metadata": {**manifest["metadata"], "namespace": self._namespace}}

    def _options(self, resource: Resource) -> pulumi.ResourceOptions:
        seconds = resource.timeout_seconds
        known = {**self._known, **self.by_key}
        return pulumi.ResourceOptions(
            parent=self,
            depends_on=[*(known[key] for key in resource.depends_on), *self._depends_on],
            custom_timeouts=None
            if seconds is None
            else pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s"),
            provider=self._cluster_of(resource.context) if resource.context else None,
        )

    def _cluster_of(self, context: str) -> pulumi.ProviderResource:
        """Makes the provider of another cluster, of which a stack has one."""
        made = self.by_key.get(_MANAGEMENT)
        if isinstance(made, pulumi.ProviderResource):
            return made
        provider = kubernetes.Provider(
            "management", context=context, opts=pulumi.ResourceOptions(parent=self)
        )
        self.by_key[_MANAGEMENT] = provider
        return provider
