"""From settings to the techniques with which a replica's capacity is counted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from breakeven.catalog.models import ModelFacts
from breakeven.cost.capacity.techniques import Speculation, Techniques
from breakeven.settings.engine_techniques import SpeculationMethod
from breakeven.settings.stack import Settings


@dataclass(frozen=True, slots=True)
class _Acceptance:
    """Usual share of accepted tokens, and the range in which it was seen."""

    usual: float
    low: float
    high: float


_ACCEPTANCE: dict[SpeculationMethod, _Acceptance] = {
    # Text that repeats the prompt is accepted, other text is not: 1.1 to 15 tokens a step by
    # request (SpecDecode-Bench); nothing is usual, so that the middle is cautious.
    "ngram": _Acceptance(0.30, 0.05, 0.60),
    # DeepSeek-V3 technical report (2024), 5.4.3: 85 to 90 % of second tokens. Further heads fall
    # off: 1.3 to 1.8 times as fast with three on GLM-4.5-Air (SpecDecode-Bench).
    "mtp": _Acceptance(0.65, 0.45, 0.85),
    # Leviathan et al. (2023), table 2: 0.53 to 0.75 for a T5-XXL with a T5-small.
    "draft": _Acceptance(0.65, 0.53, 0.75),
    # Up to 1.96 times as fast at one request, 1.2 times at 128 (SpecDecode-Bench, three tokens).
    "eagle": _Acceptance(0.60, 0.45, 0.75),
    "eagle3": _Acceptance(0.60, 0.45, 0.75),
}
"""By method. SpecDecode-Bench: arXiv 2601.11580, vLLM 0.10 and 0.11 on H100, read 2026-11-30; the
usual figures are chosen within what these allow, and are assumptions."""

_STATED_BAND = 0.10  # either side of the user's own figure; assumed, texts of a day differ


def techniques_of(settings: Settings) -> Techniques:
    """Returns how the engine of a stack departs from plain serving."""
    engine = settings.engine
    return Techniques(
        cache_bytes=1 if engine.kv_cache_precision == "fp8" else None,
        speculation=_speculation(settings),
        data_attention=engine.data_parallel_attention,
    )


def _speculation(settings: Settings) -> Speculation | None:
    stated = settings.engine.speculation
    if not stated.is_on:
        return None
    found = _ACCEPTANCE[stated.method]
    if stated.acceptance_percent is not None:
        usual = float(stated.acceptance_percent) / 100
        found = _Acceptance(usual, max(0.0, usual - _STATED_BAND), min(1.0, usual + _STATED_BAND))
    plain = Speculation(
        tokens=stated.tokens,
        acceptance=found.usual,
        low_acceptance=found.low,
        high_acceptance=found.high,
    )
    if stated.method == "mtp":
        return _with_own_heads(plain, settings)
    if stated.draft_facts is not None:
        return _with_model(plain, stated.draft_facts)
    if stated.draft_parameters is not None:
        return _with_head(plain, settings.model.facts, int(stated.draft_parameters))
    return plain


def _with_own_heads(plain: Speculation, settings: Settings) -> Speculation:
    """Counts a head as a layer of the model; its experts are chosen as the model's are."""
    facts = settings.model.facts
    share = Fraction(facts.draft_parameters, facts.parameters)
    return _with(
        plain,
        parameters=int(facts.multiplied_parameters * share),
        layers=1,
        weights=int(facts.weight_bytes(settings.model.precision) * share),
        cache=_layer_numbers(facts),
        of_the_model=True,
    )


def _with_model(plain: Speculation, draft: ModelFacts) -> Speculation:
    return _with(
        plain,
        parameters=draft.multiplied_parameters,
        layers=draft.layers,
        weights=draft.weight_bytes(draft.checkpoint.precision),
        cache=sum(group.layers * group.cached_numbers for group in draft.groups),
    )


def _with_head(plain: Speculation, facts: ModelFacts, parameters: int) -> Speculation:
    """Counts a head as one layer of 16-bit weights with the cache of a layer of the model."""
    return _with(
        plain, parameters=parameters, layers=1, weights=2 * parameters, cache=_layer_numbers(facts)
    )


def _with(  # noqa: PLR0913  # one argument a figure of the draft
    plain: Speculation,
    *,
    parameters: int,
    layers: int,
    weights: int,
    cache: int,
    of_the_model: bool = False,
) -> Speculation:
    return Speculation(
        tokens=plain.tokens,
        acceptance=plain.acceptance,
        low_acceptance=plain.low_acceptance,
        high_acceptance=plain.high_acceptance,
        draft_parameters=parameters,
        draft_layers=layers,
        draft_bytes=weights,
        draft_cache_numbers=cache,
        draft_is_of_the_model=of_the_model,
    )


def _layer_numbers(facts: ModelFacts) -> int:
    """Returns the numbers that a layer of the model keeps of a token; the most of any layer."""
    return max((group.cached_numbers for group in facts.groups), default=0)
