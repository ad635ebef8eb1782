"""Cases of charts/monitoring/rules/cost.yaml.j2, in January 1970, when promtool's time begins.

The stack: two to eight replicas of one GPU a node, $1.965555 an hour each, $6.00774 an hour beside
them, a budget of $9,000/month, $0.53 planned per 1M tokens. A replica was measured to
serve 5,000 tokens per second with 48 requests in flight.
"""

from __future__ import annotations

from tests.prometheus.cases.series import (
    MINUTES_A_DAY,
    Case,
    Series,
    engine,
    gpu,
    running,
    up,
    waiting,
)

STEP = 30
DAY = MINUTES_A_DAY // STEP
LONG = 10 * DAY
BUSY = "DCGM_FI_DEV_GPU_UTIL"


def replicas(number: int, steps: int = LONG) -> tuple[Series, ...]:
    return tuple(up(f"1x{steps}", pod) for pod in "abcdefgh"[:number])


def eight_then_two(days: int) -> tuple[Series, ...]:
    return *replicas(2), *(up(f"1x{days * DAY} _x{LONG}", pod) for pod in "cdefgh")


def tokens(millions_a_day: int) -> tuple[Series, ...]:
    each = round(millions_a_day * 10**6 / DAY / 2)
    return (
        engine("vllm:prompt_tokens_total", f"0+{each}x{LONG}"),
        engine("vllm:generation_tokens_total", f"0+{each}x{LONG}"),
    )


def speed(tokens_per_second: int) -> tuple[Series, ...]:
    each = tokens_per_second * 30  # of input and output, each minute
    return (
        engine("vllm:prompt_tokens_total", f"0+{each}x200"),
        engine("vllm:generation_tokens_total", f"0+{each}x200"),
    )


def load(requests: int) -> tuple[Series, ...]:
    return running(f"{requests}x200"), waiting("0x200")


def days(number: int) -> int:
    return number * MINUTES_A_DAY


CASES = [
    # Four nodes: (6.00774 + 4 x 1.965555) x 744 = $10,319. Three: $8,857.
    Case(
        "BudgetBurns",
        replicas(4),
        days(3),
        firing=True,
        summary="At the current rate, this month will cost 10319 USD; the budget is 9000 "
        "USD/month.",
        step=STEP,
    ),
    Case("BudgetBurns", replicas(3), days(3), firing=False, step=STEP),
    # Eight nodes for five days, two from then on: 744 x (6.00774 + 2 x 1.965555) + 5 x 24 x 6 x
    # 1.965555 = $8,810; the month may cost 9,000 / 730 x 744 = $9,173. For seven days: $9,376.
    Case("BudgetBurns", eight_then_two(5), days(9), firing=False, step=STEP),
    Case("BudgetBurns", eight_then_two(7), days(9), firing=True, step=STEP),
    # Three nodes: $11.9 an hour, $286 a day; 300 million tokens a day: $0.95 a million.
    Case(
        "CostPerTokenAbovePlan",
        (*replicas(3), *tokens(300)),
        days(9),
        firing=True,
        summary="Cost per 1M tokens: 0.95 USD over a week; planned: 0.53.",
        step=STEP,
    ),
    Case("CostPerTokenAbovePlan", (*replicas(3), *tokens(400)), days(9), firing=False, step=STEP),
    # The first days of a service say nothing.
    Case("CostPerTokenAbovePlan", (*replicas(3), *tokens(10)), days(3), firing=False, step=STEP),
    # 48 requests in flight in each of two replicas, which were measured to serve 5,000 tokens per
    # second then, and 4,750 at least: 4,700 are too few, 4,800 are not.
    Case(
        "ThroughputBelowPlan",
        (*replicas(2, 200), *load(96), *speed(9400)),
        60,
        firing=True,
        summary="Full replicas serve 4700 tokens per second each; the plan has 5000 (measured in "
        "record.json) and at least 4750.",
    ),
    Case("ThroughputBelowPlan", (*replicas(2, 200), *load(96), *speed(9600)), 60, firing=False),
    Case(  # not full
        "ThroughputBelowPlan", (*replicas(2, 200), *load(95), *speed(9400)), 60, firing=False
    ),
    Case(  # just full
        "ThroughputBelowPlan", (*replicas(2, 200), *load(96), *speed(9400)), 20, firing=False
    ),
    # Two replicas aim at 96 requests; 40 are there, and three replicas.
    Case(
        "IdleReplicas",
        (*replicas(3, 200), *load(40)),
        120,
        firing=True,
        summary="Replicas that the load does not need cost 1.97 USD/hour.",
    ),
    Case("IdleReplicas", (*replicas(2, 200), *load(0)), 120, firing=False),  # the fewest
    Case("IdleReplicas", (*replicas(3, 200), *load(60)), 120, firing=False),
    Case("IdleReplicas", (*replicas(3, 200), *load(40)), 60, firing=False),  # scaling down takes
    Case(
        "GpuIdle",
        (*load(5), gpu(BUSY, "0x200")),
        120,
        firing=True,
        summary="GPU 0 of node-1 (model-a) is idle while others work, at 1.97 USD/hour.",
        labels={"Hostname": "node-1", "gpu": "0", "pod": "model-a"},
    ),
    Case("GpuIdle", (*load(0), gpu(BUSY, "0x200")), 120, firing=False),  # nothing to do
    Case("GpuIdle", (*load(5), gpu(BUSY, "0x60 1 0x139")), 100, firing=False),  # it did something
    Case("GpuIdle", (*load(5), gpu(BUSY, "0x200")), 15, firing=False),  # it loads weights
]
