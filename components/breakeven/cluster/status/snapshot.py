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
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )


class NotReady(_Part):
    """Replicas that do not serve, for one cause."""

    cause: Cause
    replicas: int = Field(ge=1)
    detail: str = Field(description="The cluster's own words, in one line")


class ModelNow(_Part):
    """One model. A figure is null where Prometheus does not tell it."""

    model: str
    wanted: int | None = Field(description="Replicas; null if the model is not deployed")
    ready: int
    not_ready: list[NotReady]
    running: float | None = Field(description="Requests that are served now")
    queue: float | None = Field(description="Requests that wait")
    first_token_p95_seconds: float | None = Field(description="Over the last 5 minutes")
    requests_per_second: float | None = Field(description="Over the last 5 minutes")


class NodesNow(_Part):
    """GPU nodes of one machine type and purchase."""

    machine: str
    purchase: str
    count: int
    ready: int
    hourly_each: Decimal | None = Field(description="Null if the price is not known")


class Spend(_Part):
    """What the deployment costs, GPU nodes and everything else."""

    hourly_now: Decimal | None
    this_hour: Decimal | None
    today: Decimal | None
    this_month: Decimal | None
    planned_hourly: Decimal
    planned_today: Decimal = Field(
        description="The plan for the hours of today since it was deployed"
    )
    planned_this_month: Decimal = Field(description="The same for this month")
    planned_month: Decimal
    budget_month: Decimal | None
    source: str = Field(description="Where the spend of past hours is from")


class AlertNow(_Part):
    """An alert that fires."""

    name: str
    severity: str
    summary: str
    since: str


class Snapshot(_Part):
    """What `breakeven status STACK --format json` prints."""

    version: int = VERSION
    stack: str
    context: str
    at: datetime
    models: list[ModelNow]
    nodes: list[NodesNow]
    spend: Spend
    own_share: float | None = Field(description="Of the requests of the last hour, 0 to 1")
    api_share: float | None
    alerts: list[AlertNow] | None = Field(description="Null if Prometheus does not answer")
    missing: list[str] = Field(description="What could not be asked, and why")

    def as_json(self) -> dict[str, Any]:
        """Returns it as JSON's own types."""
        return self.model_dump(mode="json", by_alias=True)
