"""`breakeven evaluate`: evaluates endpoints on the user's own prompts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from breakeven.cli.completion import StackArgument
from breakeven.cli.documents.writing import as_json
from breakeven.cli.evaluate.endpoints import EvaluateError, Stated, endpoints_of
from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.cli.options.signed_record import KeyOption, signing_key, write_record
from breakeven.evaluation.answers import Answer, Journal
from breakeven.evaluation.prompts import FEW, PromptError, PromptFile, read_prompts
from breakeven.evaluation.record import Asked, Evaluation, as_text, results_of
from breakeven.evaluation.run import Ending, Endpoint, Plan, RunError, ask
from breakeven.planning.offline import LoadedStack, load_stack, load_stack_of_one_model
from breakeven.planning.own_evaluation import own_model
from breakeven.reports.document.quality import quality_part
from breakeven.reports.estimate_text import quality_text
from breakeven.reports.formatting import counted, usd, usd_for_one
from breakeven.settings.files import EVALUATIONS, ROOT

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TASK = ROOT / "charts" / "evaluation" / "ask.py"
TOOL = "inspect-ai"


def evaluate(  # noqa: PLR0913  # one argument an option
    stack: StackArgument,
    *,
    prompts: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="File with your prompts and checks, one JSON object per line."
        ),
    ],
    endpoints: Annotated[
        list[str] | None,
        typer.Option(
            "--endpoint",
            metavar="NAME=URL",
            help="Endpoint to evaluate: own=URL for the stack's replica, PROVIDER/MODEL=URL for "
            "an API; may be repeated.",
        ),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=URL", help="Model that judges answers, for prompts with a judge check."
        ),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model", metavar="NAME=MODEL", help="Name of the model at an endpoint, if it differs."
        ),
    ] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--api-key",
            metavar="NAME=VARIABLE",
            help="Environment variable with the key of an endpoint.",
        ),
    ] = None,
    prices: Annotated[
        list[str] | None,
        typer.Option(
            "--price",
            metavar="NAME=INPUT/OUTPUT",
            help="Price in USD per 1M tokens, if the price book has none.",
        ),
    ] = None,
    answers_as: Annotated[
        list[str] | None,
        typer.Option(
            "--answers-as",
            metavar="NAME=MODEL",
            help="Another model name that the endpoint may return, if it is the same model.",
        ),
    ] = None,
    max_tokens: Annotated[
        int,
        typer.Option(
            min=1, max=1_000_000, help="Maximum output tokens per answer, including reasoning."
        ),
    ] = 2048,
    budget: Annotated[
        float, typer.Option(min=0, metavar="USD", help="Maximum cost of all requests, in USD.")
    ] = 5.0,
    timeout: Annotated[
        int, typer.Option(min=1, max=3600, help="Timeout of a request, in seconds.")
    ] = 120,
    connections: Annotated[
        int, typer.Option(min=1, max=100, help="Requests in flight at each endpoint.")
    ] = 4,
    inspect: Annotated[
        str,
        typer.Option(
            metavar="PROGRAM",
            help="Path of inspect, the program of inspect-ai that sends the requests.",
        ),
    ] = "inspect",
    key: KeyOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Start without confirmation.")] = False,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Evaluate models on your own prompts, and show the cost per solved task.

    Sends the same prompts to every endpoint and checks each answer. Shows the maximum cost first,
    and starts no request that could exceed the budget. After Ctrl-C, answers are kept; run the same
    command again to continue. Writes a record without prompts and answers to stacks/evaluations/;
    estimates use it as long as model and precision stay the same. Prompts are sent only to the
    endpoints that you name. Exit code: 1 if an answer is missing.

    Example: breakeven evaluate aws-prod --prompts prompts.jsonl --endpoint
        own=http://localhost:8000
    --endpoint openai/gpt-5.6-luna=https://api.openai.com --api-key
    openai/gpt-5.6-luna=OPENAI_API_KEY
    """
    today = datetime.now(tz=UTC).date()
    signing = signing_key(key)
    loaded = load_stack_of_one_model(stack, "breakeven evaluate")
    stated = Stated(
        endpoints=endpoints or (),
        judge=judge,
        models=models or (),
        keys=keys or (),
        prices=prices or (),
        answers_as=answers_as or (),
    )
    try:
        file = read_prompts(prompts)
    except PromptError as error:
        raise EvaluateError(str(error)) from error
    asked, judging = endpoints_of(loaded, stated, today)
    _check_judge(file, judging)
    plan = Plan(
        prompts=file.prompts,
        endpoints=asked,
        judge=judging if file.is_judged else None,
        max_tokens=max_tokens,
        budget=budget,
        seconds=timeout,
        connections=connections,
    )
    journal = Journal(EVALUATIONS / ".answers" / f"{stack}.jsonl")
    with journal.alone() as is_alone:
        if not is_alone:
            msg = f"another evaluation of stack {stack} is running. Wait until it ends, or stop it"
            raise EvaluateError(msg)
        _confirm(plan, file, journal, assume=yes)
        ending = _asked(plan, journal, inspect)
        evaluation, answers = _summed_up(loaded, plan, file, journal, ending)
        path = _write(stack, evaluation, journal, signing)
    _show(stack, evaluation, path, answers, output_format)
    if not evaluation.complete:
        raise typer.Exit(1)


def _check_judge(file: PromptFile, judge: Endpoint | None) -> None:
    if file.is_judged and judge is None:
        first = next(each.id for each in file.prompts if each.check.judge is not None)
        msg = (
            f"prompt {first} has a judge check, but --judge is missing. Required: --judge "
            "PROVIDER/MODEL=URL, with a model that is not being evaluated"
        )
        raise EvaluateError(msg)


def _confirm(plan: Plan, file: PromptFile, journal: Journal, *, assume: bool) -> None:
    kept = journal.answers(plan.wanted())
    total = len(plan.endpoints) * len(plan.prompts)
    lines = [f"{counted(len(file.prompts), 'prompt')}, {counted(total, 'request')} to:"]
    most = 0.0
    for endpoint in (*plan.endpoints, *([plan.judge] if plan.judge is not None else [])):
        least = plan.most_usd(endpoint)
        most += least
        cost = f"at most {_usd(least)}"
        if endpoint.price is None:
            cost = "billed per hour, not included"
        lines.append(f"  {endpoint.name}: {endpoint.model} at {endpoint.address}; {cost}")
    lines.append(
        f"Maximum cost: {_usd(most)}, if every answer has {plan.max_tokens:,} tokens or the "
        f"limit in its prompt. No request that could exceed {_usd(plan.budget)} (--budget) is "
        "started."
    )
    if kept:
        there = f"{counted(len(kept), 'answer')} from an earlier run"
        lines.append(f"{there}, for {_usd(_spent(kept))}.")
    if len(file.prompts) < FEW:
        lines.append(
            f"With fewer than {FEW} prompts, pass rates are too uncertain to distinguish models."
        )
    lines.append(f"Answers are stored in {journal.path.parent}, which only you can read.")
    typer.echo("\n".join(lines), err=True)
    if not assume and not typer.confirm("Start?", default=True, err=True):
        msg = "no request was sent"
        raise EvaluateError(msg)


def _spent(answers: Sequence[Answer]) -> float:
    return sum(each.usd + each.judge_usd for each in answers)


def _usd(amount: float) -> str:
    """Formats USD; below a dollar to a hundredth of a cent."""
    exact = Decimal(str(amount))
    return usd(exact) if exact >= 1 else usd_for_one(round(exact, 4))


def _asked(plan: Plan, journal: Journal, program: str) -> Ending:
    wanted = plan.wanted()
    kept = journal.answers(wanted)
    have = {(each.endpoint, each.prompt) for each in kept}
    missing = [place for place in wanted if place not in have]
    if not missing:
        return Ending(stopped="", given_up={}, errors={})
    shown = [0]

    def tell(answered: int) -> None:
        step = max(1, len(missing) // 10)
        if answered // step > shown[0] // step:
            shown[0] = answered
            typer.echo(f"{len(kept) + answered:,} of {len(wanted):,} answers", err=True)

    try:
        return ask(
            plan,
            program=program,
            task=TASK,
            journal=journal,
            missing=missing,
            spent=_spent(kept),
            tell=tell,
        )
    except RunError as error:
        raise EvaluateError(str(error)) from error


def _summed_up(
    loaded: LoadedStack, plan: Plan, file: PromptFile, journal: Journal, ending: Ending
) -> tuple[Evaluation, tuple[Answer, ...]]:
    wanted = plan.wanted()
    answers = journal.answers(wanted)
    troubles = _troubles(plan, answers, ending)
    results = results_of(
        [Asked(each.name, each.model, each.price) for each in plan.endpoints], answers
    )
    if not results:
        msg = "\n".join(["no endpoint gave an answer; nothing was recorded.", *troubles])
        raise EvaluateError(msg)
    for trouble in troubles:
        typer.echo(trouble, err=True)
    evaluation = Evaluation(
        own=own_model(loaded.settings),
        prompts=len(file.prompts),
        prompts_sha256=file.sha256,
        results=results,
        judge="" if plan.judge is None else plan.judge.model,
        tool=journal.tool or TOOL,
        day=datetime.now(tz=UTC).date(),
        complete=len(answers) == len(wanted),
    )
    return evaluation, answers


def _write(
    stack: str, evaluation: Evaluation, journal: Journal, key: Ed25519PrivateKey | None
) -> Path:
    path = EVALUATIONS / f"{stack}-{evaluation.day.isoformat()}.json"
    write_record(path, as_text(evaluation), key)
    if evaluation.complete:
        # A later evaluation starts over; these answers are kept.
        journal.path.replace(journal.path.with_name(f"{path.stem}.jsonl"))
    return path


def _show(
    stack: str,
    evaluation: Evaluation,
    path: Path,
    answers: Sequence[Answer],
    output_format: Format,
) -> None:
    report = load_stack(stack).report()
    if output_format is Format.JSON:
        quality = quality_part(report)
        output = {
            "record": str(path),
            "complete": evaluation.complete,
            "spent": f"{_spent(answers):.6f}",
            "quality": None if quality is None else quality.model_dump(by_alias=True),
        }
        typer.echo(as_json("evaluate", output))
        return
    typer.echo(quality_text(report), nl=False)
    typer.echo(f"Written: {path} (spent {_usd(_spent(answers))})")


def _troubles(plan: Plan, answers: Sequence[Answer], ending: Ending) -> list[str]:
    said = []
    if ending.stopped == "budget":
        said.append("Stopped: the next request could exceed --budget. Raise it to continue.")
    elif ending.stopped:
        said.append("Stopped. Run the same command again to continue.")
    for name, reason in ending.given_up.items():
        said.append(f"Stopped sending requests to {name}: {reason}.")
    for name, (count, reason) in ending.errors.items():
        if name not in ending.given_up:
            said.append(f"{name} did not answer {counted(count, 'request')}; last error: {reason}.")
    for endpoint in plan.endpoints:
        own = [each for each in answers if each.endpoint == endpoint.name]
        empty = sum(each.empty for each in own)
        if empty:
            said.append(
                f"{endpoint.name}: {empty:,} of {len(own):,} answers are empty and count as "
                f"failed. If reasoning uses up --max-tokens {plan.max_tokens}, raise it."
            )
    return said
