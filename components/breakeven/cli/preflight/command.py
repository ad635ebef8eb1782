"""`breakeven preflight`: whether a cluster has what a stack needs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from breakeven import preflight_hint
from breakeven.cli.completion import StackArgument
from breakeven.cli.options.cluster import (
    ContextOption,
    KubeconfigOption,
    NamespaceOption,
    PrometheusOption,
    namespace_change,
)
from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.cli.preflight.text import lines, summary
from breakeven.cluster.connection import connect
from breakeven.cluster.errors import ClusterError
from breakeven.cluster.preflight.answer import answer_of
from breakeven.cluster.preflight.check import Probe
from breakeven.cluster.preflight.finding import Status
from breakeven.cluster.preflight.needs import Needs
from breakeven.cluster.preflight.run import Result, run_checks, worst
from breakeven.cluster.prometheus import Prometheus
from breakeven.errors import ExitCode
from breakeven.manifests.render import render
from breakeven.planning.offline import read_stack


def preflight(  # noqa: PLR0913  # one argument for each option
    stack: StackArgument,
    *,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    namespace: NamespaceOption = None,
    prometheus: PrometheusOption = None,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="Also start temporary pods to check whether NetworkPolicies are enforced and "
            "nodes can pull the images.",
        ),
    ] = False,
    probe_seconds: Annotated[
        int, typer.Option(min=10, max=3600, help="Time limit for a pod of --probe, in seconds.")
    ] = 120,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Check whether a cluster meets a stack's requirements, and print fixes.

    Changes nothing, except with --probe. Never prints the value of a Secret. docs/preflight.md
    lists all checks.

    Exit code: 1 if a missing requirement blocks the deployment, or the cluster is unreachable.

    Example: breakeven preflight aws-prod --context prod
    """
    known = read_stack(stack, namespace_change(namespace))
    needs = Needs(stack, known, render(known))
    clusters = {each: connect(kubeconfig, each or context) for each in needs.contexts or ("",)}
    own = clusters.setdefault("", connect(kubeconfig, context))
    asked = Probe(
        needs=needs,
        clusters=clusters,
        prometheus=Prometheus.at(prometheus)
        if prometheus
        else Prometheus.of_stack(own, known.monitoring.prometheus_address),
        may_probe=probe,
        seconds=float(probe_seconds),
    )
    is_text = output_format is Format.TEXT
    results: list[Result] = []
    try:
        for result in run_checks(asked):
            results.append(result)
            for line in lines(result) if is_text else ():
                typer.echo(line)
    except ClusterError as error:
        if is_text and results:
            typer.echo(
                f"stopped after {results[-1].check}; the results above are complete", err=True
            )
        raise error from None
    preflight_hint.remember(stack, own.address)
    if is_text:
        typer.echo(summary(stack, own.context, tuple(results)))
    else:
        answer = answer_of(stack, own, tuple(results), datetime.now(tz=UTC))
        typer.echo(json.dumps(answer, indent=2))
    if worst(tuple(results)) is Status.FAILED:
        raise typer.Exit(ExitCode.ERROR)
