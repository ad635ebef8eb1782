"""Checks that a stack with the measured settings can be estimated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from breakeven.errors import Problem, UserError
from breakeven.planning.demand import capacity_of, demand_of
from breakeven.planning.inputs import inputs_of
from breakeven.reports.formatting import counted
from breakeven.settings.files import with_settings
from breakeven.settings.model import ModelSettings
from breakeven.settings.parse import parse
from breakeven.traffic.profile import Profile, Setting

LENGTH = "model.maxLength"
TARGET = "replicas.targetRequests"
_SHAPE = "traffic.shape"
_STEP = 1_024


class UnfitSettingsError(UserError):
    """The stack would be invalid with the measured settings; nothing was written."""

    def __init__(self, stack: str, problems: list[Problem]) -> None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(
            f"stack '{stack}' would be invalid with this traffic. Nothing was written.\n{lines}\n"
            "Change these settings in its file, then import again. To only print the measured "
            "settings, omit --stack."
        )


@dataclass(frozen=True, slots=True)
class Fitted:
    """Settings with which a stack can be estimated.

    Attributes:
        settings: Measured and derived settings, by dotted key.
        notes: Explanations of derived settings.
        unfit: What the stack's GPUs do not hold any more, and what was changed; empty for nothing.
    """

    settings: Mapping[str, Setting]
    notes: tuple[str, ...] = ()
    unfit: str = ""


@dataclass(slots=True)
class _Stack:
    name: str
    values: Mapping[str, object]
    today: date
    _before: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self._before = {problem.key for problem in self._problems({})}

    @property
    def longest_request(self) -> int:
        stack, _ = parse(self.values)
        return max(model.model.max_length for model in stack.models)

    def new_problems(self, changes: Mapping[str, object]) -> list[Problem]:
        """Returns why a change makes the stack invalid."""
        # The file of a new shape does not exist yet; flat replaces it here.
        standing = {_SHAPE: "flat"} if _SHAPE in changes else {}
        found = self._problems({**changes, **standing})
        return [problem for problem in found if problem.key not in self._before]

    @property
    def target_requests(self) -> int:
        """Requests in flight at which the autoscaler adds a replica, before the import."""
        stack, _ = parse(self.values)
        [model] = stack.models
        return model.replicas.target_requests

    def held_requests(self, changes: Mapping[str, object]) -> int:
        """Returns how many requests a replica holds at once."""
        stack, _ = parse(with_settings(self.values, {**changes, _SHAPE: "flat"}))
        [model] = stack.models
        demand, _ = demand_of(model, self.today)
        return 0 if demand is None else capacity_of(model, demand.load).concurrent_requests

    def _problems(self, changes: Mapping[str, object]) -> tuple[Problem, ...]:
        stack, problems = parse(with_settings(self.values, changes))
        return inputs_of(self.name, stack, problems, self.today).problems


def fitted(
    name: str,
    values: Mapping[str, object],
    settings: Mapping[str, Setting],
    profile: Profile,
    today: date,
) -> Fitted:
    """Returns measured settings with a maximum length that a stack can serve.

    The longest measured request if the model and GPUs can hold it, else the 99th percentile, else
    the mean. A stack that allows longer requests keeps its setting.

    Args:
        name: Of the stack.
        values: What its file states.
        settings: What was measured, by dotted key.
        profile: All that was measured.
        today: Day on which prices are looked up.

    Raises:
        UnfitSettingsError: The stack would be invalid with them.
    """
    stack = _Stack(name, values, today)
    stated = stack.longest_request
    problems: list[Problem] = []
    for length, note in _lengths(profile):
        changed = {**settings, **({LENGTH: length} if length > stated else {})}
        longest = max(length, stated)
        told = (note.format(length=longest),) if note else ()
        unfit = ""
        problems = stack.new_problems(changed)
        if [problem.key for problem in problems] == [TARGET]:
            held = stack.held_requests(changed)
            changed[TARGET] = held
            problems = stack.new_problems(changed)
            unfit = _unfit(stack, longest, held)
        if not problems:
            return Fitted(changed, told, unfit)
    raise UnfitSettingsError(name, problems)


def _unfit(stack: _Stack, length: int, held: int) -> str:
    """Says that a replica holds fewer requests of the measured length than the stack asks for."""
    return (
        f"{TARGET} was {stack.target_requests}, but a replica can hold only "
        f"{counted(held, 'request')} of these lengths at once ({LENGTH}: {length:,}). It is set to "
        f"{held}, so that the stack can still be estimated; other GPUs may cost less"
    )


def fitted_to_default(settings: Mapping[str, Setting], profile: Profile) -> Fitted:
    """Returns measured settings, with a maximum length if the default is too short."""
    length, note = next(_lengths(profile))
    if length <= ModelSettings.model_fields["max_length"].default:
        return Fitted(settings)
    return Fitted({**settings, LENGTH: length}, (note.format(length=length),) if note else ())


def _lengths(profile: Profile) -> Iterator[tuple[int, str]]:
    """Yields candidate maximum lengths, best first, each with its note."""
    if profile.longest_request is not None:
        yield _rounded(profile.longest_request), ""
    if profile.request_p99 is not None:
        note = (
            f"the longest request has {profile.longest_request:,} tokens, more than the stack can "
            f"serve. {LENGTH} is set to {{length:,}}, the 99th percentile; longer requests would "
            "be rejected"
        )
        yield _rounded(profile.request_p99), note
    mean = (profile.input_tokens or 0) + (profile.output_tokens or 0)
    if profile.request_p99 is not None:
        note = (
            f"1% of the requests have more than {profile.request_p99:,} tokens, more than the "
            f"stack can serve. {LENGTH} is set to {{length:,}}; longer requests would be rejected"
        )
    else:
        note = (
            f"{LENGTH} is not measured, because the log does not list single requests. Make sure "
            "that the longest request has at most {length:,} tokens"
        )
    yield _rounded(mean), note


def _rounded(tokens: int) -> int:
    return max(_STEP, -(-tokens // _STEP) * _STEP)
