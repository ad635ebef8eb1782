"""Loads and estimates a stack without an engine, for commands that only need its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.registered import Registered
from breakeven.cost.estimate import estimate
from breakeven.cost.report import Report
from breakeven.errors import SeveralModelsError, StackFileError, UnknownStackError
from breakeven.manifests.render import render, stack_components
from breakeven.manifests.resource import Resource as KubernetesResource
from breakeven.planning.checks import serving_conflicts
from breakeven.planning.gateway import gateway_figures
from breakeven.planning.inputs import inputs_of
from breakeven.planning.levers import find_levers
from breakeven.planning.planned_cost import planned_costs
from breakeven.planning.rendered_ledger import ledger_entries
from breakeven.planning.rollouts.candidate import with_candidates
from breakeven.policy.manifest import Resource
from breakeven.settings.files import stack_names, stack_values, with_settings
from breakeven.settings.parse import parse, raise_problems, told
from breakeven.settings.stack import Settings, Stack


def ledger_of(stack: Stack) -> tuple[Registered, ...]:
    """Returns what a stack deploys, as the ledger holds it.

    But for the prices in a gateway's configuration: they follow from the estimate, which is made
    from the ledger, and nothing that is read from it depends on them.
    """
    return ledger_entries(stack_components(stack))


@dataclass(frozen=True, slots=True)
class LoadedStack:
    """A stack file, read and checked.

    Attributes:
        stack: Its settings.
        assumptions: What its estimate rests on.
        values: What it states: groups by key.
    """

    stack: Stack
    assumptions: Assumptions
    values: Mapping[str, object]

    @property
    def settings(self) -> Settings:
        """The settings of a stack's only model."""
        [settings] = self.stack.models
        return settings

    def ledger(self, precision: str | None = None) -> tuple[Registered, ...]:
        """Returns what the stack registers, with weights of another precision if one is given."""
        if precision is None:
            return ledger_of(self.stack)
        return ledger_of(replace(self.stack, models=(self.with_precision(precision),)))

    def report(self) -> Report:
        """Estimates the stack as its file states it."""
        ledger = self.ledger()
        return with_candidates(estimate(ledger, self.assumptions), self.stack, ledger)

    def report_with_levers(self) -> Report:
        """Estimates the stack, and what would lower its bill, which takes about as long again."""
        ledger = self.ledger()
        report = with_candidates(estimate(ledger, self.assumptions), self.stack, ledger)
        return replace(report, levers=find_levers(self.values, self.stack, report, ledger))

    def with_precision(self, precision: str) -> Settings:
        """Returns the settings of a stack's only model with weights of another precision."""
        return replace(
            self.settings,
            model=self.settings.model.model_copy(update={"stated_precision": precision}),
        )


def read_stack(name: str, changed: Mapping[str, object] | None = None) -> Stack:
    """Reads a stack file for commands that ask nothing about money.

    Args:
        name: Name of a stack file in stacks/.
        changed: Settings that are not as in the file, by dotted key.

    Raises:
        UnknownStackError: There is no such stack file.
        StackFileError: The file holds something else than settings; NoYamlError if it is no YAML.
        SettingsError: The stack file has mistakes; all but those about prices are named.
    """
    if name not in stack_names():
        raise UnknownStackError(name, stack_names())
    stack, problems = parse(with_settings(stack_values(name), changed or {}))
    for model in stack.models:
        problems = told(problems, model, serving_conflicts(model))
    raise_problems(name, problems)
    return stack


def load_values(name: str, values: Mapping[str, object], today: date) -> LoadedStack:
    """Reads what a stack states and looks its prices up.

    Args:
        name: Name of the stack, for messages.
        values: What it states.
        today: Day on which prices are looked up.

    Raises:
        SettingsError: It has mistakes; all are named.
        ClockError: By the machine's clock a price is of a day to come.
        PriceBookError: The price book is damaged.
    """
    stack, problems = parse(values)
    inputs = inputs_of(name, stack, problems, today)
    raise_problems(name, inputs.problems)
    return LoadedStack(stack, inputs.gather(), values)


def manifests_of_stack(name: str) -> tuple[tuple[Resource, ...], Stack]:
    """Returns the manifests that a stack file deploys, and the stack.

    Raises:
        UnknownStackError: There is no such stack file.
        StackFileError: The file holds something else than settings; NoYamlError if it is no YAML.
        SettingsError: The stack file has mistakes; all but those about prices are named.
    """
    stack = read_stack(name)
    found = sorted(render(stack), key=lambda resource: (resource.type, resource.name))
    source = f"stack {name}"
    return (
        tuple(Resource(resource.manifest, source, resource.name) for resource in found),
        stack,
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
    values = stack_values(stack)
    if not values:
        msg = (
            f"stacks/Pulumi.{stack}.yaml has no settings. Write them under config:, or remove the "
            f"file and type: breakeven init {stack}"
        )
        raise StackFileError(msg)
    return load_values(stack, values, today or datetime.now(tz=UTC).date())


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
    if len(loaded.stack.models) > 1:
        raise SeveralModelsError(stack, command, "Create a separate stack file for one model")
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
    return loaded.report()


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
    report = loaded.report()
    return render(loaded.stack, gateway_figures(report), planned_costs(report))
