"""The cluster's own inference gateway in place of the stack's: what it needs, what it lacks."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from breakeven.settings.fields import Conflict, Group, Integer, OptionalObjectName

KIND = "inference-pool"


class InferencePoolSettings(Group):
    """The pool of the Gateway API Inference Extension that an inference gateway picks from."""

    endpoint_picker: OptionalObjectName = Field(
        default=None,
        description="Kind inference-pool: Service of the endpoint picker, which you deploy in the "
        "stack's namespace",
    )
    endpoint_picker_port: Integer = Field(
        default=9002, ge=1, le=65535, description="Kind inference-pool: its port"
    )


def needs_of_pool(
    pool: InferencePoolSettings, *, gateway: str, callers: tuple[str, ...], namespace: str
) -> Iterator[Conflict]:
    """Yields what kind inference-pool lacks.

    Args:
        pool: Its settings.
        gateway: NAMESPACE/NAME of the Gateway; empty for none.
        callers: Namespaces whose pods may call the replicas.
        namespace: The stack's.
    """
    needs = ("gateway.kind",)
    if pool.endpoint_picker is None:
        yield Conflict(
            "gateway.inferencePool.endpointPicker",
            "empty",
            f"Needed with gateway.kind {KIND}: the endpoint picker's Service",
            needs,
        )
    if not gateway:
        yield Conflict(
            "gateway.route.gateway",
            "empty",
            f"Needed with gateway.kind {KIND}: NAMESPACE/NAME of the Gateway",
            needs,
        )
        return
    missing = {gateway.partition("/")[0], namespace} - set(callers)
    if missing:
        yield Conflict(
            "network.clientNamespaces",
            f"without {', '.join(sorted(missing))}",
            f"Needed with gateway.kind {KIND}: the Gateway's namespace, whose pods send requests "
            "to the replicas, and the stack's, where the endpoint picker reads their metrics",
            (*needs, "gateway.route.gateway", "network.namespace"),
        )
