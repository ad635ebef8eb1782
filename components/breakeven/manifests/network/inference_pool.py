"""The path from the cluster's inference gateway to the replicas, without a gateway of the stack.

Rendered against the schemas of the Gateway API and of its inference extension; not tried with an
inference gateway.
"""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.manifests.resource import Resource, stated
from breakeven.manifests.serving.labels import ENGINE_PORT, answering_labels, described
from breakeven.settings.stack import Stack

_GROUP = "inference.networking.k8s.io"


def inference_pool(stack: Stack) -> Iterator[Resource]:
    """Yields the pool of a model's replicas, and the route to it; nothing for other kinds."""
    if not stack.gateway.is_inference_pool:
        return
    gateway, [model] = stack.gateway, stack.models
    picker = {
        "name": gateway.inference_pool.endpoint_picker,
        "port": {"number": gateway.inference_pool.endpoint_picker_port},
        # Without it, the gateway does not know which replicas are ready or have capacity.
        "failureMode": "FailClose",
    }
    metadata = {
        "name": model.name,
        "namespace": stack.network.namespace,
        "labels": described(answering_labels(model)),
    }
    pool = {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "InferencePool",
        "metadata": metadata,
        "spec": {
            "selector": {"matchLabels": answering_labels(model)},
            "targetPorts": [{"number": ENGINE_PORT}],
            "endpointPickerRef": picker,
        },
    }
    namespace, _, name = gateway.route.gateway.partition("/")
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/v1"}}],
        "backendRefs": [{"group": _GROUP, "kind": "InferencePool", "name": model.name}],
        "timeouts": {"request": f"{model.engine.longest_request_seconds}s"},
    }
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata,
        "spec": stated(
            {
                "parentRefs": [{"name": name, "namespace": namespace}],
                "hostnames": [gateway.hostname] if gateway.hostname else None,
                "rules": [rule],
            }
        ),
    }
    yield Resource(name=model.name, manifest=pool)
    yield Resource(name=model.name, manifest=route)
