"""How many requests have their first token in time: prompts differ, and hold up each other.

vLLM works on prompts in the steps that give running requests their tokens (chunked prefill): a step
carries the tokens of the running requests and prompts up to a budget, first come, first served; a
prompt that is longer takes several steps. A request gets its first token at the end of the step
that carries the end of its prompt. It waits for

- a slot, as the simulation has it;
- the end of the step that runs when it comes, and the prompts that come during it and share the
  next one: even over a step, which is longer by what prompts add to it;
- the prompts before it: a queue with one server and service times of any distribution
  (Pollaczek and Khinchine), whose tail falls exponentially;
- its own prompt, and the tokens of the others in its steps.

tests/unit/cost/fleet/simulation/engine_steps.py runs single steps of one replica to compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.fleet.simulation.arithmetic import Number
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration, ReplicaSpeed
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS

_FULLEST = 0.98  # of the time that prompts may take; a longer queue is one for slots
_RATES = 24
_PATIENCES = 65
_BLOCK = 60  # steps whose requests are judged at once

Array = NDArray[np.float64]


def shares_in_time(
    speed: ReplicaSpeed, rates: Array | Sequence[float], patience: Array | Sequence[float]
) -> Array:
    """Returns the share of requests that have their first token in time, a rate a row.

    Args:
        speed: Of the replica; where its prompts are not known, all take `first_token_seconds`.
        rates: Requests a second that one replica starts.
        patience: Seconds from getting a slot to the first token, 0 or more.
    """
    rate = np.asarray(rates, dtype=np.float64)[:, np.newaxis]
    patient = np.asarray(patience, dtype=np.float64)[np.newaxis, :]
    prompts = speed.prompts
    if prompts is None:
        return np.broadcast_to(
            (patient >= speed.first_token_seconds) * 1.0, (len(rate), patient.shape[1])
        )
    work = np.asarray(prompts.work)
    # Requests in flight: the rate times how long they stay, which grows with their number.
    each = speed.seconds_per_neighbour
    held = rate * (speed.seconds_alone - each) / np.maximum(1 - rate * each, 1e-9)
    held = np.clip(held, rate * speed.seconds_alone, speed.slots)
    growth = (prompts.decode_full - prompts.decode_alone) / max(speed.slots - 1, 1)
    decode = prompts.decode_alone + growth * (np.maximum(held, 1.0) - 1)
    others = 1 - np.exp(-held)

    # Fewer replicas get all prompts where the others only generate.
    rate = rate / prompts.share_of_replicas
    served = work + np.asarray(prompts.budget_share) * decode
    busy = np.minimum(rate * served.mean(axis=1, keepdims=True), _FULLEST)
    mean = served.mean(axis=1, keepdims=True)
    tail = (served**2).mean(axis=1, keepdims=True) / (2 * mean * (1 - busy))
    span = decode * (1 + 4 * np.minimum(rate * work.mean(), 1.0))

    own = np.maximum(work + np.asarray(prompts.steps) * decode, np.asarray(prompts.alone))
    left = patient[:, :, np.newaxis] - own[:, np.newaxis, :]
    waited = _waited(left, span[:, :, np.newaxis], busy[:, :, np.newaxis], tail[:, :, np.newaxis])
    middles = (np.arange(len(work)) + 0.5) / len(work)
    alone = np.interp(patient, prompts.alone, middles, left=0.0, right=1.0)
    return np.asarray(others * waited.mean(axis=2) + (1 - others) * alone)


def _waited(left: Array, span: Array, busy: Array, tail: Array) -> Array:
    """Returns P(U + W <= left): U even from 0 to `span`, W 0 or, if `busy`, exponential."""
    within = np.clip(left, 0.0, span)
    reached = np.maximum(left, 0.0)
    later = np.exp(-np.maximum(reached - within, 0.0) / tail) - np.exp(-reached / tail)
    return np.asarray((within - busy * tail * later) / span)


@lru_cache(maxsize=256)
def _table(speed: ReplicaSpeed, objective_seconds: float) -> tuple[float, Array]:
    """Returns the highest rate, and the shares for rates up to it and patience to the objective."""
    fastest = speed.slots / speed.seconds_full
    rates = np.linspace(0.0, fastest, _RATES)
    patience = np.linspace(0.0, objective_seconds, _PATIENCES)
    return fastest, shares_in_time(speed, rates, patience)


def share_alone(speed: ReplicaSpeed, objective_seconds: float) -> float:
    """Returns the share in time of requests that find a replica without any other, 0 to 1."""
    return float(shares_in_time(speed, [0.0], [objective_seconds])[0, 0])


def late_requests(
    configuration: FleetConfiguration, kept: Array, queue: Array, pace: Array, ready: Array
) -> Array:
    """Returns how many requests of each step miss the objective.

    Args:
        configuration: What answers.
        kept: Requests that come and that no gateway sends on.
        queue: Requests before one that comes.
        pace: How many of them get a slot in a second; 0 with nothing ready.
        ready: Replicas that answer.
    """
    speed, objective = configuration.speed, configuration.objective_seconds
    fastest, shares = _table(speed, objective)
    # Whoever waits for a slot starts when one gets free, not when it comes.
    row = np.minimum(kept / (STEP_SECONDS * np.maximum(ready, 1.0)) / fastest, 1.0) * (_RATES - 1)
    in_time = np.interp(row, np.arange(_RATES), shares[:, -1])
    waits = (queue > 0) | (pace <= 0)
    if waits.any():
        in_time[waits] = _after_queue(row[waits], queue[waits], pace[waits], objective, shares)
    return np.asarray(kept * (1 - in_time))


def _after_queue(row: Array, queue: Array, pace: Array, objective: float, shares: Array) -> Array:
    """Looks shares up, between rows and columns, for requests that wait for a slot before."""
    wait = np.divide(queue, pace, out=np.full_like(queue, np.inf), where=pace > 0)
    place = np.maximum(1 - wait / objective, 0.0) * (_PATIENCES - 1)
    upper = np.minimum(row.astype(np.int64), _RATES - 2)
    left = np.minimum(place.astype(np.int64), _PATIENCES - 2)
    down, right = row - upper, place - left
    above = shares[upper, left] * (1 - right) + shares[upper, left + 1] * right
    below = shares[upper + 1, left] * (1 - right) + shares[upper + 1, left + 1] * right
    return np.asarray((above * (1 - down) + below * down) * (wait < objective))


class LateRequests:
    """Counts the requests that miss the objective, of many configurations at once.

    Args:
        configurations: One or more.
        counts: Elements of the arrays for each of them.
    """

    def __init__(self, configurations: Sequence[FleetConfiguration], counts: Sequence[int]) -> None:
        self._parts: list[tuple[FleetConfiguration, int, int]] = []
        end = 0
        for one, count in zip(configurations, counts, strict=True):
            begin, end = end, end + count
            key = (one.speed, one.objective_seconds)
            if self._parts:
                last, first, _ = self._parts[-1]
                if (last.speed, last.objective_seconds) == key:
                    self._parts[-1] = (last, first, end)
                    continue
            self._parts.append((one, begin, end))
        self._steps: list[tuple[Number, ...]] = []
        self._late = np.zeros(end)

    def add(self, *step: Number) -> None:
        """Takes the arrays of a step, in the order of `late_requests`."""
        self._steps.append(step)
        if len(self._steps) == _BLOCK:
            self._judge()

    def late(self) -> Array:
        """Returns how many of all requests so far are late, an element each."""
        self._judge()
        return self._late

    def _judge(self) -> None:
        if not self._steps:
            return
        width = len(self._late)
        blocks = [
            np.asarray([np.broadcast_to(np.asarray(value), width) for value in values])
            for values in zip(*self._steps, strict=True)
        ]
        self._steps.clear()
        for configuration, first, end in self._parts:
            kept, queue, pace, ready = (block[:, first:end] for block in blocks)
            self._late[first:end] += late_requests(configuration, kept, queue, pace, ready).sum(
                axis=0
            )
