"""What a replica of each engine serves, worked out once."""

from __future__ import annotations

from breakeven.cost.capacity.capacity import ModelDoesNotFitError, ReplicaCapacity, replica_capacity
from breakeven.cost.optimizer.search import Search, ServingConfiguration


class Capacities:
    """The capacities of a search; configurations with the same engine share one."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._known: dict[tuple[str, str, int, int], ReplicaCapacity | None] = {}

    def of(self, configuration: ServingConfiguration) -> ReplicaCapacity | None:
        """Returns what a replica serves, or None if the model does not fit it."""
        key = (
            configuration.offer.gpu.name,
            configuration.precision,
            configuration.tensor_parallel,
            configuration.requests_in_flight,
        )
        if key not in self._known:
            self._known[key] = self._worked_out(configuration)
        return self._known[key]

    def measured(self, configuration: ServingConfiguration) -> float | None:
        """Returns the user's own measurement of that engine, in output tokens per second."""
        measured = self._search.measured
        engine = (
            configuration.offer.gpu.name,
            configuration.precision,
            configuration.tensor_parallel,
        )
        if measured is None or engine != (
            measured.gpu,
            measured.precision,
            measured.tensor_parallel,
        ):
            return None
        return measured.output_tokens_per_second

    def _worked_out(self, configuration: ServingConfiguration) -> ReplicaCapacity | None:
        search, load = self._search, self._search.own_load
        try:
            return replica_capacity(
                search.model,
                precision=configuration.precision,
                gpu=configuration.offer.gpu,
                tensor_parallel=configuration.tensor_parallel,
                gpu_memory_utilization=search.gpu_memory_utilization,
                max_model_length=search.max_model_length,
                input_tokens=load.input_tokens,
                output_tokens=load.steps,
                cached_input_share=load.cached_input_share,
                concurrency_limit=configuration.requests_in_flight,
                measured_output_tokens_per_second=self.measured(configuration),
                measured_requests=search.measured_requests,
                adapter_bytes=search.adapter_bytes,
                techniques=search.techniques.on(
                    configuration.offer.gpu, configuration.tensor_parallel
                ),
            )
        except ModelDoesNotFitError:
            return None
