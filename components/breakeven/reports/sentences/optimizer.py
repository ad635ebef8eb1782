"""The answer of a search for the cheapest configuration, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.cost.calendar import CALENDAR_MONTH
from breakeven.cost.optimizer.candidates import Candidate, Counts
from breakeven.cost.optimizer.conclusion import Conclusion
from breakeven.cost.optimizer.constraints import Constraint
from breakeven.cost.optimizer.ranking import ConstraintMet, Obstacles, Recommendation
from breakeven.cost.optimizer.search import Search
from breakeven.reports.formatting import counted, usd
from breakeven.reports.sentences.apis import api_notes, comparison_caveats
from breakeven.reports.sentences.descriptions import capacity_band, capacity_method
from breakeven.reports.sentences.line_items import not_priced_name
from breakeven.reports.sentences.recommendation import kept_inside_sentence
from breakeven.reports.sentences.units import in_time, measured_speed


def describe(candidate: Candidate) -> str:
    """Names a configuration, such as "up to 5 replicas of 1 x l40s in bf16 on g6e.xlarge"."""
    configuration = candidate.configuration
    offer = configuration.offer
    count = counted(candidate.peak_replicas, "replica")
    if configuration.operation == "autoscaled" and candidate.peak_replicas > 1:
        count = f"up to {count}"
    rest = ""
    if candidate.own_share < 1:
        rest = f", with {1 - candidate.own_share:.0%} of requests sent to an API"
    return (
        f"{count} of {configuration.tensor_parallel} x {offer.gpu.name} in "
        f"{configuration.precision} on {offer.machine}, {offer.purchase}{rest}"
    )


def conclusion_sentences(recommendation: Recommendation) -> str:
    """Says what to do, why, and whose requests cannot follow the advice."""
    conclusion = recommendation.conclusion
    sentences = _conclusion(conclusion)
    kept = recommendation.search.assumptions.kept_inside
    if kept is None or conclusion.choice not in ("api", "hosted"):
        return sentences
    return f"{sentences} {kept_inside_sentence(kept)} No API may serve them."


def _conclusion(conclusion: Conclusion) -> str:
    best, api = conclusion.best, conclusion.api
    costs = f"{describe(best)}: {usd(best.monthly)}/month"
    if api is None:
        return f"Self-host: every API is excluded (see the notes). Cheapest option: {costs}."
    name, slower = api.price.reference, usd(conclusion.monthly_if_slower)
    error = f"{best.capacity.error_percent:.0f}%"
    if conclusion.ground == "data-stays":
        return f"Prompts must stay inside, so self-host. Cheapest option: {costs}."
    if conclusion.ground == "api-cheaper":
        ratio = f" ({best.monthly / api.monthly:,.1f}x)" if api.monthly else ""
        return (
            f"The API is cheaper: {name} costs {usd(api.monthly)}/month. Cheapest self-hosted "
            f"option: {costs}{ratio}."
        )
    if conclusion.ground == "depends-on-capacity":
        return (
            f"Stay on {name} at {usd(api.monthly)}/month until you have measured one replica. "
            f"{costs} is estimated to be cheaper, but costs {slower}/month if a replica serves "
            f"{error} less."
        )
    return (
        f"Self-hosting is cheaper. Cheapest option: {costs}; {name} costs {usd(api.monthly)}/month."
        f" It stays cheaper if a replica serves {error} less ({slower}/month)."
    )


def constraint_name(constraint: Constraint) -> str:
    """Names a condition, with its limit."""
    milliseconds = f"{(constraint.limit_seconds or 0) * 1000:,.6g} ms"
    return {
        "first-token": f"First token within {milliseconds} (95% of requests, excluding queueing)",
        "inter-token": f"Inter-token latency at most {milliseconds} (95% of tokens)",
        "data-stays": "Prompts stay inside (network.dataMayLeave: false)",
        "precision": f"Weights stay in {constraint.precision}",
    }[constraint.kind]


def place(search: Search) -> str:
    """Says where nodes are rented, such as " in aws us-east-1"; empty where none are."""
    assumptions = search.assumptions
    return "" if assumptions.cloud == "none" else f" in {assumptions.cloud} {assumptions.region}"


def evaluated(search: Search, counts: Counts) -> str:
    """Returns how many configurations were evaluated, and why others were not."""
    parts = [f"{counts.evaluated:,} configurations evaluated{place(search)}"]
    if counts.too_many_gpus:
        parts.append(f"{counts.too_many_gpus:,} need more than {counted(search.max_gpus, 'GPU')}")
    if counts.too_little_memory:
        engines = counted(counts.too_little_memory, "engine")
        verb = "has" if counts.too_little_memory == 1 else "have"
        parts.append(f"{engines} {verb} too little memory for the model")
    if counts.without_kernels:
        engines = counted(counts.without_kernels, "engine")
        parts.append(f"{engines} left out because vLLM has no kernels for the model there")
    for missed, objective in ((counts.too_late, "first-token"), (counts.too_slow, "inter-token")):
        if missed:
            parts.append(
                f"{counted(missed, 'engine')} left out because even a single request misses the "
                f"{objective} objective"
            )
    return f"{'; '.join(parts)}."


def obstacle_sentences(obstacles: Obstacles) -> tuple[str, ...]:
    """Returns why no configuration meets all constraints."""
    return tuple(_obstacles(obstacles))


def recommendation_notes(recommendation: Recommendation) -> tuple[str, ...]:
    """Returns notes on the figures."""
    apis = (recommendation.api, *recommendation.hosted)
    assumptions = recommendation.search.assumptions
    return (
        *comparison_caveats(assumptions),
        *_notes(recommendation),
        *api_notes(apis),
    )


def _obstacles(obstacles: Obstacles) -> Iterator[str]:
    search, counts = obstacles.search, obstacles.counts
    ways = counts.evaluated + counts.too_little_memory + counts.without_kernels
    gpus = ", ".join(search.gpus) or "any GPU"
    if not ways:
        yield (
            f"no node with {gpus} has a price{place(search)}; priced there: "
            f"{', '.join(obstacles.priced_gpus) or 'none'}"
        )
        return
    if not obstacles.candidates:
        kernels = ""
        if counts.without_kernels:
            kernels = f", {counts.without_kernels:,} are on GPUs for which vLLM has no kernels"
        yield (
            f"{search.model.name} on {gpus}{place(search)} within {counted(search.max_gpus, 'GPU')}"
            f": of {ways:,} configurations, {counts.too_little_memory:,} have too little memory"
            f"{kernels} and {counts.too_many_gpus:,} need more GPUs. Replicas that span several "
            "nodes are not evaluated: set engine.pipelineParallel and run breakeven estimate"
        )
        return
    for one in obstacles.constraints:
        yield _met(one, obstacles.candidates)


def _met(one: ConstraintMet, candidates: int) -> str:
    fastest = ""
    if one.fastest_seconds is not None:
        fastest = f"; the fastest takes {one.fastest_seconds * 1000:,.1f} ms"
    name = constraint_name(one.constraint)
    return f"{name}: {one.candidates:,} of {candidates:,} configurations meet it{fastest}"


def _notes(recommendation: Recommendation) -> Iterator[str]:
    search, ranked = recommendation.search, recommendation.ranked
    best = ranked[0]
    capacity = best.capacity
    yield (
        "In the top-ranked configuration, one replica serves "
        f"{capacity.total_tokens_per_second:,.0f} tokens per second. Method: "
        f"{capacity_method(capacity)}, {capacity_band(capacity)}."
    )
    unknown = sum(one.capacity.is_unknown for one in ranked)
    if unknown:
        yield (
            f"{counted(unknown, 'configuration')} ranked last: no measurement of such a model on "
            "such GPUs is published, so their capacity is unknown. Measure a replica and set "
            f"{measured_speed(search.own_load.unit)}."
        )
    if search.own_load.unit == "request":
        yield "ms/token: 95% of the tokens of a full replica arrive within that time."
        yield (
            "Autoscaled and fixed fleets have replicas for the peak minute; a hybrid sends what "
            "exceeds its nodes to the cheapest API."
        )
    else:
        yield (
            f"ms/answer: 95% of the {search.own_load.unit}s on a full replica are answered within "
            "that time. Fleets have replicas for the peak minute."
        )
    if best.objective_share is not None:
        yield (
            f"The top-ranked configuration was simulated: {best.objective_share:.1%} of "
            f"{in_time(search.own_load.unit, search.objectives.first_token_seconds)}."
        )
    if any(one.configuration.precision != search.precision for one in ranked):
        yield (
            "Quantization can change model output; evaluate quality before using anything other "
            f"than {search.precision}."
        )
    if any(one.configuration.offer.purchase == "spot" for one in ranked):
        a_month = search.spot_interruptions_per_hour * float(CALENDAR_MONTH.hours_per_month)
        yield (
            f"A spot node is assumed to be interrupted {a_month:.2g} times per month "
            "(pool.spotInterruptionsPerMonth)."
        )
    yield from _not_evaluated(search)
    if not search.shared_weights and any(one.peak_nodes > 1 for one in ranked):
        yield (
            "More than one node needs weights.accessMode ReadWriteMany and a storage class that "
            "supports it."
        )
    if recommendation.not_priced:
        names = ", ".join(not_priced_name(item) for item in recommendation.not_priced)
        yield f"Not priced, and not included in any total: {names}; see breakeven estimate."


def _not_evaluated(search: Search) -> Iterator[str]:
    """Returns what the stack has and the configurations here do not."""
    fleet = search.assumptions.fleet
    if fleet.machines_per_node > 1:
        yield (
            f"This stack's replicas span {fleet.machines_per_node} nodes "
            "(engine.pipelineParallel). Only replicas within one node are evaluated; 'This stack "
            "as configured' has its own cost."
        )
    if fleet.scheduled:
        yield (
            "replicas.schedule counts this stack's own replicas, so no configuration here has a "
            "schedule; 'This stack as configured' does."
        )
