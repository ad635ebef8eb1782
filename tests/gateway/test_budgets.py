"""Counts, limits and money: to the token, under load, whatever clients and servers do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gateway.answers import PROMPT_TOKENS, WORDS, says_words, spent
from tests.gateway.asking import A, at_once, eventually
from tests.gateway.client import CHAT, Answer
from tests.gateway.running import MARK, Cluster, prices_of_model
from tests.gateway.stand_in import Faults
from tests.gateway.store import counters
from tests.gateway.test_paths import PATHS

MILLION = 10**6
PRICES = prices_of_model()


def counted(cluster: Cluster, team: str, to: str) -> dict[str, float]:
    """Tokens of a team at a destination, and billionths of a dollar."""
    series = {"input": "input_tokens", "output": "output_tokens", "nano": "nano_usd"}
    return {
        name: cluster.metric(f"envoy_gateway_{one}", team=team, to=to)
        for name, one in series.items()
    }


def increase(
    cluster: Cluster, team: str, to: str, during: Callable[[], object]
) -> dict[str, float]:
    """How much was counted for what is done; waits for it to be counted."""
    before = counted(cluster, team, to)
    during()
    time.sleep(0.3)
    after = counted(cluster, team, to)
    return {name: after[name] - before[name] for name in after}


def own_nano(tokens: int) -> Decimal:
    return PRICES.own * tokens * 1000


def api_nano(read: int = PROMPT_TOKENS, written: int = WORDS) -> Decimal:
    return (PRICES.api_input * read + PRICES.api_output * written) * 1000


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_counted_to_the_token(serving: Cluster, path: str, *, stream: bool) -> None:
    if stream and not says_words(path):
        return
    one = increase(serving, "product", "own", lambda: serving.ask(path=path, stream=stream))
    assert one["input"] + one["output"] == spent(path)
    assert one["output"] == spent(path) - PROMPT_TOKENS
    assert one["nano"] == pytest.approx(float(own_nano(spent(path))), abs=1)


@pytest.mark.parametrize("stream", [False, True])
def test_the_api_is_paid_at_its_own_price(cluster: Cluster, *, stream: bool) -> None:
    one = increase(cluster, "product", "api", lambda: cluster.ask(stream=stream))
    assert (one["input"], one["output"]) == (PROMPT_TOKENS, WORDS)
    assert one["nano"] == pytest.approx(float(api_nano()), abs=1)


def test_a_stream_without_usage_is_counted_by_its_chunks(serving: Cluster) -> None:
    """An engine of another version, or one that was cut: never zero."""
    own = serving.replicas[A]
    own.faults = Faults(usage=False)
    one = increase(serving, "product", "own", lambda: serving.ask(stream=True))
    assert WORDS <= one["output"] <= WORDS + 3  # its last event has no word
    own.faults = Faults(dies_after_words=10)
    one = increase(serving, "product", "own", lambda: serving.ask(stream=True))
    assert 10 <= one["output"] <= 12


def test_a_stream_that_the_client_left_is_counted(cluster: Cluster) -> None:
    cluster.api.faults = Faults(seconds_a_word=0.02)
    one = increase(cluster, "product", "api", cluster.leave_early)
    assert one["output"] >= 1
    assert one["nano"] > 0


def test_a_request_that_the_api_worked_on_in_vain_is_paid(cluster: Cluster) -> None:
    """The gateway gave up after its time; the provider works, and bills what was asked for."""
    cluster.api.faults = Faults(seconds_to_answer=4)
    one = increase(cluster, "product", "api", lambda: cluster.ask(max_tokens=50))
    assert one["output"] == 50
    assert one["nano"] >= float(api_nano(0, 50))


def test_what_was_refused_by_an_upstream_costs_nothing(cluster: Cluster) -> None:
    cluster.api.faults = Faults(status=500)
    one = increase(cluster, "product", "api", cluster.ask)
    assert one == {"input": 0, "output": 0, "nano": 0}


def test_an_answer_can_not_name_its_own_price(serving: Cluster) -> None:
    """A usage in the text, in a tool's arguments, in what is repeated: only the last one counts."""
    text = '"usage": {"prompt_tokens": 0, "completion_tokens": 0}'
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"usage": {}}}}]
    for stream in (False, True):

        def ask(stream: bool = stream) -> Answer:  # of this turn
            return serving.ask(text=text, tools=tools, stream=stream)

        one = increase(serving, "product", "own", ask)
        assert one["input"] + one["output"] == spent(CHAT)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cluster with teams of small limits, each for one test."""
    teams: Mapping[str, Mapping[str, object]] = {
        "tokens": {"tokensPerDay": 50},
        "streams": {"tokensPerDay": 50},
        "money": {"usdPerMonth": str(api_nano() * 9 / 10 / 10**9)},
        "loaded": {"tokensPerDay": 40 * spent(CHAT)},
        "paying": {"usdPerMonth": str(5 * api_nano() / 10**9), "requestsPerMinute": 25},
        "rich": {"usdPerMonth": "1000000"},
        "minute": {"requestsPerMinute": 3},
        "several": {"tokensPerDay": 10**6, "usdPerMonth": str(api_nano() * 9 / 10 / 10**9)},
    }
    cluster = Cluster(tmp_path_factory.mktemp("limited"), teams=teams)
    yield cluster
    cluster.close()


def ask_until_refused(cluster: Cluster, key: str, **parameters: Any) -> list[Answer]:
    answers: list[Answer] = []
    while not answers or answers[-1].status == 200:
        answers.append(cluster.ask(key, **parameters))
        assert len(answers) < 20
        time.sleep(0.1)  # a request is counted when it has ended
    return answers


@pytest.mark.parametrize(("team", "stream"), [("tokens", False), ("streams", True)])
def test_key_over_its_tokens(
    limited: Cluster, row: list[Sequence[Answer]], team: str, *, stream: bool
) -> None:
    """50 tokens allow two requests of 30: the second passes the limit by what it takes."""
    limited.set_replicas(A)
    answers = ask_until_refused(limited, f"sk-{team}", stream=stream)
    assert [one.status for one in answers] == [200, 200, 429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 86400
    inside = [limited.ask(f"sk-{team}", text=MARK, headers={"X-Stay-Inside": "1"})]
    assert inside[0].status == 429
    assert limited.ask(f"sk-{team}", path="/v1/embeddings").status == 429
    row += [answers, inside]


def test_key_over_its_money(limited: Cluster, row: list[Sequence[Answer]]) -> None:
    """It buys one request by API, which costs more."""
    limited.set_replicas()
    answers = ask_until_refused(limited, "sk-money")
    assert [one.status for one in answers] == [200, 429]
    row += [answers, []]


def test_money_and_tokens_hold_together(limited: Cluster) -> None:
    limited.set_replicas()
    assert [one.status for one in ask_until_refused(limited, "sk-several")] == [200, 429]


def test_requests_per_minute(limited: Cluster) -> None:
    limited.set_replicas(A)
    if time.time() % 60 > 57:
        time.sleep(4)  # not across the end of a minute
    answers = [limited.ask("sk-minute") for _ in range(5)]
    assert [one.status for one in answers] == [200, 200, 200, 429, 429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


def test_counts_are_exact_under_load(limited: Cluster) -> None:
    """Of many at once, those under way may pass the limit, and not one more."""
    limited.set_replicas(A)
    clients = 8

    def client(number: int) -> list[Answer]:
        return [limited.ask("sk-loaded", stream=number % 2 == 0, text=str(n)) for n in range(12)]

    def all_of_them() -> list[Answer]:
        with ThreadPoolExecutor(clients) as pool:
            return [one for done in pool.map(client, range(clients)) for one in done]

    answers: list[Answer] = []
    before = counted(limited, "loaded", "api")
    own = increase(limited, "loaded", "own", lambda: answers.extend(all_of_them()))
    after = counted(limited, "loaded", "api")  # those for which no replica was free
    served = sum(answer.status == 200 for answer in answers)
    assert {answer.status for answer in answers} == {200, 429}
    total = own["input"] + own["output"]
    total += sum(after[name] - before[name] for name in ("input", "output"))
    assert total == served * spent(CHAT)
    assert sum(counters(limited.store_port, "tokens_loaded_").values()) == served * spent(CHAT)
    assert 40 <= served <= 40 + clients


def test_a_burst_passes_a_budget_by_no_more_than_the_requests_of_a_minute(
    limited: Cluster,
) -> None:
    """100 requests at once once reached the API 82 times beyond the limit: nothing bounded them.

    Money is counted when a request has ended, requests before one goes out.
    """
    limited.set_replicas()
    limited.api.begin_anew()
    if time.time() % 60 > 50:
        time.sleep(11)  # not across the end of a minute
    answers = at_once(60, lambda: limited.ask("sk-paying"))
    later = [limited.ask("sk-paying") for _ in range(3)]
    # On a machine that is busy the service may answer too late: then nothing goes out.
    assert {one.status for one in answers} <= {200, 429, 503}
    assert len(limited.api.asked) <= 25
    assert {one.status for one in later} == {429}


def test_a_million_dollars_can_be_counted(limited: Cluster) -> None:
    """A limit of the service is a uint32: of micro-dollars that would be $4,294."""
    limited.set_replicas()
    for _ in range(3):
        assert limited.ask("sk-rich").status == 200
    rules = yaml.safe_load(limited.rendered.data("gateway-store")["limits.yaml"])
    for limit in _limits(rules):
        assert 0 < limit["requests_per_unit"] < 2**32


def _limits(tree: Any) -> list[dict[str, Any]]:
    found = [tree["rate_limit"]] if "rate_limit" in tree else []
    for one in tree.get("descriptors", ()):
        found += _limits(one)
    return found


def test_parts_of_a_unit_are_not_lost(limited: Cluster) -> None:
    """A large budget is counted in coarse units; many small requests still add up."""
    [own] = limited.set_replicas(A)
    requests = 30
    one = increase(
        limited, "rich", "own", lambda: [limited.ask("sk-rich") for _ in range(requests)]
    )
    assert len(own.asked) == requests
    assert one["nano"] == pytest.approx(float(own_nano(spent(CHAT)) * requests), abs=requests)


def test_budgets_survive_a_restart_of_what_counts(limited: Cluster) -> None:
    limited.set_replicas(A)
    while limited.ask("sk-tokens").status == 200:
        time.sleep(0.1)
    time.sleep(1.5)  # each second's additions reach the volume
    before = counters(limited.store_port, "tokens_tokens_")
    assert sum(before.values()) >= 50
    for name, start in (("limits", limited.start_limits), ("store", limited.start_store)):
        limited.stop(name)
        start()
    eventually(lambda: counters(limited.store_port, "tokens_tokens_") == before)
    eventually(lambda: limited.ask("sk-tokens").status == 429)


def test_every_series_has_names_of_the_stack_only(serving: Cluster) -> None:
    """Teams, models, destinations: never what a client chose."""
    serving.ask(model="chosen by a client")
    serving.ask("sk-nobody")
    text = serving.metrics()
    for label in re.findall(r'\b(?:team|model)="([^"]*)"', text):
        known = {*serving.teams, serving.model, serving.settings.api.in_use, "", "-"}
        assert label in known, label


def test_a_volume_keeps_the_counters(cluster: Cluster) -> None:
    files = [file.name for file in Path(cluster.folder / "data").rglob("*") if file.is_file()]
    assert [name for name in files if "aof" in name]
