"""First tokens of one real replica under load, and what the model predicts from unloaded times.

Measured with nothing else in flight are a step with one request and with all slots taken, prompts
that come at once, and the first token of a short one. From them alone come the planned curve
(`cost.fleet.simulation.first_token`), the simulation of single requests, and that of single steps.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

import aiohttp
import numpy as np
from numpy.typing import NDArray

from breakeven.cost.demand.lengths import CONVERSATIONS, relative_lengths
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration, ReplicaSpeed
from breakeven.cost.fleet.simulation.demand import draw
from breakeven.cost.fleet.simulation.prompt_times import PromptTimes
from breakeven.cost.fleet.simulation.simulate import simulate_weeks
from tests.unit.cost.fleet.simulation.cases import CONFIGURATION
from tests.unit.cost.fleet.simulation.discrete_event import event_week
from tests.unit.cost.fleet.simulation.engine_steps import StepEngine, first_token_times
from tests.vllm.client import authorised
from tests.vllm.rendered import KEY
from tests.vllm.server import Server

SLOTS = 32
BUDGET = 512
INPUT, OUTPUT = 256, 64
"""A quarter of the 1,024 and 256 tokens that stacks state, as the budget is one of 2,048."""

LENGTHS = tuple(max(1, round(INPUT * relative)) for relative in relative_lengths(CONVERSATIONS))
_TEXT = range(10, 260)  # of the tiny model's vocabulary: plain letters
_LAYERS, _WIDTH = 4, 256
_SHORT, _PROMPTS = 16, 2 * SLOTS

WITHOUT = ("--dtype", "--load-format")
FLAGS = (
    # Large enough that the step decides, not the server around it; CPUs are fast in this type only.
    "--dtype=float32",
    "--load-format=dummy",
    "--hf-overrides="
    + json.dumps(
        {
            "hidden_size": _WIDTH,
            "num_hidden_layers": _LAYERS,
            "intermediate_size": 4 * _WIDTH,
            "num_attention_heads": _WIDTH // 64,
            "num_key_value_heads": 1,
            "head_dim": 64,
        }
    ),
    f"--max-num-seqs={SLOTS}",
    f"--max-num-batched-tokens={BUDGET}",
    # The first token is sent at once, the others in groups: the server is not what is measured.
    "--stream-interval=64",
)
"""Flags of the measured engine in the place of `WITHOUT`; all others are the stack's."""

Seconds = NDArray[np.float64]


@dataclass(frozen=True)
class Unloaded:
    """Times of the engine with nothing else in flight, in seconds.

    Attributes:
        decode_alone: A step with one request in flight.
        decode_full: A step with all slots taken.
        token: What a token of a prompt adds to a step.
        overhead: To the first token of the shortest prompt.
    """

    decode_alone: float
    decode_full: float
    token: float
    overhead: float

    def between(self, other: Unloaded) -> Unloaded:
        """The times halfway between two measurements."""
        both = zip(astuple(self), astuple(other), strict=True)
        return Unloaded(*((one + another) / 2 for one, another in both))

    def speed(self) -> ReplicaSpeed:
        """The replica as the estimate has it: the arithmetic of `speed_of` and `prompt_times`."""
        prompts = PromptTimes(
            alone=tuple(self.overhead + length * self.token for length in LENGTHS),
            work=tuple(length * self.token for length in LENGTHS),
            steps=tuple(math.ceil(length / BUDGET) for length in LENGTHS),
            budget_share=tuple(length / BUDGET for length in LENGTHS),
            decode_alone=self.decode_alone,
            decode_full=self.decode_full,
        )
        alone = OUTPUT * self.decode_alone + INPUT * self.token
        full = OUTPUT * self.decode_full + SLOTS * INPUT * self.token
        return ReplicaSpeed(
            slots=SLOTS,
            seconds_alone=alone,
            seconds_full=full,
            first_token_seconds=self.overhead + INPUT * self.token,
            planned_requests_per_second=SLOTS / full,
            prompts=prompts,
        )

    def step_engine(self) -> StepEngine:
        """The same for the simulation of single steps."""
        return StepEngine(
            BUDGET,
            self.decode_alone,
            (self.decode_full - self.decode_alone) / (SLOTS - 1),
            self.token,
            self.overhead,
            LENGTHS,
            OUTPUT,
            SLOTS,
        )


@dataclass(frozen=True)
class Timed:
    """One request: seconds from its sending."""

    first: float
    last: float


async def measure_unloaded(server: Server) -> Unloaded:
    """Measures the engine's times in some six seconds; nothing else may be sent to it meanwhile.

    A core that others use as well has another speed a minute later: measure before each load.
    """
    async with _session() as session:
        await _ask(session, server, INPUT, OUTPUT)  # what is compiled or allocated at first
        alone = [await _ask(session, server, INPUT, OUTPUT) for _ in range(3)]
        full = await asyncio.gather(
            *(_ask(session, server, INPUT, 2 * OUTPUT) for _ in range(SLOTS))
        )
        began = time.perf_counter()
        await asyncio.gather(*(_ask(session, server, INPUT, 1) for _ in range(_PROMPTS)))
        prompts = time.perf_counter() - began
        short = [(await _ask(session, server, _SHORT, 1)).first for _ in range(7)]
    step = statistics.median(one.last - one.first for one in alone) / (OUTPUT - 1)
    tokens = _PROMPTS * INPUT
    # Each step that carries prompts alone takes about as long as one that carries a token.
    token = max(prompts - tokens / BUDGET * step, 0.0) / tokens
    return Unloaded(
        decode_alone=step,
        # The quickest of them began last, when no prompt was left.
        decode_full=min(one.last - one.first for one in full) / (2 * OUTPUT - 1),
        token=token,
        overhead=max(statistics.median(short) - _SHORT * token, step),
    )


async def first_tokens(server: Server, rate: float, seconds: float, seed: int) -> Seconds:
    """Sends requests at random (Poisson) for some time, and waits for their answers.

    Returns:
        Seconds to the first token of each, without the first tenth.
    """
    draws = random.Random(seed)  # noqa: S311  # arrivals
    async with _session() as session:
        began = time.monotonic()
        at, sent = 0.0, []
        while (at := at + draws.expovariate(rate)) < seconds:
            await asyncio.sleep(max(0.0, began + at - time.monotonic()))
            output = max(1, math.ceil(draws.expovariate(1 / OUTPUT)))
            request = _ask(session, server, draws.choice(LENGTHS), output, draws)
            sent.append(asyncio.create_task(request))
        answers = await asyncio.gather(*sent)
    return np.asarray([answer.first for answer in answers[len(answers) // 10 :]])


def by_step(unloaded: Unloaded, rate: float, seconds: float) -> Seconds:
    """Returns first tokens of the simulation of single steps, of ten runs as long as the real."""
    requests = max(10, round(rate * seconds))
    return np.concatenate(
        [first_token_times(unloaded.step_engine(), rate, requests, seed) for seed in range(10)]
    )


def _one_replica(speed: ReplicaSpeed) -> FleetConfiguration:
    fleet = replace(CONFIGURATION.fleet, lowest=1, highest=1, autoscaling=False, fixed_nodes=1)
    return replace(CONFIGURATION, fleet=fleet, speed=speed)


def by_request(speed: ReplicaSpeed, rate: float) -> Seconds:
    """Returns first tokens of an hour in the simulation of single requests."""
    arrivals = draw(np.asarray([rate]), 1.0, 0).arrivals
    return event_week(arrivals, _one_replica(speed), 0).first_tokens


def planned_shares(speed: ReplicaSpeed, rate: float, patience: Sequence[float]) -> Seconds:
    """Returns the planned share of first tokens within each of some times, of an hour."""
    configurations = [
        replace(_one_replica(speed), objective_seconds=seconds) for seconds in patience
    ]
    weeks = simulate_weeks(np.asarray([rate]), 1.0, configurations, 0)
    return np.asarray([week.objective_share for week in weeks])


def knee(loads: Sequence[float], shares: Sequence[float], share: float) -> float:
    """Returns the load at which a falling share crosses a value; infinity where it does not."""
    for place in range(1, len(loads)):
        above, below = shares[place - 1], shares[place]
        if below < share <= above:
            part = (above - share) / (above - below)
            return loads[place - 1] + part * (loads[place] - loads[place - 1])
    return loads[0] if shares[0] < share else math.inf


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=300)
    )


async def _ask(
    session: aiohttp.ClientSession,
    server: Server,
    length: int,
    output: int,
    draws: random.Random | None = None,
) -> Timed:
    draws = draws or random.Random()  # noqa: S311  # prompts
    body = {
        "model": server.engine.model,
        # Numbers, so that nothing is split into tokens; drawn, so that no prefix is found again.
        "prompt": draws.choices(_TEXT, k=length),
        "max_tokens": output,
        "ignore_eos": True,
        "stream": True,
    }
    began = time.perf_counter()
    first = 0.0
    async with session.post(
        f"{server.address}/v1/completions", json=body, headers=authorised(KEY)
    ) as response:
        response.raise_for_status()
        async for line in response.content:
            if not first and line.startswith(b"data:"):
                first = time.perf_counter() - began
    return Timed(first, time.perf_counter() - began)
