"""One replica step by step, as vLLM schedules chunked prefill, to check the curve of first tokens.

Each step carries a token of every running request and prompts up to the budget, first come, first
served. Requests come at random (Poisson), prompts are drawn from the lengths, outputs are
geometric. Nothing of the formulas of `first_token` is used.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StepEngine:
    """A replica.

    Attributes:
        budget: Tokens of prompts in a step.
        decode_alone: Seconds of a step with one request in flight.
        decode_each: What each further one adds.
        token_seconds: What a token of a prompt adds to its step.
        overhead: Least seconds of a step that carries prompts alone.
        lengths: Tokens of prompts, of equal weight.
        output_tokens: Mean output.
        slots: Requests that it runs at once; more of them wait.
    """

    budget: int
    decode_alone: float
    decode_each: float
    token_seconds: float
    overhead: float
    lengths: tuple[int, ...]
    output_tokens: float
    slots: float = math.inf


def first_token_times(
    engine: StepEngine, rate: float, requests: int, seed: int
) -> NDArray[np.float64]:
    """Returns the seconds to the first token of each of some requests.

    Args:
        engine: The replica.
        rate: Requests a second.
        requests: How many come; the first tenth is left out.
        seed: Of the draws.
    """
    random = np.random.default_rng(seed)
    arrivals = np.cumsum(random.exponential(1 / rate, requests))
    prompts = random.choice(engine.lengths, requests)
    outputs = random.geometric(1 / engine.output_tokens, requests)
    prefill: deque[list[int]] = deque()  # number, tokens left
    running: list[list[int]] = []  # number, output left
    first_at = np.zeros(requests)
    now, came = 0.0, 0
    while came < requests or prefill or running:
        if not (prefill or running):
            now = max(now, float(arrivals[came]))
        while came < requests and arrivals[came] <= now:
            prefill.append([came, int(prompts[came])])
            came += 1
        room = engine.budget
        done: list[int] = []
        while prefill and room > 0 and len(running) + len(done) < engine.slots:
            chunk = min(room, prefill[0][1])
            prefill[0][1] -= chunk
            room -= chunk
            if prefill[0][1] == 0:
                done.append(prefill.popleft()[0])
        worked = (engine.budget - room) * engine.token_seconds
        if running:
            now += engine.decode_alone + engine.decode_each * (len(running) - 1) + worked
        else:
            now += max(worked + engine.overhead, engine.decode_alone)
        first_at[done] = now
        running = [[number, left - 1] for number, left in running if left > 1]
        running += [[number, int(outputs[number]) - 1] for number in done if outputs[number] > 1]
    return np.asarray((first_at - arrivals)[requests // 10 :])
