"""`breakeven evaluate`: how well endpoints answer the user's own prompts."""

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
        typer.Option(metavar="FILE", help="Your prompts and checks, one JSON object a line."),
    ],
    endpoints: Annotated[
        list[str] | None,
        typer.Option(
            "--endpoint",
            metavar="NAME=URL",
            help="Whom to ask: own=URL for the stack's replica, PROVIDER/MODEL=URL for an API; "
            "repeat it.",
        ),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(metavar="NAME=URL", help="Model that judges where a prompt asks for a judge."),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model", metavar="NAME=MODEL", help="Model to ask for, if its name there differs."
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
            help="USD per 1M tokens, where no price is known.",
        ),
    ] = None,
    answers_as: Annotated[
        list[str] | None,
        typer.Option(
            "--answers-as",
            metavar="NAME=MODEL",
            help="Another name by which an endpoint answers, if it is the same model.",
        ),
    ] = None,
    max_tokens: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Most tokens of an answer, thoughts included.")
    ] = 2048,
    budget: Annotated[
        float, typer.Option(min=0, metavar="USD", help="What all requests may cost together.")
    ] = 5.0,
    timeout: Annotated[
        int, typer.Option(min=1, max=3600, help="Seconds that a request may take.")
    ] = 120,
    connections: Annotated[
        int, typer.Option(min=1, max=100, help="Requests in flight at each endpoint.")
    ] = 4,
    inspect: Annotated[
        str, typer.Option(metavar="PROGRAM", help="inspect of inspect-ai, which asks.")
    ] = "inspect",
    key: KeyOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Start without asking.")] = False,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Evaluate how well models answer your own prompts, and show what a solved task costs.

    Every endpoint gets the same prompts, and each answer is checked. What it costs at most is shown
    first, and no request starts that could exceed the budget. After Ctrl-C the answers are kept,
    and the same command goes on. The record, without prompts and answers, is written to
    stacks/evaluations/; estimates use it while model and precision stay the same. Prompts go to the
    endpoints that you name and nowhere else. Exit codes: 1 if not every answer came.

    Example: breakeven evaluate aws-prod --prompts prompts.jsonl --endpoint own=http://localhost:8000
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
            msg = f"another evaluation of stack {stack} goes on. Wait for it, or stop it"
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
            f"prompt {first} asks for a judge, and there is none. Needed: --judge "
            "PROVIDER/MODEL=URL, a model other than those that are evaluated"
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
            cost = "paid by the hour, not counted"
        lines.append(f"  {endpoint.name}: {endpoint.model} at {endpoint.address}; {cost}")
    lines.append(
        f"All together cost at most {_usd(most)}, if every answer has "
        f"{plan.max_tokens:,} tokens or what its prompt states. No request starts that could "
        f"exceed {_usd(plan.budget)} (--budget)."
    )
    if kept:
        there = f"{counted(len(kept), 'answer')} of them are there already"
        lines.append(f"{there}, for {_usd(_spent(kept))}.")
    if len(file.prompts) < FEW:
        lines.append(f"Below {FEW} prompts, pass rates are not sure enough to tell models apart.")
    lines.append(f"Answers are kept in {journal.path.parent}, which only you can read.")
    typer.echo("\n".join(lines), err=True)
    if not assume and not typer.confirm("Start?", default=True, err=True):
        msg = "nothing was asked"
        raise EvaluateError(msg)


def _spent(answers: Sequence[Answer]) -> float:
    return sum(each.usd + each.judge_usd for each in answers)


def _usd(amount: float) -> str:
    """Writes USD; below a dollar to a hundredth of a cent."""
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
        # A later evaluation starts over; these answers stay readable.
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
        said.append("Stopped: the next request could exceed --budget. Raise it to go on.")
    elif ending.stopped:
        said.append("Stopped. The same command goes on where it was.")
    for name, reason in ending.given_up.items():
        said.append(f"{name} was not asked further: {reason}.")
    for name, (count, reason) in ending.errors.items():
        if name not in ending.given_up:
            said.append(
                f"{name} did not answer {counted(count, 'request')}; the last one: {reason}."
            )
    for endpoint in plan.endpoints:
        own = [each for each in answers if each.endpoint == endpoint.name]
        empty = sum(each.empty for each in own)
        if empty:
            said.append(
                f"{endpoint.name}: {empty:,} of {len(own):,} answers are empty and count as "
                f"failed. Where thoughts use up --max-tokens {plan.max_tokens}, raise it."
            )
    return said
