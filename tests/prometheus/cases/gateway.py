"""Cases of charts/monitoring/rules/gateway.yaml.j2; promtool's time begins in January 1970."""

from __future__ import annotations

from breakeven.manifests.monitoring.promql import engine_selector, gateway_target_selector
from tests.prometheus.cases.series import MINUTES_A_DAY, Case, Series, cluster
from tests.recording import settings_of

SETTINGS = settings_of(
    "hybrid", **{"gateway.teams": {"product": {"usdPerMonth": "6000"}, "legal": {}}}
)
TARGET = gateway_target_selector(SETTINGS)
ENGINE = engine_selector(SETTINGS)
STEP = 20
DAY = MINUTES_A_DAY // STEP
# For what takes weeks; what is recorded looks back for an hour, and needs two samples in it.
LONG_STEP = 30
LONG_DAY = MINUTES_A_DAY // LONG_STEP
NANO = 10**9


def up(values: str, pod: str = "gateway-a") -> Series:
    return f'up{{{TARGET},pod="{pod}"}}', values


def ready(values: str) -> Series:
    return cluster("kube_deployment_status_replicas_ready", values, 'deployment="gateway"')


def requests(to: str, route: str, values: str, status: int = 200) -> Series:
    labels = f'to="{to}",route="{route}",status="{status}",pod="gateway-a"'
    return cluster("envoy_gateway_requests", values, labels)


def planned(share: float) -> Series:
    return f"breakeven:planned_overflow:ratio{{{ENGINE}}}", f"{share}x{3 * DAY}"


def a_day(own: int, api: int, route: str = "overflow") -> tuple[Series, ...]:
    """Requests of each step that own replicas answered, and the API; and many that were refused.

    What overflows was tried at an own replica first.
    """
    tried = api if route == "overflow" else 0
    return (
        requests("own", "overflow", f"0+{own}x{3 * DAY}"),
        requests("own", "overflow", f"0+{tried}x{3 * DAY}", 503),
        requests("api", route, f"0+{api}x{3 * DAY}"),
        requests("clients", "", f"0+1000x{3 * DAY}", 429),
    )


def dollars(values: str, team: str = "product", pod: str = "gateway-a") -> Series:
    labels = f'team="{team}",to="api",pod="{pod}"'
    return cluster("envoy_gateway_nano_usd", values, labels)


def days(number: int) -> int:
    return number * MINUTES_A_DAY


REFUSED = ("own", "inside")

# As much in twenty days, and nothing since.
JANUARY = dollars(f"0+{12 * NANO}x{20 * LONG_DAY} {12 * NANO * 20 * LONG_DAY}x{20 * LONG_DAY}")

CASES = [
    Case("GatewayDown", (), 10, firing=True),  # nothing is scraped
    Case("GatewayDown", (up("1x30"), up("0x30", "gateway-b"), ready("1x30")), 10, firing=False),
    Case("GatewayDown", (up("1x30"),), 10, firing=False),  # without kube-state-metrics
    Case("GatewayDown", (up("0x30"), up("0x30", "gateway-b")), 10, firing=True),
    Case("GatewayDown", (up("1x30"), ready("0x30")), 10, firing=True),  # lives, answers nothing
    Case("GatewayDown", (up("1x5 0x1 1x30"), ready("1x30")), 10, firing=False),  # one scrape
    Case("InsideRequestsRefused", (requests(*REFUSED, "0+1x300", 503),), 200, firing=True),
    Case("InsideRequestsRefused", (requests(*REFUSED, "0x300", 503),), 200, firing=False),
    # The first replica starts, and then answers them.
    Case("InsideRequestsRefused", (requests(*REFUSED, "0+1x300", 503),), 20, firing=False),
    Case("InsideRequestsRefused", (requests(*REFUSED, "0+1x20 20x280", 503),), 200, firing=False),
    # Refused for other reasons: over its limit, or it asked for the API; or the API answers it.
    Case("InsideRequestsRefused", (requests("clients", "", "0+1x300", 429),), 200, firing=False),
    Case("InsideRequestsRefused", (requests("clients", "", "0+1x300", 403),), 200, firing=False),
    Case(
        "InsideRequestsRefused", (requests("own", "overflow", "0+1x300", 503),), 200, firing=False
    ),
    # Planned is 10%, so up to 20% is as planned.
    Case(
        "OverflowAbovePlan",
        (planned(0.1), *a_day(70, 30)),
        days(2),
        firing=True,
        summary="30% of the last day's requests overflowed to the API, more than planned.",
        step=STEP,
    ),
    Case("OverflowAbovePlan", (planned(0.1), *a_day(82, 18)), days(2), firing=False, step=STEP),
    Case("OverflowAbovePlan", (planned(0), *a_day(96, 4)), days(2), firing=False, step=STEP),
    Case("OverflowAbovePlan", (planned(0), *a_day(90, 10)), days(2), firing=True, step=STEP),
    # They asked for it: 60% of all.
    Case(
        "OverflowAbovePlan",
        (planned(0.1), *a_day(40, 60, "asked for")),
        days(2),
        firing=False,
        step=STEP,
    ),
    # All were sent to a replica first; counted twice, they would be 18%.
    Case("OverflowAbovePlan", (planned(0.1), *a_day(78, 22)), days(2), firing=True, step=STEP),
    # The first day: the first replica was not there yet.
    Case("OverflowAbovePlan", (planned(0.1), *a_day(0, 9)), 600, firing=False, step=STEP),
    # $24 an hour, $576 a day; nine tenths of the limit are $5,400.
    Case(
        "TeamBudgetNear",
        (
            dollars(f"0+{12 * NANO}x{40 * LONG_DAY}"),
            dollars(f"0+{120 * NANO}x{40 * LONG_DAY}", "legal"),
        ),
        days(10),
        firing=True,
        summary="Team product has used 5760 USD this month, at least 90% of its limit.",
        labels={"team": "product"},
        step=LONG_STEP,
    ),
    Case(
        "TeamBudgetNear",
        (dollars(f"0+{12 * NANO}x{40 * LONG_DAY}"),),
        days(9),
        firing=False,
        step=LONG_STEP,
    ),
    # Half by a gateway that was replaced.
    Case(
        "TeamBudgetNear",
        (
            dollars(f"0+{12 * NANO}x{5 * LONG_DAY} _x{20 * LONG_DAY}"),
            dollars(f"_x{5 * LONG_DAY} 0+{12 * NANO}x{20 * LONG_DAY}", pod="gateway-b"),
        ),
        days(10),
        firing=True,
        step=LONG_STEP,
    ),
    # All of it in January, and it is February.
    Case(
        "TeamBudgetNear",
        (JANUARY,),
        days(30),
        firing=True,
        step=LONG_STEP,
    ),
    Case(
        "TeamBudgetNear",
        (JANUARY,),
        days(33),
        firing=False,
        step=LONG_STEP,
    ),
]
