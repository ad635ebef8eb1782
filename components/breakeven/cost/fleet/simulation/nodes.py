"""The nodes under the replicas, as the scheduler fills them and Karpenter starts and removes them.

A node is started when no node has room, for whole replicas, and removed some time after its last
replica is gone (WhenEmpty). Kubernetes removes replicas from the fullest node first
(ActivePodsWithRanks in pkg/controller/controller_utils.go), and the stack spreads them, so the last
replicas of all nodes go last: n nodes stay as long as there are n replicas. Only replicas that are
not ready yet go before, and with them the nodes that nothing has become ready on.
"""

from __future__ import annotations

from breakeven.cost.fleet.simulation.arithmetic import Arithmetic, Number
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS
from breakeven.cost.fleet.simulation.parameters import Parameters

NOTICE_SECONDS = 120
"""From a spot interruption's notice to the end of the node (AWS)."""

_LAST_REQUEST = 0.56
"""Requests left, in the mean, when the last of many exponential times ends: e^(-0.5772)."""


class Nodes:
    """Nodes paid, and replicas ready.

    Attributes:
        nodes: That exist.
        ready: Replicas that answer.
        draining: Replicas that end what they run and take nothing new.
        interrupted: Nodes that got notice in this step.

    A start that takes n steps is the smallest of the last n + 1 steps: what was removed meanwhile
    was removed from those that were not ready yet, as Kubernetes does.

    Args:
        parameters: Room of a node, and times.
        arithmetic: Of floats or arrays.
        replicas: At the start, all of them ready.
    """

    def __init__(self, parameters: Parameters, arithmetic: Arithmetic, replicas: Number) -> None:
        self._parameters = parameters
        self._arithmetic = arithmetic
        needed = arithmetic.ceil(replicas / parameters.replicas_per_node)
        self.nodes = arithmetic.maximum(needed, parameters.fixed_nodes)
        self.ready = replicas
        self.draining = self.interrupted = self._stopped = replicas * 0
        self._occupied = arithmetic.window(parameters.consolidate_steps + 1, needed)
        self._started = arithmetic.window(parameters.node_start_steps + 1, -self.nodes)
        self._settled = arithmetic.window(parameters.load_steps + 1, -self.nodes)
        self._loaded = arithmetic.window(parameters.load_steps + 1, -replicas)
        self._gone = arithmetic.window(parameters.grace_steps + 1, self._stopped)
        self._settled_nodes = self.nodes
        self._pending = self._stopped
        self._interrupts = arithmetic.any(parameters.interruptions_per_step > 0)

    def step(self, replicas: Number, leaving: Number, chance: Number) -> None:
        """Moves on: `ready`, `draining` and `nodes` then are those of this step.

        Args:
            replicas: That the autoscaler wants.
            leaving: Requests that replicas which stop still run.
            chance: From 0 to 1, for interruptions.
        """
        rules, minimum, maximum = (
            self._parameters,
            self._arithmetic.minimum,
            self._arithmetic.maximum,
        )
        room = rules.replicas_per_node
        # Replicas that were ready hold their GPUs until their last request has ended, or until they
        # are killed at the end of their grace.
        stopping = maximum(self.ready - replicas, 0)
        self._stopped = self._stopped + stopping
        within_grace = self._stopped + self._gone.push(-self._stopped)
        running = self._arithmetic.ceil(leaving - _LAST_REQUEST)
        self.draining = maximum(stopping, minimum(within_grace, running))
        pods = replicas + self.draining
        # A node that was ordered joins before it can be removed.
        occupied = maximum(
            self._arithmetic.ceil(pods / room), minimum(self._settled_nodes, pods) + self._pending
        )
        self.nodes = maximum(self._occupied.push(occupied), rules.fixed_nodes)
        lost: Number = 0
        standing = self.nodes
        if self._interrupts:
            expected = self.nodes * rules.interruptions_per_step
            self.interrupted = minimum(self._arithmetic.floor(expected + chance), self.nodes)
            standing = self.nodes - self.interrupted
            lost = self.interrupted * self._arithmetic.ceil(replicas / maximum(self.nodes, 1))
        started = -self._started.push(-standing)
        self._pending = standing - started
        self._settled_nodes = -self._settled.push(-started)
        placed = maximum(minimum(replicas - lost, started * room - self.draining), 0)
        self.ready = -self._loaded.push(-placed)

    @property
    def paid(self) -> Number:
        """Nodes paid in this step; an interrupted one lasts its notice, while the next one runs."""
        return self.nodes + self.interrupted * (NOTICE_SECONDS / STEP_SECONDS)
