"""What can go wrong between this machine and a cluster, each with what to do next.

No message repeats a credential, so none quotes a kubeconfig, a Secret or the body of an answer.
"""

from __future__ import annotations

from breakeven.errors import UserError


class ClusterError(UserError):
    """A cluster cannot be used."""


class KubeconfigError(ClusterError):
    """No kubeconfig, a damaged one, or one without the context that was asked for."""


class UnreachableError(ClusterError):
    """The API server does not answer.

    Attributes:
        address: Its address.
    """

    def __init__(self, address: str, reason: str) -> None:
        self.address = address
        super().__init__(
            f"the API server at {address} does not respond ({reason}). Check that the cluster is "
            "running and reachable from this machine: kubectl cluster-info. To use another "
            "cluster, add --context or --kubeconfig"
        )


class UnauthorizedError(ClusterError):
    """The API server does not accept the credentials."""

    def __init__(self, context: str) -> None:
        super().__init__(
            f"the API server rejects the credentials of context {context}. Sign in again as for "
            "kubectl, and check with: kubectl auth whoami"
        )


class RefusedError(ClusterError):
    """The API server refused a call.

    Attributes:
        status: HTTP status.
        reason: Kubernetes' reason, such as "Invalid"; empty where it gave none.
        detail: The API server's message.
    """

    def __init__(self, doing: str, status: int, reason: str, detail: str) -> None:
        self.status = status
        self.reason = reason
        self.detail = detail
        super().__init__(f"{doing}: rejected by the API server ({status} {reason}): {detail}")


class ForbiddenError(RefusedError):
    """The user of the kubeconfig has no right to do that."""

    def __init__(self, doing: str, detail: str) -> None:
        super().__init__(doing, 403, "Forbidden", detail)
