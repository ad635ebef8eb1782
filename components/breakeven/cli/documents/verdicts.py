"""The answer of `check`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from breakeven.cli.documents.base import Document
from breakeven.reports.document.values import Count, Day, Name, Part


class WaiverPart(Part):
    """Who allowed what, and until when."""

    owner: Name = Field(description="Who answers for it.")
    reason: Name = Field(description="Why.")
    expires: Day = Field(description="Last day.")


class FindingPart(Part):
    """A resource that breaks a rule."""

    rule: Name = Field(description="Identifier of the rule.")
    level: Name = Field(description="mandatory or advisory.")
    resource: Name = Field(description="By which waivers name it.")
    source: str = Field(description="File or URN.")
    path: str = Field(description="Where in the manifest.")
    found: str = Field(description="What is there.")
    do: str = Field(description="How to fix a violation.")
    status: Literal["waived", "broken"] = Field(description="Whether a waiver covers it.")
    waiver: WaiverPart | None = Field(description="The waiver; null for none.")


class RulePart(Part):
    """A rule, and what came out."""

    id: Name = Field(description="Identifier.")
    pack: Name = Field(description="Policy pack.")
    level: Name = Field(description="mandatory or advisory.")
    what: Name = Field(description="What must hold.")
    verdict: Literal["broken", "waived", "kept", "not applicable"] = Field(
        description="What came out."
    )
    judged: Count = Field(description="Resources that it is about.")
    controls: Mapping[str, Sequence[str]] = Field(description="Of frameworks, by name.")
    supports: Any = Field(description="What of the controls it supports.")


class ExitPart(Part):
    """A way out of a workload."""

    to: Name = Field(description="Where to.")
    ports: Sequence[Any] = Field(description="On which ports.")
    kind: Name = Field(description="Kind of the way.")


class ReachPart(Part):
    """A workload that is reached."""

    name: Name = Field(description="Which one.")
    ports: Sequence[Any] = Field(description="On which ports.")


class WorkloadPart(Part):
    """Whom a workload reaches."""

    name: Name = Field(description="The workload.")
    asks_cluster_dns: bool = Field(alias="asksClusterDns", description="Asks the cluster's DNS.")
    public_addresses: bool = Field(description="Reaches public addresses.")
    metadata_service: bool = Field(description="Reaches the cloud's metadata service.")
    outside_dns: bool = Field(alias="outsideDns", description="Reaches a DNS server outside.")
    other_namespaces: Sequence[str] = Field(description="Namespaces that it reaches.")
    exits: Sequence[ExitPart] = Field(description="Ways out.")
    reaches: Sequence[ReachPart] = Field(description="Workloads that it reaches.")


class ReachabilityPart(Part):
    """Who reaches whom."""

    workloads: Sequence[WorkloadPart] = Field(description="Each workload.")


class CheckPart(Part):
    """A verdict over all manifests."""

    resources: Count = Field(description="Resources that were judged together.")
    rules: Sequence[RulePart] = Field(description="Each rule.")
    findings: Sequence[FindingPart] = Field(description="What breaks a rule, waived or not.")
    reachability: ReachabilityPart = Field(description="By the network rules among them.")


class CheckDocument(CheckPart, Document):
    """Which rules manifests break: `breakeven check`."""
