"""Cases of charts/monitoring/rules/latency.yaml.j2; objectives 2 s and 0.1 s for 95%."""

from __future__ import annotations

from tests.prometheus.cases.series import Case, Series, engine

FIRST = "vllm:time_to_first_token_seconds"
BETWEEN = "vllm:inter_token_latency_seconds"


def first_tokens(minutes: int, *phases: tuple[int, int, int]) -> tuple[Series, ...]:
    """Requests a minute within 1 s, and such as took from 2.5 to 5 s, one phase after the other.

    Args:
        minutes: How long the last phase lasts at least.
        phases: Minutes, quick requests a minute and slow requests a minute.
    """
    bounds = {"1.0": False, "2.5": False, "5.0": True, "+Inf": True}
    buckets = [
        engine(f"{FIRST}_bucket", counted(phases, minutes, slow=slow), more=f',le="{bound}"')
        for bound, slow in bounds.items()
    ]
    return (*buckets, engine(f"{FIRST}_count", counted(phases, minutes, slow=True)))


def counted(phases: tuple[tuple[int, int, int], ...], minutes: int, *, slow: bool) -> str:
    """A counter, as promtool writes it."""
    start, parts = 0, []
    for position, (length, quick, late) in enumerate(phases):
        step = quick + (late if slow else 0)
        steps = minutes if position + 1 == len(phases) else length
        parts.append(f"{start}+{step}x{steps}")
        start += step * (steps + 1)
    return " ".join(parts)


def intervals(quick: int, slow: int, minutes: int) -> tuple[Series, ...]:
    """Tokens a minute within 0.05 s, and such as took from 0.1 to 0.15 s; 40 requests a minute."""
    every = quick + slow
    bounds = {"0.05": quick, "0.1": quick, "0.15": every, "+Inf": every}
    buckets = [
        engine(f"{BETWEEN}_bucket", f"0+{count}x{minutes}", more=f',le="{bound}"')
        for bound, count in bounds.items()
    ]
    return (*buckets, engine(f"{FIRST}_count", f"0+40x{minutes}"))


# A window that is longer than its series is as full of them as the shorter ones.
LONG = 900

CASES = [
    Case("FirstTokenBudgetBurnsFast", first_tokens(400, (0, 20, 80)), 90, firing=True),
    Case("FirstTokenBudgetBurnsFast", first_tokens(400, (0, 40, 60)), 90, firing=True),  # six hours
    Case("FirstTokenBudgetBurnsFast", first_tokens(400, (0, 75, 25)), 390, firing=False),
    # An hour of misses that is over: the short window ends the alert.
    Case(
        "FirstTokenBudgetBurnsFast", first_tokens(200, (90, 0, 100), (0, 100, 0)), 150, firing=False
    ),
    Case("FirstTokenBudgetBurnsFast", (), 90, firing=False),  # an idle model is not slow
    # Ten requests in an hour, nine of them slow, say little.
    Case("FirstTokenBudgetBurnsFast", first_tokens(30, (50, 0, 0), (9, 0, 1)), 62, firing=False),
    Case("FirstTokenBudgetBurnsSlowly", first_tokens(LONG, (0, 80, 20)), 500, firing=True),
    Case("FirstTokenBudgetBurnsSlowly", first_tokens(LONG, (0, 92, 8)), 500, firing=True),
    Case("FirstTokenBudgetBurnsSlowly", first_tokens(LONG, (0, 97, 3)), 500, firing=False),
    # Hours of misses that ended more than six hours ago.
    Case(
        "FirstTokenBudgetBurnsSlowly",
        first_tokens(LONG, (400, 80, 20), (0, 100, 0)),
        800,
        firing=False,
    ),
    Case("TokenIntervalBudgetBurnsFast", intervals(200, 800, 200), 90, firing=True),
    Case("TokenIntervalBudgetBurnsFast", intervals(750, 250, 400), 390, firing=False),
    Case("TokenIntervalBudgetBurnsSlowly", intervals(920, 80, LONG), 500, firing=True),
    Case("TokenIntervalBudgetBurnsSlowly", intervals(970, 30, LONG), 500, firing=False),
]
