"""What a body may ask for, and what it may cost the gateway to read one: on its real programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.gateway.asking import A
from tests.gateway.client import CHAT
from tests.gateway.running import Cluster
from tests.gateway.stand_in import Faults
from tests.gateway.test_budgets import increase, own_nano

MIB = 2**20
MOST = 30
"""maxOutputTokens of the team `short`."""


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    teams: Mapping[str, Mapping[str, object]] = {
        "short": {"maxOutputTokens": MOST},
        "any": {"usdPerMonth": "1000"},
        "free": {},
    }
    cluster = Cluster(tmp_path_factory.mktemp("short"), teams=teams)
    cluster.set_replicas(A)
    yield cluster
    cluster.close()


@pytest.fixture
def asked(short: Cluster) -> Cluster:
    short.begin_anew()
    return short


LENGTHS = {
    "/v1/chat/completions": ("max_tokens", "max_completion_tokens"),
    "/v1/completions": ("max_tokens",),
    "/v1/responses": ("max_output_tokens",),
    "/v1/messages": ("max_tokens",),
}
ALL_LENGTHS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


@pytest.mark.parametrize("path", LENGTHS)
def test_no_answer_is_longer_than_the_team_may_have(asked: Cluster, path: str) -> None:
    """A limit under a name that the path does not read is none: then the gateway's own is set."""
    for name in ALL_LENGTHS:
        for value in (5, MOST, 0, None, "5", [5], 5.0, -1, MOST + 1):
            before = len(asked.asked())
            parameters: dict[str, Any] = {name: value}
            answer = asked.ask("sk-short", path=path, **parameters)
            assert answer.status in (200, 400), (name, value)
            for one in asked.asked()[before:]:
                read = [one.body.get(known) for known in LENGTHS[path]]
                stated = [length for length in read if length is not None]
                assert stated, (name, value, one.body)
                assert all(0 < length <= MOST for length in stated), (name, value)


@pytest.mark.parametrize("value", ["true", 1, "1", "yes", 1.0, [], {}, "false"])
def test_only_true_requests_a_stream(asked: Cluster, value: Any) -> None:
    """vLLM takes 1 and "yes" for true, and the gateway would not have asked for the usage."""
    body = {"model": asked.model, "messages": [], "stream": value}
    assert asked.call("POST", CHAT, key="sk-any", body=body).status == 400
    assert not asked.asked()


@pytest.mark.parametrize(
    "value", [["a"] * 5, [[1, 2]] * 5, ["a", [1], "b", "c", "d"], ["a"] * 10**5]
)
def test_a_list_of_prompts_requests_one_answer_each(asked: Cluster, value: Any) -> None:
    """Each of them is answered, and paid: gateway.maxAnswers is for all together."""
    path = "/v1/completions"
    assert asked.ask("sk-any", path=path, prompt=value).status == 400
    assert asked.ask("sk-any", path=path, prompt=["a", "b"], n=3).status == 400
    assert not asked.asked()
    for fine in (["a"] * 4, [1, 2, 3, 4, 5, 6], [[1, 2], [3]], "a", []):
        assert asked.ask("sk-any", path=path, prompt=fine).status == 200
    assert asked.ask("sk-any", path=path, prompt=["a", "b"], n=2).status == 200


def test_what_an_api_did_not_answer_in_time_is_paid_for_each_answer(asked: Cluster) -> None:
    asked.set_replicas()
    try:
        asked.api.faults = Faults(seconds_to_answer=4)
        one = increase(asked, "any", "api", lambda: asked.ask("sk-any", max_tokens=50, n=3))
        assert one["output"] == 150
    finally:
        asked.begin_anew()
        asked.set_replicas(A)


def test_a_prompt_in_chunks_is_counted_when_its_stream_is_cut(asked: Cluster) -> None:
    """Without a Content-Length it counted as nothing."""
    asked.replicas[A].faults = Faults(dies_after_words=3)
    body = {"model": asked.model, "messages": [{"role": "user", "content": "x" * 4000}]}
    content = json.dumps({**body, "stream": True, "stream_options": {"include_usage": True}})
    content = content.replace(": ", ":").replace(", ", ",")

    def in_chunks() -> None:
        head = (
            f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-any\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = f"{len(content):x}\r\n{content}\r\n0\r\nX-Trailer: x\r\n\r\n"
        assert b" 200 " in asked.raw((head + chunk).encode(), seconds=2)

    one = increase(asked, "any", "own", in_chunks)
    assert 1000 <= one["input"] <= 1100
    assert all(name != "x-trailer" for each in asked.asked() for name, _ in each.headers)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-7"]
)
def test_the_answering_server_reads_the_same_body_that_was_checked(
    asked: Cluster, kind: str
) -> None:
    assert asked.ask("sk-any", headers={"Content-Type": kind}).status == 200
    assert {one.header("content-type") for one in asked.asked()} == {"application/json"}


SLOW = {
    "names": b'{"model":"m",' + b",".join(b'"a%d":1' % number for number in range(700_000)) + b"}",
    "objects": b'{"model":"m","messages":[' + b"{}," * (2 * MIB) + b"{}]}",
    "quotes": b'{"model":"m","messages":["' + b'","' * (2 * MIB) + b'"]}',
    "escapes": b'{"model":"m","messages":["' + b"\\\\" * (3 * MIB) + b'"]}',
    "escaped quotes": b'{"model":"m","messages":["' + b'\\"' * (3 * MIB) + b'"]}',
    "depth": b'{"model":"m","messages":' + b"[" * (7 * MIB),
    "digits": b'{"model":"m","n":' + b"9" * (7 * MIB) + b"}",
    "spaces": b'{"model":"m","stream_options":{' + b'"include_usage"    ' * 300_000 + b"}}",
    "long name": b'{"' + b"a" * (7 * MIB) + b'":1}',
    "prompts": b'{"model":"m","prompt":[' + b"[]," * (2 * MIB) + b"[]]}",
}


@pytest.mark.parametrize("name", SLOW)
def test_no_body_holds_the_gateway_for_long(asked: Cluster, name: str) -> None:
    """CPU and memory of the gateway for the largest bodies, of the kinds that are the most work."""
    gateway = asked.processes["gateway"]
    assert len(SLOW[name]) <= 8 * MIB
    cpu, memory = gateway.cpu_seconds(), gateway.resident_mib()
    for path in (CHAT, "/v1/completions"):
        asked.call("POST", path, key="sk-any", body=SLOW[name])
    assert gateway.cpu_seconds() - cpu < 1
    assert gateway.resident_mib() - memory < 100


USAGE = b'{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}'
SLOW_ANSWERS = {
    "one line": b'data: {"choices":[{"text":"' + b"data: " * 100_000 + b'"}]}\n\n',
    "lines": b'data: {"choices":[{"text":"a"}]}\n\n' * 30_000,
    "empty choices": b"data: " + b'"choices":[' * 100_000 + b"\n\n",
    "usages": b'data: {"tools":[' + b'{"usage":{"a":"{"}},' * 50_000 + b"{}]}\n\n",
    "usages and spaces": b"data: {" + b'"usage"              ' * 50_000 + b"}\n\n",
}


@pytest.mark.parametrize("name", SLOW_ANSWERS)
@pytest.mark.parametrize("tells", [False, True])
def test_no_answer_holds_the_gateway_for_long(asked: Cluster, name: str, *, tells: bool) -> None:
    """What a client lets an engine repeat is looked at, too: an echo, a tool's schema."""
    end = b"data: " + USAGE + b"\n\ndata: [DONE]\n\n" if tells else b""
    asked.replicas[A].faults = Faults(text=SLOW_ANSWERS[name] + end)
    gateway = asked.processes["gateway"]
    before = gateway.cpu_seconds()
    for stream in (True, False):
        answer = asked.ask("sk-any", stream=stream)
        assert answer.status == 200
    assert gateway.cpu_seconds() - before < 1


@pytest.mark.parametrize(
    ("read", "most"),
    [
        (b"-5", 0),
        (b"1.9", 1),
        (b"NaN", 0),
        (b"Infinity", 0),
        (b'"7"', 0),
        (b"null", 0),
        (b"9" * 40, 10**9),
        (b"9" * 400, 10**9),
        (b"1e400", 1),
    ],
)
def test_no_usage_that_is_none_breaks_the_counters(asked: Cluster, read: bytes, most: int) -> None:
    """Whoever answers says it; nothing is ever given back, and no number is too large to count."""
    text = b'{"usage":{"prompt_tokens":%s,"completion_tokens":4}}' % read
    asked.replicas[A].faults = Faults(text=text)
    one = increase(asked, "free", "own", lambda: asked.ask("sk-free"))
    assert (one["input"], one["output"]) == (most, 4)
    assert one["nano"] == pytest.approx(float(own_nano(most + 4)), rel=1e-6, abs=1)
    assert asked.ask("sk-free").status == 200


def test_input_that_anthropics_form_counts_apart_is_input(asked: Cluster) -> None:
    """What was read from a cache and written to one is not in its input_tokens."""
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 5,
        "cache_creation_input_tokens": 3,
        "output_tokens": 4,
    }
    asked.replicas[A].faults = Faults(text=json.dumps({"usage": usage}).encode())
    one = increase(asked, "free", "own", lambda: asked.ask("sk-free", path="/v1/messages"))
    assert (one["input"], one["output"]) == (18, 4)
