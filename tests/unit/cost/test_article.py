"""The figures of the article that started it, and their inputs. See docs/article.md."""

from __future__ import annotations

from decimal import Decimal

import pytest

from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import find_model
from breakeven.cost.bill.shared_costs import staffing_items
from breakeven.cost.bill.staffing import Staffing
from breakeven.cost.calendar import CALENDAR_MONTH, THIRTY_DAYS
from breakeven.cost.capacity.capacity import replica_capacity
from breakeven.cost.report import Report
from breakeven.planning.offline import estimate_stack
from tests.unit.cost.builders import TODAY, assumptions, owned_node


@pytest.fixture(scope="module")
def report() -> Report:
    """The estimate of stack `article`, as `make preview STACK=article` shows it."""
    return estimate_stack("article", TODAY)


def people(salary: int, share: str) -> Decimal:
    stated = Staffing(
        engineer_salary=Decimal(salary),
        engineer_share=Decimal(share),
        on_call_per_month=Decimal(0),
        contingency_share=Decimal(0),
    )
    [engineer] = staffing_items(assumptions(staffing=stated))
    return engineer.monthly


def test_s1_the_api_costs_2250_dollars(report: Report) -> None:
    """50 million tokens a day, 30 days, $1.50 per million, stated as a contract price."""
    assert report.api.price.is_contract
    assert report.api.price.usd_per_million_tokens == Decimal("1.5")
    assert report.api.monthly == 2250


def test_s2_four_gpus_cost_5175_dollars(report: Report) -> None:
    """4 GPUs x 720 hours x $1.796875, here one node of four for $7.1875 an hour."""
    kinds = ("busy-nodes", "idle-nodes")
    gpu_lines = [line for line in report.infrastructure.lines if line.kind in kinds]
    assert sum(line.monthly for line in gpu_lines) == 5175


def test_s3_the_ratio_is_2_3(report: Report) -> None:
    """5,175 / 2,250: bare hardware over the API."""
    assert report.infrastructure.monthly / report.api.monthly == Decimal("2.3")


def test_s7_a_fifth_to_a_third_of_an_engineer_is_3000_to_6000_dollars(report: Report) -> None:
    """20% of $180,000 and 30% of $240,000 a year; the range needs two salaries."""
    assert report.bill.staffing_monthly == people(180_000, "0.20") == 3000
    assert people(240_000, "0.30") == 6000


@pytest.mark.parametrize(
    ("watts", "usage_effectiveness", "price"),
    [
        (700, "1.0", "0.1272"),
        (700, "1.3", "0.0978"),
        (575, "1.0", "0.1549"),
        (450, "1.0", "0.198"),
        (350, "1.5", "0.1696"),
    ],
)
def test_s8_one_card_takes_65_dollars_of_electricity(
    watts: int, usage_effectiveness: str, price: str
) -> None:
    """Continuous draw over 730 hours; which card and price is not said, so five that give it."""
    card = owned_node(
        power_watts=watts,
        power_usage_effectiveness=Decimal(usage_effectiveness),
        electricity_price_per_kwh=Decimal(price),
    )
    cost = card.kilowatt_hours(card.resting_watts, CALENDAR_MONTH) * card.electricity_price_per_kwh
    assert cost == pytest.approx(Decimal(65), abs=Decimal("0.1"))


def test_s10_machines_that_do_not_scale_are_paid_at_all_hours(report: Report) -> None:
    hours = sum(line.quantity for line in report.infrastructure.lines if line.unit == "node-hour")
    assert hours == THIRTY_DAYS.hours_per_month
    assert report.week.peak_replicas == 4


def test_x1_eleven_billion_a_month_are_not_500_million_a_day() -> None:
    """11 billion are 367 million a day over 30 days; 500 million make them in 22 days."""
    assert Decimal(11 * 10**9) / THIRTY_DAYS.days_per_month == pytest.approx(
        Decimal(367_000_000), rel=Decimal("0.001")
    )
    assert 500_000_000 * THIRTY_DAYS.days_per_month == 15 * 10**9


def test_x2_the_named_overheads_make_1_6_to_2_2_times_the_gpus_not_3_to_5(report: Report) -> None:
    bare = report.infrastructure.monthly
    assert report.total / bare == pytest.approx(Decimal("1.58"), abs=Decimal("0.005"))
    high = bare + people(240_000, "0.30")
    assert high / bare == pytest.approx(Decimal("2.16"), abs=Decimal("0.005"))


def test_x3_with_the_engineer_it_is_3_6_to_5_times_the_api(report: Report) -> None:
    """ "Once everything is counted" counted the hardware only."""
    assert report.total / report.api.monthly == pytest.approx(Decimal("3.63"), abs=Decimal("0.01"))
    high = report.infrastructure.monthly + people(240_000, "0.30")
    assert high / report.api.monthly == pytest.approx(Decimal("4.97"), abs=Decimal("0.01"))


@pytest.mark.parametrize("gpu", ["a10g", "l4"])
def test_x4_four_of_these_gpus_cannot_carry_the_published_break_even(gpu: str) -> None:
    """11 billion tokens a month are 4,244 a second, flat; at 1,024 in and 256 out."""
    needed = 11 * 10**9 / (30 * 86_400)
    replica = replica_capacity(
        find_model("llama-2-13b-chat"),
        precision="int8",
        gpu=find_gpu(gpu),
        tensor_parallel=1,
        gpu_memory_utilization=0.9,
        max_model_length=4096,
        input_tokens=1024,
        output_tokens=256,
        cached_input_share=0.0,
        concurrency_limit=256,
        measured_output_tokens_per_second=None,
    )
    # Not even at the upper end of the band.
    upper = replica.total_tokens_per_second * (1 + replica.error_percent / 100)
    assert 4 * upper < needed


def test_x5_most_of_the_four_gpus_is_idle(report: Report) -> None:
    assert report.week.busy_share < 0.5


def test_x6_against_the_same_class_of_model_hosted_it_never_pays(report: Report) -> None:
    [in_use, hosted] = report.break_even
    assert hosted.api.same_model
    assert hosted.infrastructure_only.never
    assert not in_use.infrastructure_only.never


def test_x7_the_price_of_an_hour_depends_on_the_calendar() -> None:
    """$5,175 for four GPUs are $1.7969 an hour over 720 hours and $1.7723 over 730."""
    per_gpu = Decimal(5175) / 4
    assert per_gpu / THIRTY_DAYS.hours_per_month == Decimal("1.796875")
    assert per_gpu / CALENDAR_MONTH.hours_per_month == pytest.approx(
        Decimal("1.77226"), abs=Decimal("0.00001")
    )


def test_the_verdict_is_not_to_self_host(report: Report) -> None:
    assert report.verdict.choice == "hosted"
