"""How long requests wait for their tokens while prompts of others are worked on in between.

vLLM works on prompts in the steps that give the running requests their tokens (chunked prefill): a
step carries as many tokens of prompts as its budget leaves room for, and all running requests wait
for it. Prompts start at random, and their lengths differ: most steps carry none, some a long one or
several. An objective for 95% of tokens is about the step that 95% of steps are shorter than.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from breakeven.cost.capacity.roofline import Engine, RequestShape, StepTimes, step_times
from breakeven.cost.fleet.simulation.result import OBJECTIVE_SHARE

Objective: TypeAlias = Literal["first-token", "inter-token"]
"""Which latency an objective is about."""

_MOST_PROMPTS = 32.0  # in a step, up to which their number is drawn; beyond in proportion


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """Latencies of a replica with all its slots taken, in seconds.

    Attributes:
        inter_token: Between two tokens of a request, in the mean; 0 if none are written.
        inter_token_p95: The same for 95% of tokens.
        first_token_p95: To the first token for 95% of requests, with a slot free: the running step
            ends first, and the prompt shares its own steps with the other requests. To the answer,
            where a text is only read.
    """

    inter_token: float
    inter_token_p95: float
    first_token_p95: float

    def of(self, objective: Objective) -> float:
        """Returns the latency that an objective is about."""
        return self.first_token_p95 if objective == "first-token" else self.inter_token_p95

    def slower(self, factor: float) -> Latencies:
        """Returns them for a replica that takes so many times as long."""
        return Latencies(
            inter_token=self.inter_token * factor,
            inter_token_p95=self.inter_token_p95 * factor,
            first_token_p95=self.first_token_p95 * factor,
        )


def latencies(
    engine: Engine, request: RequestShape, concurrency: int, times: StepTimes | None = None
) -> Latencies:
    """Returns the latencies of a replica.

    Args:
        engine: Model and GPUs.
        request: A mean request.
        concurrency: Requests in flight, 1 or more.
        times: Those of `step_times`, where they are known already.
    """
    times = times or step_times(engine, request, concurrency)
    if not engine.model.generates:
        # All that are in flight are read, one after the other; nothing is written afterwards.
        read = prompts_in_step(concurrency - 1, own=True) * times.prefill
        last = max(times.first_token, times.decode + read)
        return Latencies(inter_token=0.0, inter_token_p95=0.0, first_token_p95=last)
    prompts_per_step = (concurrency - 1) / request.output_tokens
    new_tokens = max(request.input_tokens - request.cached_input_tokens, 1.0)
    # A prompt longer than the budget takes several steps.
    most = engine.batched_tokens / new_tokens
    parts = max(1.0, 1 / most)
    beside = min(prompts_in_step(prompts_per_step * parts) / parts, most)
    with_own = prompts_in_step(prompts_per_step * parts, own=True) / parts * times.prefill
    steps = math.ceil(parts) + 1
    return Latencies(
        inter_token=times.decode + prompts_per_step * times.prefill,
        inter_token_p95=times.decode + beside * times.prefill,
        first_token_p95=max(times.first_token, with_own * parts) + steps * times.decode,
    )


@lru_cache(maxsize=4096)
def prompts_in_step(mean: float, *, own: bool = False) -> float:
    """Returns the work of prompts that 95% of steps do not exceed, in mean prompts.

    The number of prompts is Poisson distributed, and the length of each exponentially: its
    coefficient of variation is 0.96 in both of Azure's traces of 2023 (conversations, code).

    Args:
        mean: Prompts that a step carries in the mean, 0 or more.
        own: Whether one more, whose first token is waited for, is always among them.
    """
    if mean > _MOST_PROMPTS:
        return prompts_in_step(_MOST_PROMPTS, own=own) * mean / _MOST_PROMPTS
    low, high = 0.0, 8.0 + 4 * mean
    if _exceeds(low, mean, own=own) <= 1 - OBJECTIVE_SHARE:
        return 0.0
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        if _exceeds(middle, mean, own=own) > 1 - OBJECTIVE_SHARE:
            low = middle
        else:
            high = middle
    return high


def _exceeds(work: float, mean: float, *, own: bool) -> float:
    # n exponential lengths exceed `work` together if a Poisson variable of mean `work` is below n.
    number, below = 0, 0.0
    chance, term = math.exp(-mean), math.exp(-work)
    if own:
        below, term = term, term * work
    total = chance * below
    most = int(mean + 10 * math.sqrt(mean) + 10)
    while number < most:
        number += 1
        chance *= mean / number
        below += term
        term *= work / (number + own)
        total += chance * below
    return total
