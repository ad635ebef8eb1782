"""The estimate of a program: what it registered, priced, and what would lower the bill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.registered import Registered
from breakeven.cost.estimate import estimate, infrastructure_of
from breakeven.cost.report import Report
from breakeven.manifests.endpoints import endpoints_of
from breakeven.manifests.render import planned_cost_components, stack_components
from breakeven.manifests.resource import Component, whole
from breakeven.planning.gateway import gateway_figures
from breakeven.planning.levers import find_levers
from breakeven.planning.notes import update_strategy
from breakeven.planning.planned_cost import planned_costs
from breakeven.planning.rendered_ledger import entries_started_last, ledger_entries
from breakeven.planning.rollouts.candidate import with_candidate
