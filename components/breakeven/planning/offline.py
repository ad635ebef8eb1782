"""Loads and estimates a stack without an engine, for commands that only need its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.registered import Registered
from breakeven.cost.estimate import estimate
from breakeven.cost.report import Report
from breakeven.errors import SeveralModelsError, UnknownStackError
from breakeven.manifests.render import render, stack_components
from breakeven.manifests.resource import Resource as KubernetesResource
from breakeven.planning.checks import serving_conflicts
from breakeven.planning.inputs import inputs_of, token_prices
from breakeven.planning.planned_cost import planned_costs
from breakeven.planning.rendered_ledger import ledger_entries
from breakeven.policy.manifest import Resource
from breakeven.settings.files import stack_names, stack_values, with_settings
from breakeven.settings.parse import parse, raise_problems, told
from breakeven.settings.stack import Settings


def ledger_of(settings: Settings) -> tuple[Registered, ...]:
    """Returns what a stack deploys, as the ledger holds it.

    But for the prices in a gateway's configuration: they follow from the estimate, which is made
    from the ledger, and nothing that is read from it depends on them.
    """
    return ledger_entries(stack_components(settings))


@dataclass(frozen=True, slots=True)
class LoadedStack:
    """A stack file, read and checked."""

    settings: Settings
    assumptions: Assumptions

    def ledger(self, precision: str | None = None) -> tuple[Registered, ...]:
        """Returns what the stack registers, with weights of another precision if one is given."""
        return ledger_of(self.settings if precision is None else self.with_precision(precision))

    def with_precision(self, precision: str) -> Settings:
        """Returns the settings with weights of another precision."""
        return replace(
            self.settings, model=self.settings.model.model_copy(update={"precision": precision})
        )


def read_stack(stack: str, changed: Mapping[str, object] | None = None) -> Settings:
    """Reads a stack file for commands that ask nothing about money.

    Args:
        stack: Name of a stack file in stacks/.
        changed: Settings that are not as in the file, by dotted key.

    Raises:
        UnknownStackError: There is no such stack file.
        StackFileError: The file holds something else than settings; NoYamlError if it is no YAML.
        SettingsError: The stack file has mistakes; all but those about prices are named.
    """
    if stack not in stack_names():
        raise UnknownStackError(stack, stack_names())
    settings, problems = parse(with_settings(stack_values(stack), changed or {}))
    for model in settings.models:
        problems = told(problems, model, serving_conflicts(model))
    raise_problems(stack, problems)
    return settings


def load_values(stack: str, values: Mapping[str, object], today: date) -> LoadedStack:
    """Reads what a stack states and looks its prices up.

    Args:
        stack: Name of the stack, for messages.
        values: What it states.
        today: Day on which prices are looked up.

    Raises:
        SettingsError: It has mistakes; all are named.
        ClockError: By the machine's clock a price is of a day to come.
        PriceBookError: The price book is damaged.
    """
    settings, problems = parse(values)
    inputs = inputs_of(stack, settings, problems, today)
    raise_problems(stack, inputs.problems)
    return LoadedStack(settings, inputs.gather())


def manifests_of_stack(stack: str) -> tuple[tuple[Resource, ...], Settings]:
    """Returns the manifests that a stack file deploys, and its settings.

    Raises:
        UnknownStackError: There is no such stack file.
        StackFileError: The file holds something else than settings; NoYamlError if it is no YAML.
        SettingsError: The stack file has mistakes; all but those about prices are named.
    """
    settings = read_stack(stack)
    found = sorted(render(settings), key=lambda resource: (resource.type, resource.name))
    source = f"stack {stack}"
    return (
        tuple(Resource(resource.manifest, source, resource.name) for resource in found),
        settings,
    )


def load_stack(stack: str, today: date | None = None) -> LoadedStack:
    """Reads a stack file and looks its prices up.

    Args:
        stack: Name of a stack file in stacks/.
        today: Day on which prices are looked up; the present day if None.

    Raises:
        UnknownStackError: There is no such stack file.
        StackFileError: The file holds something else than settings; NoYamlError if it is no YAML.
        SettingsError: The stack file has mistakes; all are named.
        ClockError: By the machine's clock a price is of a day to come.
        PriceBookError: The price book is damaged.
    """
    if stack not in stack_names():
        raise UnknownStackError(stack, stack_names())
    return load_values(stack, stack_values(stack), today or datetime.now(tz=UTC).date())


def load_stack_of_one_model(stack: str, command: str) -> LoadedStack:
    """Reads a stack file for a command that knows one model.

    Args:
        stack: Name of a stack file in stacks/.
        command: By which messages name it.

    Raises:
        UnknownStackError: There is no such stack file.
        StackFileError: The file holds something else than settings; NoYamlError if it is no YAML.
        SettingsError: The stack file has mistakes; all are named.
        ClockError: By the machine's clock a price is of a day to come.
        PriceBookError: The price book is damaged.
        SeveralModelsError: The stack serves several models.
    """
    loaded = load_stack(stack)
    if loaded.settings.others:
        raise SeveralModelsError(stack, command, "Give one model a stack file of its own for it")
    return loaded


def estimate_stack(stack: str, today: date) -> Report:
    """Estimates a stack file without an engine.

    Args:
        stack: Name of a stack file in stacks/.
        today: Day on which prices are looked up.

    Raises:
        UnknownStackError: There is no such stack file.
        StackFileError: The file holds something else than settings; NoYamlError if it is no YAML.
        SettingsError: The stack file has mistakes; all are named.
        ClockError: By the machine's clock a price is of a day to come.
        PriceBookError: The price book is damaged.
    """
    loaded = load_stack(stack, today)
    return estimate(loaded.ledger(), loaded.assumptions)


def priced_manifests(stack: str, today: date) -> tuple[KubernetesResource, ...]:
    """Returns what a stack file deploys, with the prices and figures of its estimate.

    Args:
        stack: Name of a stack file in stacks/.
        today: Day on which prices are looked up.

    Raises:
        UnknownStackError: There is no such stack file.
        StackFileError: The file holds something else than settings; NoYamlError if it is no YAML.
        SettingsError: The stack file has mistakes; all are named.
        ClockError: By the machine's clock a price is of a day to come.
        PriceBookError: The price book is damaged.
    """
    loaded = load_stack(stack, today)
    report = estimate(loaded.ledger(), loaded.assumptions)
    return render(loaded.settings, token_prices(report), planned_costs(report))
