"""Base load on own GPUs, the rest to an API."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from breakeven.cost.demand.load_duration import LoadDuration
from breakeven.money import to_decimal


@dataclass(frozen=True, slots=True)
class Hybrid:
    """The cheapest split of the load.

    Attributes:
        nodes: Own nodes that always run, 1 or more.
        own_share: Requests that they serve over all requests, 0 to 1.
        own_monthly: USD per month for nodes, people and everything that self-hosting needs.
        api_monthly: USD per month for the requests that overflow.
    """

    nodes: int
    own_share: float
    own_monthly: Decimal
    api_monthly: Decimal

    @property
    def monthly(self) -> Decimal:
        """USD per month, both parts."""
        return self.own_monthly + self.api_monthly


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRules:
    """What a split of the load costs.

    Attributes:
        load: The minutes of the load.
        fixed_monthly: USD per month that self-hosting costs whatever the number of nodes.
        node_monthly: USD per month for one node.
        api_monthly: USD per month if the API served everything.
        api_fee: Part of it that is paid at any volume.
        answered_monthly: USD a month for what an API answers again, if own nodes served everything.
        text_monthly: USD per month for text on its way, whoever serves it.
        work_monthly: USD per month for each node that is busy, averaged over time.
    """

    load: LoadDuration
    fixed_monthly: Decimal
    node_monthly: Decimal
    api_monthly: Decimal
    api_fee: Decimal = Decimal(0)
    answered_monthly: Decimal = Decimal(0)
    text_monthly: Decimal = Decimal(0)
    work_monthly: Decimal = Decimal(0)

    def split(self, nodes: int, requests_per_second_per_node: float) -> Hybrid:
        """Returns the cost of `nodes` that always run, with what is beyond them sent to the API."""
        share = self.load.served_share(nodes * requests_per_second_per_node)
        busy = share * self.load.mean / requests_per_second_per_node
        return Hybrid(
            nodes=nodes,
            own_share=share,
            own_monthly=self.fixed_monthly
            + nodes * self.node_monthly
            + self.text_monthly
            + to_decimal(share) * self.answered_monthly
            + to_decimal(busy) * self.work_monthly,
            api_monthly=self.api_fee + (self.api_monthly - self.api_fee) * to_decimal(1 - share),
        )

    def cheapest(self, requests_per_second_per_node: float, largest_nodes: int) -> Hybrid:
        """Tries 1 to `largest_nodes` nodes and returns the cheapest split."""
        splits = (
            self.split(nodes, requests_per_second_per_node) for nodes in range(1, largest_nodes + 1)
        )
        return min(splits, key=lambda split: split.monthly)
