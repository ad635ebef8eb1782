"""What can be moved on the page: settings of a stack, and the positions of their sliders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from breakeven.catalog.apis.offers import offered_names
from breakeven.counts import read_count
from breakeven.planning.offline import LoadedStack
from breakeven.web.machines import MachineChoice

MACHINE = "machine"
"""Control that sets the pool's GPU, its machine type and how many GPUs hold a replica."""

DISCOUNT = "apiDiscountPercent"
"""Control that sets the discount on the list prices of the API in use."""

_MANTISSAS = ("1", "1.25", "1.5", "2", "2.5", "3", "4", "5", "6", "8")
_UNITS = (("k", 10**3), ("M", 10**6), ("B", 10**9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One thing that can be moved.

    Attributes:
        key: Setting by dotted key, or one of the names above.
        label: What it is called.
        value: What the stack states, as text.
        group: Heading under which it stands.
        steps: Positions of its slider, as text in rising order; empty for a field without one.
        options: What can be chosen, as value and label; empty for a number.
        offers: What a text field suggests.
        unit: Behind the number.
    """

    key: str
    label: str
    value: str
    group: str
    steps: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    offers: tuple[str, ...] = ()
    unit: str = ""

    @property
    def position(self) -> int:
        """The slider's position at the stack's value."""
        return self.steps.index(self.value)


def count_text(number: int) -> str:
    """Writes a large number as people type it: 60M, 1.25B; others in full."""
    for letter, factor in reversed(_UNITS):
        if number >= factor and number * 100 % factor == 0:
            return f"{Decimal(number * 100 // factor) / 100:f}".removesuffix(".00") + letter
    return str(number)


def _tokens(own: int) -> tuple[str, ...]:
    numbers = {
        int(Decimal(mantissa) * 10**power) for power in range(5, 11) for mantissa in _MANTISSAS
    }
    return tuple(count_text(number) for number in sorted({*numbers, own}))


def _numbers(own: str, numbers: Iterable[int | Decimal]) -> tuple[str, ...]:
    found = {Decimal(number) for number in numbers} | {Decimal(own)}
    return tuple(_plain(number) for number in sorted(found))


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


_LENGTHS = tuple(sorted({2**power for power in range(5, 18)} | {3 * 2**p for p in range(5, 16)}))
_BURST_TENTHS = (*range(10, 30), *range(30, 101, 5))
_FEW = (*range(17), 20, 24, 32, 48, 64)


def controls_of(loaded: LoadedStack, machines: Sequence[MachineChoice]) -> tuple[Control, ...]:
    """Returns what can be moved for a stack of one model.

    Args:
        loaded: The stack.
        machines: Machines that its pool can start; empty where its nodes are its own.
    """
    return (*_traffic(loaded), *_serving(loaded, machines), *_prices(loaded))


def _traffic(loaded: LoadedStack) -> Iterator[Control]:
    traffic, group = loaded.settings.traffic, "Traffic"
    tokens = count_text(traffic.tokens_per_day)
    yield Control(
        key="traffic.tokensPerDay",
        label="Tokens per day",
        value=tokens,
        group=group,
        steps=_tokens(traffic.tokens_per_day),
    )
    for key, label, own in (
        ("traffic.inputTokens", "Input tokens per request", traffic.input_tokens),
        ("traffic.outputTokens", "Output tokens per request", traffic.output_tokens),
    ):
        yield Control(
            key=key,
            label=label,
            value=str(own),
            group=group,
            steps=_numbers(str(own), _LENGTHS),
        )
    yield Control(
        key="traffic.cachedInputPercent",
        label="Cached input",
        value=str(traffic.cached_input_percent),
        group=group,
        steps=_numbers(str(traffic.cached_input_percent), range(0, 96, 5)),
        unit="%",
    )
    burst = _plain(traffic.burst_factor)
    yield Control(
        key="traffic.burstFactor",
        label="Burst: peak minute over its hour",
        value=burst,
        group=group,
        steps=_numbers(burst, (Decimal(tenth) / 10 for tenth in _BURST_TENTHS)),
    )


def _serving(loaded: LoadedStack, machines: Sequence[MachineChoice]) -> Iterator[Control]:
    settings, group = loaded.settings, "Serving"
    if machines:
        [own] = [machine for machine in machines if not machine.settings]
        yield Control(
            key=MACHINE,
            label="GPU and machine",
            value=own.name,
            group=group,
            options=tuple((machine.name, machine.label) for machine in machines),
        )
    facts = settings.model.facts
    precisions = [each for each in facts.precisions if facts.runs_on(settings.pool.gpu, each)]
    yield Control(
        key="model.precision",
        label="Precision",
        value=settings.model.precision,
        group=group,
        options=tuple((each, each) for each in precisions),
    )
    for key, label, count in (
        ("replicas.min", "Fewest replicas", settings.replicas.min),
        ("replicas.max", "Most replicas", settings.replicas.max),
    ):
        yield Control(
            key=key, label=label, value=str(count), group=group, steps=_numbers(str(count), _FEW)
        )


def _prices(loaded: LoadedStack) -> Iterator[Control]:
    settings, group = loaded.settings, "API, discounts, people"
    api, pricing = settings.api, settings.pricing
    yield Control(
        key="api.inUse", label="API in use", value=api.in_use, group=group, offers=offered_names()
    )
    terms = api.terms.get(api.in_use)
    discount = _plain(terms.discount_percent) if terms else "0"
    yield Control(
        key=DISCOUNT,
        label="Your discount on that API",
        value=discount,
        group=group,
        steps=_numbers(discount, range(0, 61, 5)),
        unit="%",
    )
    if pricing.nodes == "list":
        percent = str(pricing.commitment_percent)
        yield Control(
            key="pricing.commitmentPercent",
            label="Commitment discount on nodes",
            value=percent,
            group=group,
            steps=_numbers(percent, range(0, 71, 5)),
            unit="%",
        )
    share = str(settings.staffing.engineer_percent)
    yield Control(
        key="staffing.engineerPercent",
        label="Engineer's time",
        value=share,
        group=group,
        steps=_numbers(share, (*range(0, 51, 5), *range(60, 201, 20))),
        unit="%",
    )


def changes_of(
    state: Mapping[str, str], loaded: LoadedStack, machines: Sequence[MachineChoice]
) -> dict[str, object]:
    """Returns the settings that a state changes, by dotted key.

    Args:
        state: Texts by key of a control, only those that differ from the stack.
        loaded: The stack.
        machines: As for `controls_of`.
    """
    changes: dict[str, object] = {}
    if MACHINE in state:
        chosen = {machine.name: machine for machine in machines}.get(state[MACHINE])
        # An unknown one is refused by the settings, with those that are allowed.
        changes |= {"pool.instanceTypes": [state[MACHINE]]} if chosen is None else chosen.settings
    own = [key for key in state if key not in {MACHINE, DISCOUNT}]
    changes |= {key: typed(state[key]) for key in own}
    if DISCOUNT in state:
        api = str(changes.get("api.inUse", loaded.settings.api.in_use))
        terms = {
            name: each.model_dump(by_alias=True, exclude_unset=True, mode="json")
            for name, each in loaded.settings.api.terms.items()
        }
        terms[api] = {**terms.get(api, {}), "discountPercent": typed(state[DISCOUNT])}
        changes["api.terms"] = terms
    return changes


def typed(text: str) -> object:
    """Returns a number as a stack file states it; what is none stays text, for its message."""
    stated = text.strip()
    try:
        return read_count(stated)
    except ValueError:
        pass
    try:
        return float(Decimal(stated))
    except ArithmeticError:
        return stated
