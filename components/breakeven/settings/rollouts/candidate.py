"""A candidate of the model: other settings, tried on a share of the requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from breakeven.settings.fields import Entries, Group, Integer, refuse

GROUPS = ("model", "engine", "weights", "pool")
"""Groups whose settings a candidate may change."""

FIXED = (
    "model.name",
    "model.loraAdapters",
    "model.previousRevision",
    "engine.apiKeySecret",
    "engine.pipelineParallel",
    "engine.longestRequestSeconds",
    "pool.kind",
    "pool.nodeCount",
)
"""What model and candidate have in common: clients, keys, and who makes the nodes."""


def _changes(settings: Mapping[str, object]) -> Mapping[str, object]:
    wrong = [
        str(key)
        for key in settings
        if str(key).partition(".")[0] not in GROUPS or "." not in str(key) or key in FIXED
    ]
    if wrong:
        refuse(
            f"found {', '.join(wrong)}",
            f"Allowed: settings of {', '.join(GROUPS)} by dotted key, such as engine.image; not "
            f"{', '.join(FIXED)}",
        )
    return {str(key): value for key, value in settings.items()}


class CandidateSettings(Group):
    """Other settings of the model, tried on a share of the requests next to the deployed ones."""

    settings: Annotated[Mapping[str, object], Entries, AfterValidator(_changes)] = Field(
        default={},
        description="What the candidate changes: settings of model, engine, weights and pool by "
        "dotted key, such as engine.image or model.revision; empty for no candidate. It requires "
        "a gateway. In a stack of several models each may have one, which changes no pool",
    )
    stage: Literal["trial", "promoted", "withdrawn"] = Field(
        default="trial",
        description="trial (the candidate takes its share), promoted (its settings are the "
        "model's, and its own replicas end), or withdrawn (its replicas end)",
    )
    traffic_percent: Integer = Field(
        default=10,
        ge=1,
        le=99,
        description="Share of the requests for the model that the candidate answers; what its "
        "replicas cannot take goes to the model's",
    )
    replicas: Integer = Field(
        default=1,
        ge=1,
        le=64,
        description="Replicas of the candidate; they always run, until it is promoted or withdrawn",
    )

    @property
    def is_on_trial(self) -> bool:
        """Whether the candidate has replicas of its own."""
        return bool(self.settings) and self.stage == "trial"
