"""The answer of an estimate: the same figures for the table, the stack output and a policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from breakeven.catalog.apis.prices import ApiPrice
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.availability import Availability
from breakeven.cost.bill.bill import Bill
from breakeven.cost.bill.by_model import ModelCost
from breakeven.cost.bill.candidate import CandidateCost
from breakeven.cost.bill.charge import Driver
from breakeven.cost.bill.left_out import LeftOut, left_out
from breakeven.cost.bill.line_item import Infrastructure, LineItem, monthly_of
from breakeven.cost.break_even import BreakEven, Staircase
from breakeven.cost.demand.load import Unit
from breakeven.cost.fleet.plan import Fleet, FleetWeek
from breakeven.cost.fleet.simulation.result import SimulatedWeek
from breakeven.cost.gateway import GatewayPeak, gateway_peak
from breakeven.cost.hybrid import Hybrid
from breakeven.cost.levers import Lever
from breakeven.cost.recommendation import Verdict
from breakeven.cost.several_models import JointStaircase, Served, simulated_week, staircase_of
from breakeven.cost.staffing_guidance import StaffingGuidance
from breakeven.money import to_decimal

STALE_DAYS = 90
"""Age in days beyond which a price is marked as stale; GPU prices move within quarters."""

ClusterPart: TypeAlias = Literal["control-plane", "system-nodes", "nat-gateway"]
"""A part of the cluster that a stack may pay for."""


@dataclass(frozen=True, slots=True)
class ApiCost:
    """The same traffic by an API.

    Attributes:
        price: The API and its price for one request.
        monthly: USD a month.
        same_model: Whether it is the open model that this stack serves.
    """

    price: ApiPrice
    monthly: Decimal
    same_model: bool

    @property
    def decides(self) -> bool:
        """Whether a verdict may rest on it; `price.findings` say what speaks against it."""
        return self.price.decides


@dataclass(frozen=True, slots=True)
class BreakEvenAgainst:
    """Break-even against one API.

    Attributes:
        api: The API.
        infrastructure_only: People and contingency left out, as most comparisons do.
        loaded: Everything counted.
        loaded_low: Everything counted, if a replica serves as little as its band allows.
        loaded_high: The same if it serves as much.
    """

    api: ApiCost
    infrastructure_only: BreakEven
    loaded: BreakEven
    loaded_low: BreakEven
    loaded_high: BreakEven


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShortfall:
    """A model whose configured fleet does not serve its traffic in time.

    Attributes:
        model: Its name, of a stack with several; else empty.
        unserved_share: Requests beyond the fleet's capacity, 0 to 1.
        objective_share: Requests whose first token comes in time, 0 to 1.
        objective_seconds: What in time means.
        configured: The fleet.
        serving: The smallest one that serves all of it in time, or as nearly as its GPUs can.
        serving_share: The same share of that one.
        unit: What a request is.
    """

    model: str
    unserved_share: float
    objective_share: float
    objective_seconds: float
    configured: Fleet
    serving: Fleet
    serving_share: float
    unit: Unit = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """What the configured fleets do not do, and the stack that does.

    Attributes:
        models: The models that fall short, one or more.
        nodes: Nodes of that stack at most.
        mean_nodes: Nodes that it pays, averaged over time.
        monthly: What it costs, in USD a month.
    """

    models: tuple[ModelShortfall, ...]
    nodes: int
    mean_nodes: float
    monthly: Decimal


@dataclass(frozen=True, slots=True)
class Starts:
    """Nodes and replicas that start in a month, and what they pull and read.

    Attributes:
        nodes: Nodes.
        replicas: Replicas.
        monthly: USD a month, of the bill's lines that grow with them.
    """

    nodes: Decimal
    replicas: Decimal
    monthly: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole estimate. All money in USD a month.

    Attributes:
        assumptions: What it rests on.
        week: What the fleet does with the load.
        infrastructure: What was registered, priced, and the cluster's share.
        staffing: What people cost.
        bill: The sums of both.
        api: The API in use now.
        hosted: The same open model hosted by others, cheapest first.
        break_even: Against the API in use, and against the cheapest offer of the same model, as far
            as they decide; against the API in use where none does.
        hybrid: The cheapest split between own nodes and an API; None for several models, and where
            prompts may not leave or no API may decide.
        shortfall: Where the configured fleet does not serve all traffic in time: what does, and
            what that costs. The options are compared with it.
        staffing_guidance: What this project assumes for the fleet that serves all traffic.
        verdict: What to do, and why.
        models: The parts of the models, in the order of the stack file.
        availability: What an availability objective costs; None where the stack states none.
        levers: What would lower the bill, largest saving first; None where nobody asked.
        candidates: What candidates on trial cost, in addition to the bill; none where nobody asked.
    """

    assumptions: Assumptions
    week: FleetWeek
    infrastructure: Infrastructure
    staffing: tuple[LineItem, ...]
    bill: Bill
    api: ApiCost
    hosted: tuple[ApiCost, ...]
    break_even: tuple[BreakEvenAgainst, ...]
    hybrid: Hybrid | None
    shortfall: Shortfall | None
    staffing_guidance: StaffingGuidance
    verdict: Verdict
    models: tuple[ModelCost, ...]
    availability: Availability | None = None
    levers: tuple[Lever, ...] | None = None
    candidates: tuple[CandidateCost, ...] = ()

    @property
    def compared_hosted(self) -> ApiCost | None:
        """The cheapest offer of the same model that may decide."""
        return next((cost for cost in self.hosted if cost.decides), None)

    def usd_per_million_by(self, cost: ApiCost) -> Decimal:
        """Returns what an API costs over the tokens of the traffic, fees among them."""
        return cost.monthly / self.assumptions.tokens_per_month * 10**6

    @property
    def simulated(self) -> SimulatedWeek:
        """The simulated weeks of all models, as one."""
        return simulated_week(self.assumptions.models)

    @property
    def total(self) -> Decimal:
        """Everything that the configured stack costs, whether or not it serves all traffic."""
        return self.bill.total

    @property
    def total_with_candidate(self) -> Decimal:
        """What is paid while candidates are on trial: a budget is for all of it."""
        return self.total + sum((each.monthly for each in self.candidates), Decimal(0))

    @property
    def candidate_lines(self) -> tuple[LineItem, ...]:
        """What is paid for candidates in addition to the bill."""
        return tuple(line for each in self.candidates for line in each.lines)

    @property
    def candidate_contingency(self) -> Decimal:
        """Reserve over that, to the cent."""
        return sum((each.contingency for each in self.candidates), Decimal(0))

    @property
    def serving_total(self) -> Decimal:
        """What the stack costs at the size that serves all traffic, as options are compared."""
        return self.total if self.shortfall is None else self.shortfall.monthly

    @property
    def usd_per_million_tokens(self) -> Decimal:
        """The whole bill over the tokens that are served; idle hours are paid too."""
        return self.total / self._served_tokens * 10**6

    @property
    def usd_per_million_own_tokens(self) -> Decimal | None:
        """What own replicas cost over the tokens that they serve; None where they serve none."""
        own = sum((model.own_tokens for model in self.models), Decimal(0))
        if not own:
            return None
        return (self.total - self.bill.by_api_monthly) / own * 10**6

    @property
    def _served_tokens(self) -> Decimal:
        return sum((model.served_tokens for model in self.models), Decimal(0))

    def staircase(self, served: Served) -> Staircase | JointStaircase:
        """Returns what self-hosting costs by volume, if replicas served that much."""
        return staircase_of(self.bill, self.assumptions, served)

    def not_charged(self) -> tuple[ClusterPart, ...]:
        """Returns the parts of the cluster that the stack's settings say it does not pay for."""
        cluster = self.assumptions.cluster
        parts: dict[ClusterPart, bool] = {
            "control-plane": cluster.control_plane is None,
            "system-nodes": cluster.system_nodes == 0,
            "nat-gateway": not cluster.nat_gateway_share,
        }
        return tuple(part for part, others_pay in parts.items() if others_pay)

    def left_out(self) -> tuple[LeftOut, ...]:
        """Returns what the stack pays outside its bill."""
        return left_out(self.assumptions)

    @property
    def gateway_peak(self) -> GatewayPeak | None:
        """The busiest minute at the gateway; None without one."""
        pods = self.assumptions.cluster.gateway
        if pods is None:
            return None
        return gateway_peak(pods, [model.load for model in self.assumptions.models])

    @property
    def starts(self) -> Starts:
        """What nodes and replicas that start cost."""
        hours = self.assumptions.calendar.hours_per_month
        of_starts = (Driver.NODE_STARTS, Driver.REPLICA_STARTS)
        return Starts(
            nodes=to_decimal(self.week.node_starts_per_hour) * hours,
            replicas=to_decimal(self.week.replica_starts_per_hour) * hours,
            monthly=monthly_of(
                line for line in self.infrastructure.lines if line.driver in of_starts
            ),
        )

    def is_stale(self, as_of: date) -> bool:
        """Tells whether a price of that day is so old that reports mark it."""
        return (self.assumptions.book.today - as_of).days > STALE_DAYS
