"""Sends prompts to endpoints with inspect-ai, as a separate program.

inspect-ai (MIT; UK AI Security Institute) talks to any OpenAI-compatible endpoint, waits and tries
again when one throttles, removes reasoning from answers, and keeps a log that its viewer shows. It
is not a dependency, because it installs 100 packages: `pip install inspect-ai openai` in a separate
environment, and state the path of its program `inspect`. It gets keys as environment variables, so
that no key is in a file or on a command line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from breakeven.child_process import stop
from breakeven.evaluation import checks
from breakeven.evaluation.answers import Journal, digest_of
from breakeven.evaluation.prompts import Prompt
from breakeven.evaluation.record import TokenPrice

_POLL_SECONDS = 0.5


class RunError(Exception):
    """A run that could not continue; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint to ask.

    Attributes:
        name: "own", "judge", or the reference of an API.
        address: Of the OpenAI-compatible server, up to and with /v1.
        model: Model to request.
        answers_as: Other model names that its answers may state.
        key: Bearer token; empty for none.
        price: What it charges; None for own replicas.
        identity: What else determines its answers, such as the stack's weights.
    """

    name: str
    address: str
    model: str
    answers_as: tuple[str, ...] = ()
    key: str = field(default="", repr=False)
    price: TokenPrice | None = None
    identity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to ask.

    Attributes:
        prompts: The prompts.
        endpoints: Endpoints that answer them.
        judge: The judge; None if no prompt needs one.
        max_tokens: Maximum tokens of an answer, if its prompt states none.
        budget: Maximum cost of all requests, in USD.
        seconds: Maximum duration of a request.
        connections: Requests in flight at each endpoint.
    """

    prompts: Sequence[Prompt]
    endpoints: Sequence[Endpoint]
    judge: Endpoint | None
    max_tokens: int
    budget: float
    seconds: int
    connections: int

    def wanted(self) -> Mapping[tuple[str, str], str]:
        """Returns the digest of each request, by endpoint and prompt, in order of prompts."""
        return {
            (endpoint.name, prompt.id): digest_of(
                (
                    *(endpoint.address, endpoint.model, endpoint.identity, self.limit(prompt)),
                    prompt.chat,
                    dict(prompt.request),
                    prompt.check.model_dump(),
                    None if self.judge is None else self.judge.model,
                )
            )
            for prompt in self.prompts
            for endpoint in self.endpoints
        }

    @property
    def asked(self) -> tuple[Endpoint, ...]:
        """All endpoints that get requests, including the judge."""
        return (*self.endpoints, *(() if self.judge is None else (self.judge,)))

    def limit(self, prompt: Prompt) -> int:
        """Returns the maximum tokens of an answer."""
        return prompt.max_tokens or self.max_tokens

    def most_usd(self, endpoint: Endpoint) -> float:
        """Returns the maximum cost of an endpoint's answers, or of the judge's."""
        price = endpoint.price
        if price is None:
            return 0.0
        if endpoint is self.judge:
            return len(self.endpoints) * sum(
                self.most_usd_of_judgement(prompt) for prompt in self.prompts if prompt.check.judge
            )
        tokens = ((each.most_input_tokens, self.limit(each)) for each in self.prompts)
        return sum(_usd(price, inputs, outputs) for inputs, outputs in tokens)

    def most_usd_of_judgement(self, prompt: Prompt) -> float:
        """Returns the maximum cost of judging an answer to a prompt."""
        if self.judge is None or self.judge.price is None:
            return 0.0
        # Another tokenizer may split the answer into more tokens.
        read = prompt.most_input_tokens + 2 * self.limit(prompt) + 2_000
        return _usd(self.judge.price, read, JUDGE_TOKENS)


JUDGE_TOKENS = 2_000
"""Maximum tokens of a judgment, including its reasons."""


def _usd(price: TokenPrice, inputs: float, outputs: float) -> float:
    return (float(price.input) * inputs + float(price.output) * outputs) / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended.

    Attributes:
        stopped: Why it stopped early, "budget" or "interrupted"; empty if it asked everything.
        given_up: Why an endpoint got no further requests, by its name.
        errors: Requests without an answer, by endpoint: how many, and the last reason.
    """

    stopped: str
    given_up: Mapping[str, str]
    errors: Mapping[str, tuple[int, str]]


def configuration(
    plan: Plan, spent: float, missing: Sequence[tuple[str, str]], journal: Path
) -> Mapping[str, object]:
    """Returns the input of inspect-ai's task, without keys.

    Args:
        plan: What to ask.
        spent: USD that earlier runs have spent of the budget.
        missing: Endpoint and prompt of each request without an answer.
        journal: File to add answers to.
    """
    prompts = {prompt.id: prompt for prompt in plan.prompts}
    wanted = plan.wanted()
    return {
        "checks": checks.__file__,
        "journal": str(journal),
        "parent": os.getpid(),
        "budget": plan.budget - spent,
        "seconds": plan.seconds,
        "connections": plan.connections,
        "judge": None if plan.judge is None else plan.judge.name,
        "judgeTokens": JUDGE_TOKENS,
        "endpoints": {
            each.name: {
                "address": each.address,
                "model": each.model,
                "answersAs": list(each.answers_as),
                "key": _variable(number),
                "input": 0.0 if each.price is None else float(each.price.input),
                "output": 0.0 if each.price is None else float(each.price.output),
            }
            for number, each in enumerate(plan.asked)
        },
        "questions": [
            {
                "prompt": prompt,
                "endpoint": endpoint,
                "asked": wanted[endpoint, prompt],
                "messages": prompts[prompt].chat,
                "request": dict(prompts[prompt].request),
                "maxTokens": plan.limit(prompts[prompt]),
                "mostInputTokens": prompts[prompt].most_input_tokens,
                "mostUsdOfJudgement": plan.most_usd_of_judgement(prompts[prompt]),
                "check": prompts[prompt].check.model_dump(mode="json", exclude_none=True),
            }
            for endpoint, prompt in missing
        ],
    }


def _variable(number: int) -> str:
    return f"BREAKEVEN_EVALUATE_KEY_{number}"


def ask(  # noqa: PLR0913  # what is asked, by what, where it is kept, and who hears of it
    plan: Plan,
    *,
    program: str,
    task: Path,
    journal: Journal,
    missing: Sequence[tuple[str, str]],
    spent: float,
    tell: Callable[[int], None],
) -> Ending:
    """Sends the requests without an answer; each answer is kept at once, so Ctrl-C loses none.

    Args:
        plan: What to ask.
        program: `inspect`.
        task: Its task, charts/evaluation/ask.py.
        journal: Where answers are kept.
        missing: Endpoint and prompt of each request without an answer.
        spent: USD that earlier runs have spent of the budget.
        tell: Called from time to time with the number of answers.

    Raises:
        RunError: inspect was not found, or ended without sending requests.
    """
    start = journal.size
    logs = journal.path.with_suffix(".logs")
    with tempfile.TemporaryDirectory(prefix="breakeven-evaluate-") as scratch:
        settings = Path(scratch) / "run.json"
        settings.touch(mode=0o600)
        settings.write_text(
            json.dumps(configuration(plan, spent, missing, journal.path)), encoding="utf-8"
        )
        keys = {_variable(number): each.key for number, each in enumerate(plan.asked) if each.key}
        said = Path(scratch) / "output.log"
        command = [
            *(program, "eval", f"{task}@ask", "-T", f"run={settings}", "--model", "none"),
            *("--display", "none", "--log-dir", str(logs), "--no-fail-on-error"),
            *("--ctl-server", "false", "--max-samples", str(plan.connections * len(plan.asked))),
        ]

        def watch() -> None:
            tell(sum("asked" in line for line in journal.lines(start)))

        code, interrupted = _ended(command, {**os.environ, **keys}, said, watch)
        text = said.read_text(encoding="utf-8", errors="replace")
    ending = _ending(journal, start, interrupted=interrupted)
    if code and not interrupted and journal.size == start:
        last = (text.strip().splitlines() or ["no output"])[-1]
        for key in keys.values():
            last = last.replace(key, "***")
        msg = f"inspect sent no request: {last[:300]}. For its installation, see docs/evaluate.md"
        raise RunError(msg)
    return ending


def _ended(
    command: list[str], environment: Mapping[str, str], said: Path, watch: Callable[[], None]
) -> tuple[int, bool]:
    """Runs a program to its end; returns its exit code, and whether Ctrl-C ended it."""
    with said.open("wb") as output:
        try:
            child = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except OSError as error:
            msg = (
                f"{command[0]}: cannot start ({error.strerror}). Install it in a separate "
                "environment: python3 -m venv inspect && inspect/bin/pip install inspect-ai "
                "openai; then add --inspect inspect/bin/inspect"
            )
            raise RunError(msg) from error
        try:
            while child.poll() is None:
                time.sleep(_POLL_SECONDS)
                watch()
        except KeyboardInterrupt:
            return 0, True
        finally:
            stop(child, signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
    return child.returncode, False


def _ending(journal: Journal, start: int, *, interrupted: bool) -> Ending:
    stopped = "interrupted" if interrupted else ""
    given_up: dict[str, str] = {}
    errors: dict[str, tuple[int, str]] = {}
    for line in journal.lines(start):
        name = str(line.get("endpoint", ""))
        if "stopped" in line and not stopped:
            stopped = str(line["stopped"])
        if "givenUp" in line:
            given_up[name] = str(line["givenUp"])
        if "error" in line:
            errors[name] = (errors.get(name, (0, ""))[0] + 1, str(line["error"]))
    return Ending(stopped=stopped, given_up=given_up, errors=errors)
