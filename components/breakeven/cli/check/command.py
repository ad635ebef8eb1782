"""`breakeven check`: checks manifests against the policy packs, without an engine."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.check.text import as_text
from breakeven.cli.documents.writing import as_json
from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.cli.policy_verdict import judge_stack, verdict_output
from breakeven.errors import ExitCode, UserError
from breakeven.policy.bundle_contents import read_carried
from breakeven.policy.loading import read_manifests
from breakeven.policy.manifest import Scope
from breakeven.policy.registry import rules_of
from breakeven.policy.rule import Pack
from breakeven.policy.verdict import judge
from breakeven.policy.waivers import read_waivers


class CheckError(UserError):
    """The command line names nothing to check."""


def check(  # noqa: PLR0913  # each is an option of the command
    path: Annotated[
        Path | None,
        typer.Argument(help="File or folder of manifests, as YAML or JSON.", metavar="[DIR]"),
    ] = None,
    *,
    stack: Annotated[
        str | None,
        typer.Option(
            help="Check a stack in stacks/ instead, with its waivers, packs, and registry."
        ),
    ] = None,
    packs: Annotated[
        list[Pack] | None,
        typer.Option("--pack", help="Policy pack; may be repeated. Default: hardening."),
    ] = None,
    waiver_files: Annotated[
        list[Path] | None,
        typer.Option("--waivers", help="File of waivers; may be repeated.", metavar="FILE"),
    ] = None,
    registries: Annotated[
        list[str] | None,
        typer.Option("--registry", help="Registry that images may come from; may be repeated."),
    ] = None,
    lock: Annotated[
        Path | None,
        typer.Option(
            help="Lock of a bundle that must contain the images and the model.", metavar="FILE"
        ),
    ] = None,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Check manifests against the policy packs.

    docs/policies.md lists the rules.

    Exit code: 1 if a rule is violated that is neither advisory nor waived.

    Example: breakeven check rendered/ --pack hardening --waivers waivers.yaml
    """
    if (path is None) == (stack is None):
        msg = (
            "name either manifests or a stack: breakeven check DIR, or breakeven check --stack dev"
        )
        raise CheckError(msg)
    today = datetime.now(tz=UTC).date()
    carried = None if lock is None else read_carried(lock)
    allowed, chosen, waived = registries or [], packs or [], waiver_files or []
    if stack is not None:
        verdict, scope = judge_stack(
            stack,
            today,
            packs=chosen,
            waiver_files=waived,
            registries=allowed,
            carried=carried,
        )
    else:
        scope = Scope(read_manifests(path or Path()), tuple(allowed), carried)
        rules = rules_of(chosen or [Pack.HARDENING])
        verdict = judge(scope, rules, read_waivers(waived), today)
    if output_format is Format.JSON:
        typer.echo(as_json("check", verdict_output(verdict, scope)))
    else:
        typer.echo(as_text(verdict, str(path) if stack is None else f"stack {stack}"))
    if verdict.blocking:
        raise typer.Exit(ExitCode.ERROR)
