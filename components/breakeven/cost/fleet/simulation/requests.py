"""Requests in flight: which replicas hold them, how many end in a step, how many wait.

A request stays with its replica. So after a start there are two groups for a while: replicas that
were there, with their queues, and fresh ones, which get all new requests until they hold as many
each. Replicas that stop are a third: they end what they have. Within a group all are alike.
"""

from __future__ import annotations

import math

from breakeven.cost.fleet.simulation.arithmetic import Arithmetic, Number
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS
from breakeven.cost.fleet.simulation.parameters import Parameters

_MEAN_OF_SMALLER = 2 / math.pi  # (2 x 0.399)^2: the mean of min(X, 0), X standard normal, is -0.399
_ROUNDING_VARIANCE = 1 / 6  # what rounding up or down by chance adds, in the mean


class Requests:
    """The requests of a fleet.

    Attributes:
        in_flight: Running and waiting; a whole number.
        waiting: Those without a slot.
        queue: Those of them before a request that comes now.
        queue_slots: Slots that work on that queue.
        leaving: Those in flight on replicas that stop.

    Args:
        parameters: Slots and times of a replica.
        arithmetic: Of floats or arrays.
        in_flight: At the start.
        ready: Replicas at the start.
    """

    def __init__(
        self,
        parameters: Parameters,
        arithmetic: Arithmetic,
        in_flight: Number,
        ready: Number,
    ) -> None:
        self._parameters = parameters
        self._arithmetic = arithmetic
        self.in_flight = in_flight
        self.queue_slots = ready * parameters.slots
        self.queue = self.waiting = arithmetic.maximum(in_flight - self.queue_slots, 0)
        self._ready = ready
        self._fresh_replicas = self._fresh = self.leaving = ready * 0

    def step(
        self,
        ready: Number,
        draining: Number,
        arrivals: Number,
        normal: Number,
        uniform: Number,
    ) -> Number:
        """Moves on and returns the requests that ended.

        Args:
            ready: Replicas that answer.
            draining: Replicas that only end what they have.
            arrivals: Requests that come.
            normal: Standard normal draw, for the number that ends.
            uniform: Draw from 0 to 1, for rounding it.
        """
        minimum, maximum = self._arithmetic.minimum, self._arithmetic.maximum
        slots, some = self._parameters.slots, self._arithmetic.any
        if some(ready != self._ready):
            self._regroup(ready)
        to_fresh = self._to_fresh(ready, arrivals)
        fresh, leaving = self._fresh + to_fresh, self.leaving
        fresh_replicas = self._fresh_replicas
        replicas = ready - fresh_replicas
        old = self.in_flight - self._fresh - leaving
        present = self.in_flight + arrivals
        mean = self._ending(old, arrivals - to_fresh, replicas)
        if some(fresh_replicas):
            ending = self._ending_of_some(self._fresh, to_fresh + leaving * 0, fresh_replicas)
            mean, fresh = mean + ending, fresh - ending
        stopping = maximum(draining, (leaving > 0) * 1)
        if some(leaving):
            ending = self._ending_of_some(leaving, leaving * 0, stopping)
            mean, leaving = mean + ending, leaving - ending
        ended = self._with_noise(mean, present, normal, uniform)
        self.in_flight = present - ended
        # Chance counts against the older replicas; the groups cannot hold more than there is.
        self._fresh = maximum(minimum(fresh, self.in_flight), 0)
        self.leaving = maximum(minimum(leaving, self.in_flight - self._fresh), 0)
        old_queue = maximum(self.in_flight - self._fresh - self.leaving - replicas * slots, 0)
        fresh_queue = maximum(self._fresh - fresh_replicas * slots, 0)
        self.waiting = old_queue + fresh_queue + maximum(self.leaving - stopping * slots, 0)
        apart = fresh_replicas > 0
        self.queue = old_queue + apart * (fresh_queue - old_queue)
        self.queue_slots = (replicas + apart * (fresh_replicas - replicas)) * slots
        return ended

    def divert(self, ready: Number) -> Number:
        """Lets a gateway send what ready replicas should not hold to an API; returns how many.

        Within a step some would have been sent on at once and some have ended meanwhile; what is
        beyond the limit at its end stands for both.
        """
        minimum, maximum = self._arithmetic.minimum, self._arithmetic.maximum
        held = self.in_flight - self.leaving
        diverted = maximum(held - self._parameters.overflow_requests * ready, 0)
        self.in_flight = self.in_flight - diverted
        self._fresh = minimum(self._fresh, self.in_flight - self.leaving)
        self.waiting = maximum(self.waiting - diverted, 0)
        self.queue = maximum(self.queue - diverted, 0)
        return diverted

    def _regroup(self, ready: Number) -> None:
        """Lets replicas join and stop; the newest stop first."""
        minimum, maximum = self._arithmetic.minimum, self._arithmetic.maximum
        before, fresh_replicas = self._ready, self._fresh_replicas
        removed = maximum(before - ready, 0)
        fresh_removed = minimum(removed, fresh_replicas)
        old_replicas = before - fresh_replicas
        old = self.in_flight - self._fresh - self.leaving
        from_fresh = self._fresh * fresh_removed / maximum(fresh_replicas, 1)
        from_old = old * (removed - fresh_removed) / maximum(old_replicas, 1)
        self._fresh = self._fresh - from_fresh
        self.leaving = self.leaving + from_fresh + from_old
        self._fresh_replicas = fresh_replicas - fresh_removed + maximum(ready - before, 0)
        self._ready = ready

    def _to_fresh(self, ready: Number, arrivals: Number) -> Number:
        """Returns the arrivals that fresh replicas get.

        Once they hold as many as the others the groups are one.
        """
        fresh_replicas = self._fresh_replicas
        if not self._arithmetic.any(fresh_replicas):
            return 0.0
        replicas = ready - fresh_replicas
        old = self.in_flight - self._fresh - self.leaving
        missing = fresh_replicas * old / self._arithmetic.maximum(replicas, 1) - self._fresh
        # Without older replicas whatever waits is theirs.
        apart = (arrivals < missing) & (replicas > 0)
        self._fresh_replicas = fresh_replicas * apart
        self._fresh = self._fresh * apart
        return arrivals * apart

    def _ending(self, present: Number, arrivals: Number, replicas: Number) -> Number:
        """Returns the requests of a group that end in a step, in the mean."""
        return _ending(self._arithmetic, present, arrivals, replicas, self._times)

    def _ending_of_some(self, present: Number, arrivals: Number, replicas: Number) -> Number:
        """Returns the same of a group that few fleets have at a time."""
        arithmetic = self._arithmetic
        return arithmetic.only(
            present + arrivals > 0,
            lambda present, arrivals, replicas, *times: _ending(
                arithmetic, present, arrivals, replicas, times
            ),
            (present, arrivals, replicas, *self._times),
        )

    @property
    def _times(self) -> tuple[Number, ...]:
        rules = self._parameters
        return rules.slots, rules.seconds_alone, rules.seconds_per_neighbour

    def _with_noise(self, mean: Number, present: Number, normal: Number, uniform: Number) -> Number:
        """Returns a whole number, by chance about the mean."""
        arithmetic = self._arithmetic
        minimum, maximum = arithmetic.minimum, arithmetic.maximum
        # While slots are filled again at once, ends are a Poisson process; else each request has
        # its chance.
        variance = mean * (1 - mean / maximum(present, 1) * (self.waiting <= 0))
        spread = arithmetic.sqrt(maximum(variance - _ROUNDING_VARIANCE, 0))
        return minimum(maximum(arithmetic.floor(mean + normal * spread + uniform), 0), present)


def _ending(
    arithmetic: Arithmetic,
    present: Number,
    arrivals: Number,
    replicas: Number,
    times: tuple[Number, ...],
) -> Number:
    """Returns the requests that end in a step, in the mean.

    Of those present at the start a share 1 - e^(-x) ends, x the step over the mean time of a
    request, and of those that come within it 1 - (1 - e^(-x)) / x; never more than the slots
    can end, which are filled again from the queue.
    """
    minimum, maximum = arithmetic.minimum, arithmetic.maximum
    slots, seconds_alone, seconds_per_neighbour = times
    some = maximum(replicas, 1)

    def at_the_speed_of(held: Number) -> Number:
        batch = minimum(maximum(held / some, 1), slots)
        turns = STEP_SECONDS / (seconds_alone + seconds_per_neighbour * (batch - 1))
        ending = 1 - arithmetic.exp(-turns)
        free = present * ending + arrivals * (1 - ending / turns)
        full = replicas * slots * turns
        # Within a step chance takes the number held above the slots and below: with a sixth of
        # the variance of arrivals, whose sum is known, and half of that of ends. Where requests are
        # short it is the variance of what the slots can end. The mean of the smaller of two is
        # below both, most where they are equal: 0.4 deviations.
        variance = minimum(maximum(arrivals / 6 + free / 2, 0) * turns * turns, full)
        noise = _MEAN_OF_SMALLER * variance
        gap = free - full
        return maximum((free + full - arithmetic.sqrt(gap * gap + noise)) / 2, 0)

    # Speed depends on how many are held in the middle of the step, so a first answer is needed.
    first = at_the_speed_of(present)
    return at_the_speed_of(present + (arrivals - first) / 2)
