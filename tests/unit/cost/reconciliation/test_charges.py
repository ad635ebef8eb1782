"""What a bill's rows are for, and the way from plan to bill."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.bills.charged import Charged, ChargedItem
from breakeven.cost.bill.bill import Bill
from breakeven.cost.calendar import THIRTY_DAYS
from breakeven.cost.reconciliation.charges import Rented, from_bill
from breakeven.cost.reconciliation.explanation import Actual, Stage, explain
from breakeven.cost.reconciliation.observations import ObservedError
from breakeven.cost.reconciliation.parts import OutsideBill, Part, charged_part
from breakeven.money import to_cents

START = datetime(2026, 11, 1, tzinfo=UTC)
RENTED = Rented(machines=("g6e.xlarge",), gpus=1, is_billed=True)


def item(name: str, **changed: object) -> ChargedItem:
    known = {
        "kind": "usage",
        "service": "AmazonEC2",
        "item": name,
        "unit": "hrs",
        "quantity": Decimal(1),
        "cost": Decimal(1),
    }
    return ChargedItem(**{**known, **changed})  # type: ignore[arg-type]  # fields by name


def charged(*items: ChargedItem, days: int = 30) -> Charged:
    return Charged(
        name="bill.csv",
        format="test",
        start=START,
        end=START + timedelta(days=days),
        items=items,
        rows=len(items),
        selected=len(items),
        tagged=False,
    )


@pytest.mark.parametrize(
    ("service", "name", "part"),
    [
        ("AmazonEC2", "EUC1-BoxUsage:g6e.xlarge g6e.xlarge", "nodes"),
        ("AmazonEC2", "SpotUsage:g6e.xlarge", "nodes"),
        ("AmazonEC2", "EBSOptimized:g6e.xlarge", "cpuNodes"),
        ("AmazonEC2", "BoxUsage:m7i.large", "cpuNodes"),
        ("AmazonEC2", "EBS:VolumeUsage.gp3", "storage"),
        ("AmazonEFS", "TimedStorage-ByteHrs", "storage"),
        ("AmazonEC2", "NatGateway-Bytes", "network"),
        ("AWSELB", "LoadBalancerUsage", "network"),
        ("AmazonVPC", "PublicIPv4:InUseAddress", "network"),
        ("AmazonEKS", "AmazonEKS-Hours:perCluster", "controlPlane"),
        ("AmazonCloudWatch", "DataProcessing-Bytes", "logs"),
        ("AWSLambda", "Request", "other"),
    ],
)
def test_a_charge_belongs_to_one_part(service: str, name: str, part: str) -> None:
    assert charged_part(item(name, service=service), RENTED.machines) == part


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("Standard_NC40ads_H100_v5", "NC40ads H100 v5"),
        ("g2-standard-12", "Nvidia L4 GPU running in Americas"),
        ("g2-standard-12", "G2 Instance Core running in Americas"),
    ],
)
def test_meters_of_azure_and_google_are_nodes(machine: str, name: str) -> None:
    assert charged_part(item(name, service="Compute"), (machine,)) == "nodes"


def test_a_bill_gives_node_hours_price_and_a_month_of_each_part() -> None:
    bill = charged(
        item("BoxUsage:g6e.xlarge", quantity=Decimal(720), cost=Decimal(1440)),
        item("EBS:VolumeUsage.gp3", unit="gb-mo", cost=Decimal("10.005")),
        days=15,
    )
    observed = from_bill(bill, RENTED, THIRTY_DAYS)
    assert observed.mean_nodes == 2
    assert observed.node_price_per_hour == 2
    assert observed.parts == {"nodes": Decimal(2880), "storage": Decimal("20.01")}
    assert observed.cost_per_month == Decimal("2900.01")


def test_googles_gpus_are_counted_by_node_and_all_of_a_machine_is_its_price() -> None:
    bill = charged(
        item("Nvidia L4 GPU running in Americas", quantity=Decimal(1440), cost=Decimal(720)),
        item("G2 Instance Core running in Americas", quantity=Decimal(9999), cost=Decimal(720)),
    )
    rented = Rented(machines=("g2-standard-24",), gpus=2, is_billed=True)
    observed = from_bill(bill, rented, THIRTY_DAYS)
    assert observed.mean_nodes == 1
    assert observed.node_price_per_hour == 2


def test_a_bill_without_the_nodes_says_which_machines_it_has() -> None:
    with pytest.raises(ObservedError, match=r"found machines m7i\.large"):
        from_bill(charged(item("BoxUsage:m7i.large")), RENTED, THIRTY_DAYS)


def test_owned_nodes_are_on_no_bill() -> None:
    owned = Rented(machines=(), gpus=1, is_billed=False)
    observed = from_bill(charged(item("NatGateway-Hours")), owned, THIRTY_DAYS)
    assert observed.mean_nodes is None
    assert observed.parts == {"network": Decimal(1)}


cents = st.decimals(min_value=0, max_value=10**7, places=2)
PARTS: tuple[Part, ...] = ("nodes", "storage", "network", "cpuNodes", "tax", "other")


@st.composite
def stages(draw: st.DrawFn) -> Stage:
    parts: dict[Part | OutsideBill, Decimal] = {
        part: draw(cents) for part in PARTS if part != "tax"
    }
    bill = Bill(
        nodes_monthly=parts["nodes"],
        other_infrastructure_monthly=sum(parts.values(), Decimal(0)) - parts["nodes"],
        staffing_monthly=draw(cents),
        overflow_monthly=draw(cents),
        contingency_share=Decimal("0.1"),
        mean_nodes=Decimal(1),
    )
    return Stage(bill=bill, parts={**parts, "api": bill.overflow_monthly})


@given(
    stages(),
    st.none() | stages(),
    st.none() | stages(),
    stages(),
    st.dictionaries(st.sampled_from(PARTS), cents),
    st.none() | cents,
    st.none() | cents,
)
def test_the_plan_and_all_steps_are_the_bill_to_the_cent(  # noqa: PLR0917
    planned: Stage,
    traffic: Stage | None,
    capacity: Stage | None,
    hours: Stage,
    parts: dict[Part, Decimal],
    people: Decimal | None,
    api: Decimal | None,
) -> None:
    parts = {"nodes": Decimal("12.34"), **parts}
    found = explain(
        planned=planned,
        with_traffic=traffic,
        with_capacity=capacity,
        with_hours=hours,
        actual=Actual(parts=parts, people=people, api=api),
    )
    own = hours.bill.staffing_monthly if people is None else people
    other = hours.bill.by_api_monthly if api is None else api
    if not hours.bill.by_api_monthly and not api:
        other = Decimal(0)
    assert found.planned + sum(step.monthly for step in found.steps) == found.charged
    assert found.charged == sum(parts.values(), Decimal(0)) + own + other
    assert all(step.monthly == to_cents(step.monthly) for step in found.steps)
