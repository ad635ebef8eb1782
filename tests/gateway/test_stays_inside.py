"""What may not leave never does: headers, teams, models, names, addresses.

That the API saw no marked prompt is asserted after each test by the fixture `cluster`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.answers import says_words
from tests.gateway.asking import A, assert_complete
from tests.gateway.client import CHAT
from tests.gateway.conftest import assert_nothing_leaked
from tests.gateway.running import MARK, Cluster
from tests.recording import settings_of

API_MODEL = settings_of("hybrid").api.in_use

HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("X-Stay-Inside", "true"),),
    (("X-Stay-Inside", "TRUE"),),
    (("x-stay-inside", ""),),
    (("x-stay-inside", "0"),),
    (("X-Stay-Inside", "no"),),
    (("X-Stay-Inside", "flase"),),
    (("X-Stay-Inside", "false, true"),),
    (("X-Stay-Inside", "false,false;true"),),
    (("X-Stay-Inside", "false "), ("X-Stay-Inside", "true")),
    # A client's own, then the one that a proxy or a classifier adds, and the other way round.
    (("X-Stay-Inside", "false"), ("X-Stay-Inside", "true")),
    (("X-Stay-Inside", "true"), ("X-Stay-Inside", "false")),
    (("X-Stay-Inside", "false"), ("x-stay-inside", "")),
    (("X-Stay-Inside", "falsefalse"),),
    # With what a client might hope to change the way with.
    (("X-Stay-Inside", "true"), ("x-team", "product")),
    (("X-Stay-Inside", "true"), ("x-model", API_MODEL)),
    (
        ("X-Stay-Inside", "true"),
        ("x-envoy-original-path", CHAT),
        ("x-envoy-decorator-operation", "x"),
    ),
    (("X-Stay-Inside", "true"), ("x-envoy-upstream-rq-timeout-ms", "1")),
    (("X-Stay-Inside", "true"), ("x-envoy-retry-on", "5xx"), ("x-envoy-max-retries", "9")),
    (("X-Stay-Inside", "true"), ("x-limited", "product"), ("x-output", "0"), ("x-month", "1")),
)
FORGED = (
    (("x-team", "product"),),
    (("X-Team", "product"), ("x-team", "product")),
    (("x-model", API_MODEL),),
    (("X-Stay-Inside", "false"),),
    (("x-envoy-internal", "true"), ("x-forwarded-for", "10.0.0.1")),
    (("authorization", "Bearer sk-product"),),  # next to the team's own key
    (("x-api-key", "sk-product"),),
    (("Connection", "close, x-team, x-stay-inside"), ("x-team", "product")),
)


@pytest.mark.parametrize("stream", [False, True])
def test_any_value_but_false_in_any_header_stays_inside(cluster: Cluster, *, stream: bool) -> None:
    for headers in HEADERS:
        answer = cluster.ask(text=MARK, headers=headers, stream=stream)
        assert answer.status in (400, 401, 503), headers
    assert not cluster.api.asked
    [own] = cluster.set_replicas(A)
    for headers in HEADERS:
        answer = cluster.ask(text=MARK, headers=headers, stream=stream)
        assert answer.by in ("own", None), headers
    assert own.asked


def test_false_may_leave(cluster: Cluster) -> None:
    """Else the tests above would also pass where nothing ever leaves."""
    assert cluster.ask(headers={"X-Stay-Inside": "false"}).by == "api"


def test_no_header_lets_a_team_out_whose_data_may_not_leave(cluster: Cluster) -> None:
    for headers in FORGED:
        answer = cluster.ask("sk-legal", text=MARK, headers=headers)
        assert answer.status in (400, 401, 503), headers
    assert not cluster.api.asked


def test_what_connection_names_is_not_seen(cluster: Cluster) -> None:
    """HTTP's own rule (RFC 9110, 7.6.1): such a header is for the next hop alone, so it is dropped.

    Envoy does so before any rule of ours. Whoever marks requests of others must not pass on their
    Connection header; docs/gateway.md says so. A team's own mark is not touched by it.
    """
    headers = {"X-Stay-Inside": "true", "Connection": "X-Stay-Inside"}
    assert cluster.ask(headers=headers).by == "api"
    assert cluster.ask("sk-legal", text=MARK, headers=headers).status == 503


def test_the_api_by_name_is_for_requests_that_may_leave(cluster: Cluster) -> None:
    assert cluster.ask(model=API_MODEL).by == "api"
    cluster.api.asked.clear()
    assert cluster.ask(text=MARK, model=API_MODEL, headers={"X-Stay-Inside": "1"}).status == 403
    assert cluster.ask("sk-legal", text=MARK, model=API_MODEL).status == 403
    assert not cluster.api.asked


def test_names_of_the_inside_are_no_models(serving: Cluster) -> None:
    inner = ("own", "inside", "api", "own-then-api", "to-api", "to-own", "*", "", "../api")
    for name in (*inner, API_MODEL.partition("/")[2], f"{serving.model} ", serving.model.upper()):
        assert serving.ask(text=MARK, model=name).status in (400, 404), name
        assert serving.ask("sk-legal", text=MARK, model=name).status in (400, 404), name
    assert not serving.asked()


def test_the_query_chooses_nothing(serving: Cluster) -> None:
    """Neither another model nor another way; the replica does not see it."""
    own = serving.replicas[A]
    for query in (f"?model={API_MODEL}", "?model=api", "?api-version=1&x=%2e%2e", "?", "?x#y"):
        answer = serving.ask("sk-legal", path=CHAT + query, text=MARK)
        assert answer.by in ("own", None), query
    assert {asked.path for asked in own.asked} <= {CHAT}
    assert {asked.body["model"] for asked in own.asked} <= {serving.model}


PARTS = (
    {"type": "image_url", "image_url": {"url": "{address}"}},
    {"type": "image_url", "image_url": "{address}"},
    {"type": "input_image", "image_url": "{address}"},
    {"type": "video_url", "video_url": {"url": "{address}"}},
    {"type": "audio_url", "audio_url": {"url": "{address}"}},
    {"type": "input_audio", "input_audio": {"data": "{address}", "format": "wav"}},
    {"type": "file", "file": {"file_id": "{address}"}},
    {"type": "file", "file": {"file_data": "{address}"}},
    {"type": "input_file", "file_url": "{address}"},
    {"type": "document", "source": {"type": "url", "url": "{address}"}},
    {"type": "text", "text": "{address}"},
)
OUTSIDE = "198.51.100.7"  # documentation only (RFC 5737): nobody answers


def _filled(part: object, address: str) -> object:
    if isinstance(part, dict):
        return {key: _filled(value, address) for key, value in part.items()}
    return part.format(address=address) if isinstance(part, str) else part


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of which every address is written down that Envoy connects or sends to."""
    if shutil.which("strace") is None:
        pytest.fail("strace is missing: apt-get install strace", pytrace=False)
    cluster = Cluster(tmp_path_factory.mktemp("traced"), traced=True)
    yield cluster
    cluster.close()


def test_what_a_request_names_is_never_called_nor_looked_up(traced: Cluster) -> None:
    """Files, images, sound and addresses in every part, streamed, left early, failed and cut."""
    [own] = traced.set_replicas(A)
    before = len(traced.names.asked)
    asked = 0
    for scheme in ("http", "https"):
        address = f"{scheme}://x{asked}.leak.example/x?secret=diagnosis"
        for part in PARTS:
            for named in (address, f"{scheme}://{OUTSIDE}/x.png"):
                content = [{"type": "text", "text": MARK}, _filled(part, named)]
                messages = [{"role": "user", "content": content}]
                for key, stream in (("sk-legal", False), ("sk-product", True)):
                    headers = {"X-Stay-Inside": "1"}
                    body = {"model": traced.model, "messages": messages, "stream": stream}
                    answer = traced.call("POST", CHAT, key=key, body=body, headers=headers)
                    assert answer.status in (200, 400)
                    asked += 1
    for way in ("image_url", "webhook", "metadata", "callback_url", "api_base", "base_url"):
        steering: dict[str, Any] = {way: f"http://{OUTSIDE}/"}
        traced.ask("sk-legal", text=MARK, **steering)
    for name in ("Host", "Referer", "Origin", "X-Forwarded-Host", "X-Original-URL", "Forwarded"):
        traced.ask("sk-legal", text=MARK, headers={name: "leak.example"})
    traced.call("POST", f"http://{OUTSIDE}{CHAT}", key="sk-legal", body={"model": traced.model})
    traced.call("CONNECT", f"{OUTSIDE}:443", key="sk-legal")
    own.faults.dies_after_words = 3
    traced.ask("sk-legal", text=MARK, stream=True)
    looked_up = set(traced.names.asked[before:])
    assert looked_up <= set(traced.names.addresses)
    assert contacted(traced.folder / "addresses") <= known_places(traced)
    assert_nothing_leaked(traced)


def contacted(trace: Path) -> set[tuple[str, int]]:
    """Every address and port of the internet protocols in the output of strace."""
    text = trace.read_text(errors="replace")
    found = re.findall(r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)', text)
    found += re.findall(r'sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, "([^"]+)"', text)
    assert found
    return {(host, int(port)) for port, host in found}


def known_places(cluster: Cluster) -> set[tuple[str, int]]:
    """Where Envoy has business: its own listeners, replicas, way out, limits and names."""
    loopback = [
        *cluster.listening.values(),
        cluster.way_out_port,
        cluster.limits_port,
        cluster.names.port,
    ]
    places = {("127.0.0.1", port) for port in loopback}
    return places | {(host, cluster.engine_port) for host in (A,)}


def test_a_path_that_the_api_lacks_is_never_sent_there(cluster: Cluster) -> None:
    for path in ("/v1/rerank", "/v1/score"):
        assert not says_words(path)
        answer = cluster.ask(path=path)
        assert answer.status in (404, 503), path
    assert not cluster.api.asked


def test_the_own_key_and_marks_of_the_gateway_reach_only_whom_they_are_for(
    cluster: Cluster,
) -> None:
    [own] = cluster.set_replicas(A)
    sent = {
        "Cookie": "session=1",
        "X-Client-Id": "42",
        "X-Request-Id": "mine",
        "X-Forwarded-For": "10.1.2.3",
        "User-Agent": "a client",
    }
    assert_complete([cluster.ask(headers=sent)])
    cluster.set_replicas()
    assert cluster.ask(headers=sent).by == "api"
    [there] = cluster.api.asked
    [here] = own.asked
    assert here.header("authorization") == "Bearer own-key-of-the-test"
    assert there.header("authorization") == "Bearer api-key-of-the-test"
    for asked in (here, there):
        names = {name for name, _ in asked.headers}
        assert not names & {"x-team", "x-model", "x-prefix", "x-limited", "x-output", "x-month"}
        assert not names & {"x-stay-inside", "cookie", "x-client-id", "x-hides-usage"}
        assert not [name for name in names if name.startswith("x-envoy")], names
    assert not {name for name, _ in there.headers} & {"x-forwarded-for", "user-agent"}
    assert there.header("host") in cluster.api_names
