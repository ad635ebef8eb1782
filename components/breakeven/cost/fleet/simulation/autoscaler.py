"""The number of replicas, as KEDA and the horizontal pod autoscaler set it.

The rule of kubernetes/kubernetes pkg/controller/podautoscaler (horizontal.go and
replica_calculator.go) for external metrics with target AverageValue, with the behaviour of
charts/autoscaling/scaled-object.yaml.j2. A schedule is one more of them: KEDA's cron scaler reports
the replicas of the hour. Not simulated: the lag of a scrape (up to 15 seconds), and
the fallback while Prometheus does not answer.
"""

from __future__ import annotations

from breakeven.cost.fleet.simulation.arithmetic import Arithmetic, Number
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS
from breakeven.cost.fleet.simulation.parameters import Parameters

TOLERANCE = 0.1
"""Share by which a metric may miss its target before anything changes: the HPA's default."""

GROWTH = 2
"""Replicas over those of a period before, at most: policy Percent 100."""

REMOVAL_SECONDS = 60
"""At most one replica is removed in a number of seconds: policy Pods 1 in 60 seconds."""

WAKING_SECONDS = 120
"""The gateway's requests of so long wake the first replica and keep it. After that KEDA waits for
cooldownPeriod, which is the scale-down window."""


class Autoscaler:
    """Follows requests in flight and requests waiting; from zero, those that come.

    Args:
        parameters: Bounds, targets and the scale-down window.
        arithmetic: Of floats or arrays.
        replicas: At the start.
    """

    def __init__(self, parameters: Parameters, arithmetic: Arithmetic, replicas: Number) -> None:
        self.replicas = replicas
        self._parameters = parameters
        self._arithmetic = arithmetic
        self._recommended = arithmetic.window(parameters.scale_down_steps, replicas)
        self._steps_since_removal = replicas * 0 + REMOVAL_SECONDS // STEP_SECONDS
        self._period_before = arithmetic.delay(parameters.growth_steps - 1, replicas)
        self._never_zero = parameters.lowest > 0
        self._may_be_zero = arithmetic.any(parameters.lowest == 0)
        waking = parameters.lowest * 0 + WAKING_SECONDS // STEP_SECONDS
        self._wanted = arithmetic.window(waking, (replicas > 0) * 1)
        self._active = arithmetic.window(parameters.scale_down_steps, (replicas > 0) * 1)
        self._floor = arithmetic.maximum(parameters.lowest, 1)

    def step(self, in_flight: Number, waiting: Number, came: Number, scheduled: Number) -> Number:
        """Returns the replicas of the next step.

        Args:
            in_flight: Requests running and waiting, of all replicas.
            waiting: Those of them that wait.
            came: Requests at the gateway, wherever it sent them.
            scheduled: Fewest replicas by the schedule now; 0 for none.
        """
        rules, minimum, maximum = (
            self._parameters,
            self._arithmetic.minimum,
            self._arithmetic.maximum,
        )
        replicas = self.replicas
        desired = maximum(
            self._answer(in_flight, rules.target_requests),
            self._answer(waiting, rules.target_waiting),
        )
        desired = maximum(desired, scheduled)
        # The window holds recommendations before it and before the policies, as the HPA's does.
        stable = minimum(maximum(replicas, desired), self._recommended.push(desired))
        since = self._steps_since_removal + 1
        removed = (stable < replicas) & (since >= REMOVAL_SECONDS // STEP_SECONDS)
        self._steps_since_removal = since * (1 - removed)
        # Events of the period are undone to find where it began: horizontal.go, scaleUpLimit. What
        # KEDA raised from zero is not such an event.
        began = maximum(self._period_before.push(replicas), 1)
        grown = minimum(stable, maximum(GROWTH * began, replicas))
        allowed = maximum(grown, replicas - removed)
        bounded = minimum(maximum(allowed, self._floor), rules.highest)
        if self._may_be_zero:
            # While none is ready the gateway sends all to the API, and nothing is in flight.
            wanted = maximum(self._wanted.push((came > 0) * 1), (in_flight > 0) * 1)
            wanted = maximum(wanted, (scheduled > 0) * 1)
            bounded = bounded * maximum(self._active.push(wanted), self._never_zero * 1)
        self.replicas = bounded
        return bounded

    def _answer(self, usage: Number, target: Number) -> Number:
        replicas = self.replicas
        met = target * replicas
        off = abs(usage - met) > TOLERANCE * met
        return replicas + off * (self._arithmetic.ceil(usage / target) - replicas)
