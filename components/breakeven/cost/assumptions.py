"""Everything that an estimate rests on, apart from what was registered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from breakeven.catalog.apis.prices import ApiPrice
from breakeven.catalog.price_book import PriceBook
from breakeven.cost.answers.escalation import Escalation
from breakeven.cost.answers.quality import Quality
from breakeven.cost.bill.node_cost import NodeCost
from breakeven.cost.bill.staffing import Staffing
from breakeven.cost.calendar import Calendar
from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.capacity.roofline import Engine
from breakeven.cost.currency import US_DOLLAR, Currency
from breakeven.cost.demand.load import Load
from breakeven.cost.fleet.plan import Fleet, FleetWeek, plan_week
from breakeven.cost.fleet.simulation.enlargement import ServingFleet
from breakeven.cost.fleet.simulation.result import SimulatedWeek
from breakeven.cost.gateway import AddedGateway, GatewayPods
from breakeven.cost.notes import Note
from breakeven.cost.objective import AvailabilityObjective
from breakeven.cost.outlook import NO_OUTLOOK, Outlook
from breakeven.cost.recommendation import KeptInside


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterShare:
    """What this stack bears of a cluster that it does not make itself.

    Attributes:
        control_plane: eks, gke or aks; None where nobody charges for it or others pay.
        control_plane_share: Share that this stack bears, 0 to 1.
        system_instance_type: Machine type of the CPU nodes that run monitoring and controllers.
        system_nodes: How many of them this stack bears; 0 where others pay.
        nat_gateway_share: Share of a NAT gateway that this stack bears, 0 to 1.
        image_gigabytes: What a started node of the model pulls through it, in GB of 10^9 bytes.
        weights_class: Storage class of the volume that replicas read their weights from; empty
            where they come in an image.
        weights_gigabytes: What a replica that starts reads, in GB of 10^9 bytes.
        log_gigabytes: Logs that the cloud takes in, in GB a month; 0 for none, or not stated.
        gateway: The pods of the gateway in front of the replicas; None without one.
    """

    control_plane: str | None
    control_plane_share: Decimal
    system_instance_type: str
    system_nodes: int
    nat_gateway_share: Decimal
    image_gigabytes: int
    weights_class: str = ""
    weights_gigabytes: Decimal = Decimal(0)
    log_gigabytes: Decimal = Decimal(0)
    gateway: GatewayPods | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """The inputs of an estimate that no resource tells.

    Attributes:
        stack: Name of the stack.
        engine: Model, precision and GPUs of a replica.
        load: The traffic.
        capacity: What one replica serves, and how sure that is.
        fleet: How replicas and nodes come and go.
        simulated: Its week, as an autoscaler that polls every few seconds makes it.
        serving: The smallest fleet that serves the load in time; None where it is not known, and
            the configured one stands for it.
        if_slower: The same if a replica serves as little as its band allows.
        node: What a GPU node costs.
        cluster: What this stack bears of the cluster.
        cloud: Cloud of the price book, or "none".
        region: Its region.
        staffing: What people cost.
        api_in_use: The API that serves this traffic now.
        hosted: The same open model, hosted by others; may be empty.
        budget_per_month: USD that self-hosting may cost; None for no limit.
        data_may_leave: Whether prompts may go to an API.
        book: Prices of everything else.
        calendar: How long a month is.
        overflows: Whether a gateway sends to the API in use what the replicas cannot serve.
        notes: What a reader has to know about the deployment.
        instance: Name of its objects in the cluster.
        candidate: Name of a candidate's objects, which are not in the bill; empty without one.
        escalation: What an API answers again, because the model is not good enough; None for
            nothing.
        outlook: What is paid once, and how the years to come are compared.
        currency: What reports show.
        availability: The objective; None for none.
        quality: How well the model and APIs answered the user's own prompts; None where nobody
            compared them.
        hybrid_gateway: What mode hybrid would add; None where the stack is in it.
        kept_inside: Requests that may not go to an API, although others may; None for none.
        others: The further models of the stack, each with all that it shares with the first.
    """

    stack: str
    engine: Engine
    load: Load
    capacity: ReplicaCapacity
    fleet: Fleet
    simulated: SimulatedWeek
    node: NodeCost
    cluster: ClusterShare
    cloud: str
    region: str
    staffing: Staffing
    api_in_use: ApiPrice
    hosted: tuple[ApiPrice, ...]
    budget_per_month: Decimal | None
    data_may_leave: bool
    book: PriceBook
    calendar: Calendar
    overflows: bool = False
    notes: tuple[Note, ...] = ()
    instance: str = ""
    candidate: str = ""
    serving: ServingFleet | None = None
    if_slower: Fleet | None = None
    escalation: Escalation | None = None
    outlook: Outlook = NO_OUTLOOK
    currency: Currency = US_DOLLAR
    availability: AvailabilityObjective | None = None
    quality: Quality | None = None
    hybrid_gateway: AddedGateway | None = None
    kept_inside: KeptInside | None = None
    others: tuple[Assumptions, ...] = ()

    @property
    def candidates(self) -> frozenset[str]:
        """Names of the objects of all models' candidates."""
        return frozenset(model.candidate for model in self.models if model.candidate)

    @property
    def model_name(self) -> str:
        """Name of the model."""
        return self.engine.model.name

    @property
    def may_share_with_api(self) -> bool:
        """Whether an API may answer a part of the requests.

        Not where prompts stay inside; and not vectors and scores, which mean nothing beside those
        of another model.
        """
        return self.may_leave and all(model.load.unit == "request" for model in self.models)

    @property
    def may_leave(self) -> bool:
        """Whether the prompts of any team may go to an API."""
        return self.data_may_leave and not (self.kept_inside and self.kept_inside.everyone)

    @property
    def models(self) -> tuple[Assumptions, ...]:
        """All models of the stack; asked of the first one."""
        return (self, *self.others)

    @property
    def tokens_per_day(self) -> int:
        """Input and output tokens of a mean day, of all models."""
        return sum(model.load.tokens_per_day for model in self.models)

    @property
    def tokens_per_month(self) -> Decimal:
        """Input and output tokens of a month, of all models."""
        months = (model.load.tokens_per_month(self.calendar) for model in self.models)
        return sum(months, Decimal(0))

    @property
    def overflow_price(self) -> ApiPrice:
        """That of the API which the gateway sends requests to: of several in use, the first."""
        parts = self.api_in_use.parts
        return parts[0].price if parts else self.api_in_use

    def usd_by_api(self, price: ApiPrice) -> Decimal:
        """Returns USD for a request of this model by an API, fees of the month among them."""
        return price.usd_for_each(self.load.requests_per_day * self.calendar.days_per_month)

    @property
    def comparators(self) -> tuple[ApiPrice, ...]:
        """The API in use and the cheapest offer of the same model, as far as they may decide."""
        hosted = sorted(
            (price for price in self.hosted if price.decides),
            key=self.usd_by_api,
        )
        return tuple(price for price in (self.api_in_use, *hosted[:1]) if price.decides)

    def week(self) -> FleetWeek:
        """Returns what the fleet does with the load: the plan, and what only a simulation knows."""
        plan = self.planned_week(self.capacity.requests_per_second)
        totals = self.simulated.totals
        return replace(
            plan,
            busy_share=plan.busy_share * (1 - totals.overflow_share),
            unserved_share=0.0 if self.overflows else plan.unserved_share,
            overflow_share=totals.overflow_share,
        )

    def planned_week(self, requests_per_second: float) -> FleetWeek:
        """Returns what the fleet does with the load if a replica served that much."""
        return plan_week(
            self.load.requests_per_second(),
            self.load.burst_factor,
            requests_per_second,
            self.fleet,
        )
