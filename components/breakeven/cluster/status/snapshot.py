"""What a deployment does at one moment. All money in USD, all times UTC."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

VERSION = 1


class Cause(StrEnum):
    """Why a replica does not serve yet."""

    IMAGE = "image"
    WEIGHTS = "weights"
    GPU = "gpu"
    QUOTA = "quota"
    PROBE = "probe"
    SECRET = "secret"  # noqa: S105  # a word
    CRASH = "crash"
    STARTING = "starting"
    SCHEDULING = "scheduling"


class _Part(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        json_schema_serialization_defaults_required=True,
    )


class NotReady(_Part):
    """Replicas that do not serve, for one cause."""

    cause: Cause = Field(description="Why they do not serve")
    replicas: int = Field(ge=1, description="How many")
    detail: str = Field(description="The cluster's message, in one line")


class CandidateNow(_Part):
    """A candidate on trial. A figure is null if Prometheus does not report it."""

    wanted: int | None = Field(description="Its replicas; null if it is not deployed")
    ready: int = Field(description="Replicas that serve")
    not_ready: list[NotReady] = Field(description="Replicas that do not")
    planned_share: float = Field(description="candidate.trafficPercent as a share, 0 to 1")
    share: float | None = Field(
        description="Share of the last hour's self-hosted requests for the model that it answered"
    )
    failed_share: float | None = Field(
        description="Share of the last hour's requests that it failed; another replica or the API "
        "answered those that had no answer yet"
    )
    first_token_p95_seconds: float | None = Field(description="Over the last 5 minutes")


class ModelNow(_Part):
    """One model. A figure is null if Prometheus does not report it."""

    model: str = Field(description="Name by which it is served")
    wanted: int | None = Field(description="Replicas; null if the model is not deployed")
    ready: int = Field(description="Replicas that serve")
    not_ready: list[NotReady] = Field(description="Replicas that do not")
    running: float | None = Field(description="Running requests")
    queue: float | None = Field(description="Queued requests")
    first_token_p95_seconds: float | None = Field(description="Over the last 5 minutes")
    requests_per_second: float | None = Field(description="Over the last 5 minutes")
    candidate: CandidateNow | None = Field(
        default=None, description="Candidate on trial; null without one"
    )


class NodesNow(_Part):
    """GPU nodes of one machine type and purchase."""

    machine: str = Field(description="Machine type; empty if no label tells it")
    purchase: str = Field(description="How the nodes are bought")
    count: int = Field(description="How many")
    ready: int = Field(description="Of them, those that are ready")
    hourly_each: Decimal | None = Field(description="USD; null if the price is not known")


class Spend(_Part):
    """Cost of the deployment: GPU nodes and everything else."""

    hourly_now: Decimal | None = Field(description="USD; null if a price is not known")
    this_hour: Decimal | None = Field(description="Since its begin, in USD")
    today: Decimal | None = Field(description="Since midnight UTC, in USD")
    this_month: Decimal | None = Field(description="Since its begin, in USD")
    planned_hourly: Decimal = Field(description="By the estimate, in USD")
    planned_today: Decimal = Field(
        description="The plan for the hours of today since it was deployed"
    )
    planned_this_month: Decimal = Field(description="The same for this month")
    planned_month: Decimal = Field(description="By the estimate, in USD")
    budget_month: Decimal | None = Field(description="In USD; null for none")
    source: str = Field(description="Source of the spend of past hours")


class AlertNow(_Part):
    """An alert that fires."""

    name: str = Field(description="Name of the rule")
    severity: str = Field(description="critical or warning")
    summary: str = Field(description="What it says")
    since: str = Field(description="When it began, ISO 8601")


class Snapshot(_Part):
    """The output of `breakeven status STACK --format json`."""

    version: int = Field(default=VERSION, description="Of this format")
    stack: str = Field(description="Name of the stack")
    context: str = Field(description="Context of the kubeconfig")
    at: datetime = Field(description="When it was looked at")
    models: list[ModelNow] = Field(description="Each model")
    nodes: list[NodesNow] = Field(description="GPU nodes by machine type and purchase")
    spend: Spend = Field(description="What it costs")
    own_share: float | None = Field(description="Share of the last hour's requests, 0 to 1")
    api_share: float | None = Field(description="The rest, which an API answered")
    alerts: list[AlertNow] | None = Field(description="Null if Prometheus does not answer")
    missing: list[str] = Field(description="Missing data, and why")

    def as_json(self) -> dict[str, Any]:
        """Returns it as JSON's own types."""
        return self.model_dump(mode="json", by_alias=True)
