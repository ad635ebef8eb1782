"""The answer of `evidence`: a record for compliance teams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from breakeven.cli.documents.base import StackName
from breakeven.cli.documents.facts import LogPart
from breakeven.cli.documents.verdicts import CheckPart
from breakeven.evidence.record import FORMAT
from breakeven.reports.document.values import Count, Day, Name, Part


class ProgramPart(Part):
    """The program that made the record."""

    name: Name = Field(description="breakeven.")
    version: Name = Field(description="Its version.")


class FilePart(Part):
    """A file by its content."""

    name: Name = Field(description="Its name.")
    sha256: Name = Field(description="SHA-256 of its bytes.")


class ProvenancePart(Part):
    """From what the record was made."""

    program: ProgramPart = Field(description="By which program.")
    stack_file: FilePart = Field(description="From which stack file.")
    commit: str = Field(description="Commit of the repository; empty outside of one.")
    is_committed: bool = Field(description="Whether nothing differs from that commit.")


class DifferencePart(Part):
    """In what a deployed resource differs."""

    resource: Name = Field(description="The resource.")
    change: Name = Field(description="How it differs; no value is in it.")


class DeployedPart(Part):
    """What is deployed, by Pulumi's state."""

    source: Name = Field(description="What wrote the state.")
    sha256: Name = Field(description="SHA-256 of the state's bytes.")
    updated: str = Field(description="When it was written.")
    engine: str = Field(description="By which engine.")
    resources: Count = Field(description="Resources in it.")
    changes: Sequence[DifferencePart] = Field(description="Compared with the stack file.")


class CallersPart(Part):
    """Who may call the model."""

    transport: Name = Field(description="http or https.")
    by_network: Sequence[Mapping[str, Any]] = Field(
        description="Each workload with who reaches it, and on which ports."
    )
    entries: Sequence[Mapping[str, str]] = Field(description="Services, with their types.")
    by_key: Sequence[Any] = Field(description="Whose keys open it.")
    records_who_asked: bool = Field(description="Whether a gateway records the caller.")


class ImagePart(Part):
    """An image that the stack names."""

    reference: Name = Field(description="Its reference.")
    used_by: Sequence[str] = Field(description="Resources that name it.")


class AccessPart(Part):
    """Accounts, roles, and pods."""

    accounts: Sequence[Mapping[str, Any]] = Field(description="Service accounts.")
    roles: Sequence[Mapping[str, Any]] = Field(description="Roles and their bindings.")
    pods: Sequence[Mapping[str, Any]] = Field(
        description="Pods with account, user, and the Secrets that they name."
    )


class BundleLogPart(Part):
    """The log of the bundle."""

    head: str = Field(description="SHA-256 of the last line.")
    entries: Sequence[LogPart] = Field(description="Oldest first.")


class EvidenceDocument(Part):
    """What is or would be deployed, who may call it, and by which rules: `breakeven evidence`."""

    format: str = Field(pattern=f"^{FORMAT}$", description="Name and version of this format.")
    stack: StackName
    day: Day = Field(description="On which waivers were judged.")
    provenance: ProvenancePart = Field(description="Program, stack file, and commit.")
    deployed: DeployedPart | None = Field(description="Null where no state was given.")
    callers: CallersPart = Field(description="Who may call it.")
    bundle: Mapping[str, Any] | None = Field(
        description="Digest, signer, and contents of the bundle; null where none was given."
    )
    differences: Sequence[str] = Field(description="In what the stack differs from the bundle.")
    images: Sequence[ImagePart] = Field(description="Images that the stack names.")
    access: AccessPart = Field(description="What pods may do.")
    policies: CheckPart | None = Field(description="Verdict of the policy packs.")
    controls: Mapping[str, Mapping[str, Sequence[Mapping[str, str]]]] = Field(
        description="By framework and control, the rules that support it with their verdicts."
    )
    open_controls: Mapping[str, Mapping[str, Any]] = Field(
        description="Controls that no rule supports, by framework."
    )
    log: BundleLogPart | None = Field(description="Null where none was given.")
    not_assessed: Sequence[str] = Field(description="What has to be answered elsewhere.")
