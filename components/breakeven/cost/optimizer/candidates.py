"""What every configuration costs.

Configurations that differ in price alone share one simulated week and one capacity, so that
thousands of them take a few hundred plans. The overflow of all numbers of base nodes is read from
one load-duration curve. The bill of each has the lines that the code for a stack's bill writes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from breakeven.cost.api_cost import api_monthly
from breakeven.cost.as_hybrid import as_hybrid, usd_for_each_token_out
from breakeven.cost.bill.bill import unpriced
from breakeven.cost.bill.priced_ledger import PricedLedger
from breakeven.cost.bill.pricing import charged, price_infrastructure
from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.capacity.objectives import Objectives, largest_kept
from breakeven.cost.capacity.roofline import TENSOR_PARALLEL
from breakeven.cost.demand.load_duration import LoadDuration
from breakeven.cost.fleet.plan import Fleet, FleetWeek, plan_week, units_needed
from breakeven.cost.optimizer.capacities import Capacities
from breakeven.cost.optimizer.offers import offers
from breakeven.cost.optimizer.search import (
    Offer,
    Search,
    ServingConfiguration,
    assumptions_for,
    with_nodes,
)
from breakeven.money import to_decimal

_TARGETS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""Requests in flight that autoscaling may aim at, up to the stack's own target: fewer give faster
tokens and need more replicas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A configuration with its cost. Money in USD per month.

    Attributes:
        configuration: Which.
        capacity: What one replica serves.
        monthly: Everything counted: machines, people, contingency, API.
        api_monthly: What the API takes of it for the overflow; 0 unless it is a hybrid.
        mean_nodes: Nodes paid, averaged over time.
        peak_nodes: Most nodes of any hour.
        peak_replicas: Most replicas of any hour.
        busy_share: Work done over work that the paid nodes could do, 0 to 1.
        own_share: Requests that own nodes serve over all requests, 0 to 1.
        objective_share: Requests whose first token comes in time, 0 to 1; None if the week was
            planned and not simulated.
    """

    configuration: ServingConfiguration
    capacity: ReplicaCapacity
    monthly: Decimal
    api_monthly: Decimal
    mean_nodes: float
    peak_nodes: int
    peak_replicas: int
    busy_share: float
    own_share: float
    objective_share: float | None = None


@dataclass(slots=True)
class Counts:
    """What became of the configurations.

    Attributes:
        evaluated: Those that were priced.
        too_many_gpus: Those of them that need more GPUs than allowed.
        too_little_memory: Engines that do not hold the model, and so were not priced.
        without_kernels: Engines whose GPUs vLLM has no kernels for the model on.
        too_late: Engines that miss the objective for the first token even with one request in
            flight.
        too_slow: Engines that miss the inter-token objective even then.
    """

    evaluated: int = 0
    too_many_gpus: int = 0
    too_little_memory: int = 0
    without_kernels: int = 0
    too_late: int = 0
    too_slow: int = 0


class Evaluator:
    """Evaluates the configurations of a search; keeps what several of them need.

    Attributes:
        search: What is asked.
        counts: How many configurations were evaluated so far.
        not_priced: Resources without a price, which no total contains.
    """

    def __init__(self, search: Search) -> None:
        self.search = search
        self.counts = Counts()
        assumptions = search.assumptions
        self.rates = assumptions.load.requests_per_second()
        self.peak_rate = float(self.rates.max()) * assumptions.load.burst_factor
        apis = assumptions.comparators
        self.overflow = min(apis, key=assumptions.usd_by_api, default=None)
        self.overflow_monthly = (
            Decimal(0) if self.overflow is None else api_monthly(self.overflow, assumptions)
        )
        self.not_priced = unpriced(search.ledgers[search.precision], assumptions)
        self._ledgers = {precision: charged(ledger) for precision, ledger in search.ledgers.items()}
        ledger, hybrid = as_hybrid(search.ledgers[search.precision], assumptions)
        out = usd_for_each_token_out(price_infrastructure(ledger, hybrid.week(), hybrid))
        self._text_to_api = out * assumptions.tokens_per_day
        self.minutes = LoadDuration.of(assumptions.load)
        self._capacities = Capacities(search)
        self._priced: dict[tuple[str, str, str, bool, bool], PricedLedger] = {}
        self._weeks: dict[tuple[float, Fleet], FleetWeek] = {}

    def evaluate_all(self) -> list[Candidate]:
        """Evaluates each configuration that fits its memory and needs no more GPUs than allowed."""
        return [
            candidate
            for offer in offers(self.search)
            for precision in self.search.ledgers
            for parallel in self._divisions(offer)
            for candidate in self._engine(offer, precision, parallel)
        ]

    def evaluate(self, configuration: ServingConfiguration, capacity: ReplicaCapacity) -> Candidate:
        """Returns the cost of one configuration if a replica serves `capacity`."""
        if configuration.operation == "hybrid":
            return self._hybrid(configuration, capacity)
        return self.evaluate_fleet(configuration, capacity, self.fleet(configuration, capacity))

    def fleet(self, configuration: ServingConfiguration, capacity: ReplicaCapacity) -> Fleet:
        """Returns the fleet that serves the peak minute."""
        search, per_node = self.search, configuration.replicas_per_node
        needed = int(units_needed(self.peak_rate, capacity.requests_per_second))
        highest = max(search.lowest_replicas, needed)
        autoscaled = configuration.operation == "autoscaled"
        if configuration.operation == "hybrid":
            highest = configuration.base_nodes * per_node
        return Fleet(
            lowest=search.lowest_replicas if autoscaled else highest,
            highest=highest,
            autoscaling=autoscaled,
            replicas_per_node=per_node,
            gpus_per_node=configuration.offer.gpus_per_node,
            fixed_nodes=None if autoscaled else math.ceil(highest / per_node),
            start_seconds=search.start_seconds[configuration.precision],
            scale_down_seconds=search.assumptions.fleet.scale_down_seconds,
        )

    def _own_monthly(
        self,
        configuration: ServingConfiguration,
        capacity: ReplicaCapacity,
        fleet: Fleet,
        week: FleetWeek,
    ) -> Decimal:
        offer, precision = configuration.offer, configuration.precision
        is_hybrid = configuration.operation == "hybrid"
        key = offer.machine, offer.purchase, precision, fleet.fixed_nodes is None, is_hybrid
        if key not in self._priced:
            search = self.search
            ledger = with_nodes(self._ledgers[precision], offer, search.assumptions.cloud)
            assumptions = assumptions_for(search, configuration, capacity, fleet)
            if is_hybrid:
                ledger, assumptions = as_hybrid(ledger, assumptions)
            self._priced[key] = PricedLedger(ledger, assumptions)
        return self._priced[key].total(week)

    def _divisions(self, offer: Offer) -> Iterator[int]:
        for parallel in TENSOR_PARALLEL:
            if offer.gpus_per_node % parallel == 0 and self.search.model.splits_over(parallel):
                yield parallel

    def _engine(self, offer: Offer, precision: str, parallel: int) -> Iterator[Candidate]:
        """Evaluates all ways to run one engine on one kind of node."""
        full = ServingConfiguration(
            offer=offer,
            precision=precision,
            tensor_parallel=parallel,
            operation="fixed",
            requests_in_flight=self.search.largest_batch,
        )
        if not self.search.model.runs_on(offer.gpu, precision):
            self.counts.without_kernels += 1
            return
        capacity = self._capacities.of(full)
        if capacity is None:
            self.counts.too_little_memory += 1
            return
        for configuration in self._configurations(full, capacity):
            capacity = self._capacities.of(configuration)
            if capacity is None:
                msg = "an engine fits whatever the requests in flight"
                raise AssertionError(msg)
            candidate = self.evaluate(configuration, capacity)
            self.counts.evaluated += 1
            if candidate.peak_nodes * offer.gpus_per_node > self.search.max_gpus:
                self.counts.too_many_gpus += 1
            else:
                yield candidate

    def _configurations(
        self, full: ServingConfiguration, capacity: ReplicaCapacity
    ) -> Iterator[ServingConfiguration]:
        """Yields the ways to run one engine: with all requests it admits, and within objectives."""
        within = self._within_objectives(full, capacity)
        for requests in (self.search.largest_batch, *within):
            configuration = replace(full, requests_in_flight=requests)
            yield configuration
            found = self._capacities.of(configuration)
            if found is not None:
                yield from self._hybrids(configuration, found)
        yield from self._autoscaled(full, within)

    def _within_objectives(
        self, full: ServingConfiguration, capacity: ReplicaCapacity
    ) -> tuple[int, ...]:
        """Returns the most requests in flight by all objectives, and by each alone, if fewer."""
        objectives, most = self.search.objectives, capacity.concurrent_requests

        def within(some: Objectives) -> int:
            return largest_kept(most, lambda batch: self._keeps(full, batch, some))

        tokens = within(replace(objectives, first_token_seconds=math.inf))
        first = within(replace(objectives, inter_token_seconds=math.inf))
        self.counts.too_slow += not tokens
        self.counts.too_late += not first
        return tuple(sorted({tokens, first} - {0, most}))

    def _keeps(self, full: ServingConfiguration, batch: int, objectives: Objectives) -> bool:
        capacity = self._capacities.of(replace(full, requests_in_flight=batch))
        return capacity is not None and objectives.missed(capacity.latencies) is None

    def _autoscaled(
        self, full: ServingConfiguration, within: Sequence[int]
    ) -> Iterator[ServingConfiguration]:
        if not full.offer.nodes_follow:
            return
        highest = self.search.target_requests
        lower = {target for target in (*_TARGETS, *within) if target < highest}
        for target in sorted({highest, *lower}):
            yield replace(full, operation="autoscaled", requests_in_flight=target)

    def _hybrids(
        self, full: ServingConfiguration, capacity: ReplicaCapacity
    ) -> Iterator[ServingConfiguration]:
        """Tries each number of base nodes that leaves something to the API."""
        if self.overflow is None or self.search.own_load.unit != "request":
            return
        per_node = capacity.requests_per_second * full.replicas_per_node
        most = self.search.max_gpus // full.offer.gpus_per_node
        for nodes in range(1, most + 1):
            if nodes * per_node >= self.minutes.peak:
                return
            yield replace(full, operation="hybrid", base_nodes=nodes)

    def evaluate_fleet(
        self,
        configuration: ServingConfiguration,
        capacity: ReplicaCapacity,
        fleet: Fleet,
    ) -> Candidate:
        """Returns the cost of a configuration that serves everything itself.

        Args:
            configuration: Which.
            capacity: What one replica serves.
            fleet: How its nodes come and go.
        """
        week = self._week(capacity.requests_per_second, fleet)
        return Candidate(
            configuration=configuration,
            capacity=capacity,
            monthly=self._own_monthly(configuration, capacity, fleet, week),
            api_monthly=Decimal(0),
            mean_nodes=week.mean_nodes,
            peak_nodes=math.ceil(week.peak_replicas / fleet.replicas_per_node),
            peak_replicas=week.peak_replicas,
            busy_share=week.busy_share,
            own_share=1.0,
        )

    def _hybrid(self, configuration: ServingConfiguration, capacity: ReplicaCapacity) -> Candidate:
        nodes = configuration.base_nodes
        fleet = self.fleet(configuration, capacity)
        most = nodes * fleet.replicas_per_node * capacity.requests_per_second
        share = self.minutes.served_share(most)
        fee = Decimal(0) if self.overflow is None else self.overflow.monthly_fee
        by_load = self.overflow_monthly - fee + self._text_to_api
        overflow = fee + by_load * to_decimal(1 - share)
        week = FleetWeek(
            mean_nodes=float(nodes),
            peak_replicas=fleet.highest,
            busy_share=min(share * self.minutes.mean / most, 1.0),
            unserved_share=1 - share,
        )
        return Candidate(
            configuration=configuration,
            capacity=capacity,
            monthly=self._own_monthly(configuration, capacity, fleet, week) + overflow,
            api_monthly=overflow,
            mean_nodes=week.mean_nodes,
            peak_nodes=nodes,
            peak_replicas=week.peak_replicas,
            busy_share=week.busy_share,
            own_share=share,
        )

    def _week(self, requests_per_second: float, fleet: Fleet) -> FleetWeek:
        key = requests_per_second, fleet
        if key not in self._weeks:
            burst = self.search.assumptions.load.burst_factor
            self._weeks[key] = plan_week(self.rates, burst, requests_per_second, fleet)
        return self._weeks[key]
