"""Where the weights are stored."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from breakeven.settings.fields import (
    DIGEST,
    HOST_ALLOWED,
    IMAGE,
    Group,
    Integer,
    OptionalObjectName,
    matching,
)


class WeightsSettings(Group):
    """Where the weights are stored.

    `image` is None where a volume holds them; `claim` is a volume that holds them already, None
    where a Job fills one; `hub_token_secret` is None for an open repository.
    """

    claim: OptionalObjectName = Field(
        default=None,
        description="Existing volume claim with the weights in a folder named like "
        "model.revision; empty to fetch them",
    )
    storage_class: Annotated[
        str, matching(r"[a-z0-9][a-z0-9.-]*", "a Kubernetes name of a storage class")
    ] = Field(
        default="standard",
        description="Storage class of the volume that holds the weights",
    )
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = Field(
        default="ReadWriteOnce",
        description="ReadWriteOnce (all replicas on one node) or ReadWriteMany",
    )
    image: Annotated[
        str | None,
        matching(
            rf"{IMAGE}(:[\w.-]+)?{DIGEST}",
            "HOST/PATH[:TAG]@sha256:DIGEST; the digest verifies it; " + HOST_ALLOWED,
            empty=None,
        ),
    ] = Field(
        default=None,
        description="OCI image that holds the weights under /COMMIT, as "
        "HOST/PATH[:TAG]@sha256:DIGEST; mounted instead of a volume (Kubernetes 1.35, or 1.33 "
        "with its feature gate; nodes with containerd 2.1 or newer). Empty for a volume",
    )
    read_megabytes_per_second: Integer = Field(
        default=200,
        ge=10,
        le=100_000,
        description="Read speed of that volume in MB/s (with weights.image, of a node's image "
        "pull); determines the startup probe and the cold start",
    )
    hub_token_secret: OptionalObjectName = Field(
        default=None,
        description='Name of an existing Secret with key "token", for a gated repository; '
        "empty for an open one",
    )

    def seconds_to_read(self, size: float) -> float:
        """Returns the time in which a replica reads so many bytes from the volume."""
        return size / (self.read_megabytes_per_second * 1e6)
