"""The answer of `breakeven preflight` as JSON, and its schema."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from breakeven.cluster.connection import Cluster
from breakeven.cluster.preflight.finding import Status
from breakeven.cluster.preflight.run import Result, worst

VERSION = 1


class _Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class AnsweredFinding(_Answer):
    """One line."""

    check: str = Field(description="ID of the check; see docs/preflight.md")
    status: Status = Field(description="passed, warning, unknown or failed")
    found: str = Field(description="What was found")
    fix: str = Field(description="How to fix it; empty if nothing has to be fixed")


class PreflightAnswer(_Answer):
    """The output of `breakeven preflight STACK --format json`."""

    version: int = Field(description="Of this format", ge=VERSION, le=VERSION)
    stack: str = Field(description="Name of the stack")
    context: str = Field(description="Context of the kubeconfig")
    server: str = Field(description="Address of the API server")
    checked_at: datetime = Field(description="When it was checked")
    status: Status = Field(description="The worst of all findings")
    findings: list[AnsweredFinding] = Field(description="Every line")


def answer_of(
    stack: str, cluster: Cluster, results: tuple[Result, ...], now: datetime
) -> dict[str, Any]:
    """Returns the answer as JSON's own types."""
    answer = PreflightAnswer(
        version=VERSION,
        stack=stack,
        context=cluster.context,
        server=cluster.address,
        checked_at=now.replace(microsecond=0),
        status=worst(results),
        findings=[
            AnsweredFinding(
                check=result.check, status=finding.status, found=finding.found, fix=finding.fix
            )
            for result in results
            for finding in result.findings
        ],
    )
    return answer.model_dump(mode="json", by_alias=True)
