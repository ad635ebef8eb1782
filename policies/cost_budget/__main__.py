"""The policy pack: a budget for what the stack is estimated to cost."""

import sys
from pathlib import Path

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)

# A pack is started in its own folder, where the project is not found.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "components"))

from rules import (  # type: ignore[import-not-found]  # next to this file, where the pack runs
    not_priced,
    over_budget,
)

from breakeven.type_tokens import ESTIMATE  # needs the line above


def _within_budget(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if args.resource_type == ESTIMATE and (found := over_budget(args.props)):
        report(found, args.urn)


def _all_priced(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if args.resource_type == ESTIMATE and (found := not_priced(args.props)):
        report(found, args.urn)


PolicyPack(
    name="breakeven-cost-budget",
    policies=[
        ResourceValidationPolicy(
            name="cost-within-budget",
            description="The stack's estimated cost is within its budget.",
            enforcement_level=EnforcementLevel.MANDATORY,
            validate=_within_budget,
        ),
        ResourceValidationPolicy(
            name="everything-priced",
            description="Every resource of the stack has a price.",
            enforcement_level=EnforcementLevel.ADVISORY,
            validate=_all_priced,
        ),
    ],
)
