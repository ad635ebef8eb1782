"""What somebody may try without a right to it, on the gateway's real programs."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any

import pytest

from tests.gateway.asking import A, assert_complete, at_once, marked
from tests.gateway.client import CHAT
from tests.gateway.running import MARK, Cluster
from tests.gateway.stand_in import Faults

MIB = 2**20
KEYS = (None, "", "sk-", "sk-products", "sk-product,sk-legal", "own-key-of-the-test", "x" * 4000)
FOREIGN = (
    "/",
    "/openapi.json",
    "/docs",
    "/ui/",
    "/metrics",
    "/health",
    "/ready",
    "/stats",
    "/clusters",
    "/config_dump",
    "/quitquitquit",
    "/v1",
    "/v1/",
    "/v1/models/x",
    "/v1/files",
    "/v1/audio/transcriptions",
    "/v1/load_lora_adapter",
    "/tokenize",
    "/inference/v1/generate",
    "/v1/chat/completions/render",
    "/v1/chat/completions/",
    "//v1/chat/completions",
    "/v1//chat/completions",
    "/v1/chat/../chat/completions",
    "/v1/./chat/completions",
    "/v1/chat%2Fcompletions",
    "/v1/%63hat/completions",
    "/V1/CHAT/COMPLETIONS",
    "/v1/chat/completions;x=1",
    "/v1/chat/completions%00",
    "/v1/chat\\completions",
    "/public/litellm_blog_posts",
)
METHODS = ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND")


@pytest.mark.parametrize("key", KEYS)
def test_without_a_teams_key_nothing_is_answered(serving: Cluster, key: str | None) -> None:
    body = {"model": serving.model, "messages": [{"role": "user", "content": MARK}]}
    for method, path in (("POST", CHAT), ("POST", "/v1/embeddings"), ("GET", "/v1/models")):
        answer = serving.call(method, path, key=key, body=body if method == "POST" else None)
        assert answer.status == 401, (key, path)
        assert "error" in json.loads(answer.text)
    assert not serving.asked()


def test_a_key_is_not_found_by_a_name_of_a_file(cluster: Cluster) -> None:
    """Keys are compared, not looked up as paths or patterns."""
    for key in (
        "../keys/product",
        "product",
        "*",
        "sk-.*",
        "sk-product\x00",
        "%2e",
        "sk%2dproduct",
    ):
        assert cluster.call("GET", "/v1/models", key=key.replace("\x00", "")).status in (200, 401)
    assert cluster.call("GET", "/v1/models", key="sk-.*").status == 401


def test_everything_else_is_not_found(serving: Cluster) -> None:
    """With a team's key and without, by any method; no program behind the gateway is asked."""
    for key in (None, "sk-product"):
        for path in FOREIGN:
            for method in ("GET", "POST"):
                answer = serving.call(method, path, key=key, body={} if method == "POST" else None)
                # Some are other spellings of a path that is served, and ask for a key or a body.
                assert answer.status in (400, 401, 404), (method, path, answer.status)
        for method in METHODS:
            answer = serving.call(method, CHAT, key=key)
            assert answer.status in (400, 404, 405), (method, answer.status)
    assert not serving.asked()
    assert not serving.api.asked


def test_the_administration_answers_on_loopback_only(cluster: Cluster) -> None:
    """In the pod: the admin address is 127.0.0.1, and what is scraped has two paths."""
    admin = cluster.rendered.bootstrap["admin"]["address"]["socket_address"]
    assert admin["address"] == "127.0.0.1"
    for path in ("/", "/config_dump", "/certs", "/stats", "/clusters", "/quitquitquit", "/logging"):
        for method in ("GET", "POST"):
            answer = _on(cluster.scraped, method, path)
            assert answer == 404, path
    assert _on(cluster.scraped, "POST", "/metrics") in (404, 405)
    assert _on(cluster.scraped, "GET", "/ready") == 200


def _on(port: int, method: str, path: str) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(head.encode())
        return int(connection.recv(100).split()[1])


def test_websockets_and_upgrades_are_refused(serving: Cluster) -> None:
    for upgrade in ("websocket", "h2c", "TLS/1.3"):
        headers = {"Connection": "Upgrade", "Upgrade": upgrade, "Sec-WebSocket-Key": "x"}
        answer = serving.call("GET", CHAT, key="sk-product", headers=headers)
        assert answer.status in (400, 403, 404, 405), upgrade
    assert not serving.asked()


def test_the_key_is_checked_before_the_body(cluster: Cluster) -> None:
    """A body that never comes costs nothing: the refusal is there first."""
    head = (
        f"POST {CHAT} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer sk-wrong\r\n"
        f"Content-Type: application/json\r\nContent-Length: {60 * MIB}\r\n\r\n"
    )
    started = time.monotonic()
    answer = cluster.raw(head.encode(), seconds=5)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("key", ["sk-product", "sk-wrong"])
def test_a_large_body_is_rejected_and_never_buffered(serving: Cluster, key: str) -> None:
    """60 MB of `[],` made LiteLLM use 2 GiB and stand for 9 s."""
    body = b'{"model":"m","messages":[' + b"[]," * (20 * MIB) + b"[]]}"
    before = serving.processes["gateway"].resident_mib()
    started = time.monotonic()
    answer = serving.call("POST", CHAT, key=key, body=body)
    # Where the connection ends before all is sent, the client may see only that.
    assert answer.status in ((401, 0) if key == "sk-wrong" else (413, 0))
    assert time.monotonic() - started < 10
    assert serving.processes["gateway"].resident_mib() - before < 100
    assert not serving.asked()


def test_others_are_answered_while_bodies_do_not_end(serving: Cluster) -> None:
    """Slow bodies and half heads hold neither a replica nor the gateway."""
    head = (
        f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-product\r\n"
        f"Content-Type: application/json\r\nContent-Length: {MIB}\r\n\r\n{{"
    )
    before = serving.processes["gateway"].resident_mib()
    held = []
    try:
        for number in range(100):
            connection = socket.create_connection(("127.0.0.1", serving.port))
            connection.sendall(head.encode() if number % 2 else head[:60].encode())
            held.append(connection)
        answers = [serving.ask() for _ in range(5)] + marked(serving)
        assert_complete(answers)
        assert max(one.seconds for one in answers) < 2
        assert serving.processes["gateway"].resident_mib() - before < 100
    finally:
        for connection in held:
            connection.close()


def test_a_head_and_a_body_must_come_in_time(cluster: Cluster) -> None:
    """What is rendered says so; the times themselves are too long to wait for here."""
    [clients] = [
        one
        for one in cluster.rendered.bootstrap["static_resources"]["listeners"]
        if one["address"]["socket_address"]["port_value"] == 8000
    ]
    manager = clients["filter_chains"][0]["filters"][-1]["typed_config"]
    assert 0 < _seconds(manager["request_headers_timeout"]) <= 30
    assert 0 < _seconds(manager["request_timeout"]) <= 120
    options = manager["common_http_protocol_options"]
    assert options["headers_with_underscores_action"] == "REJECT_REQUEST"
    assert 0 < _seconds(options["idle_timeout"]) <= 3600
    assert manager["normalize_path"]


def _seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def test_headers_are_limited(serving: Cluster) -> None:
    many = {f"x-{number}": "1" for number in range(2000)}
    large = {"x-large": "x" * 200_000}
    for headers in (many, large):
        assert serving.ask(headers=headers).status in (0, 400, 431)
    assert serving.ask(headers={"x_stay_inside": "true"}, text=MARK).status == 400
    assert not serving.asked()


SMUGGLED = (
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    b"Content-Length: 5\r\nContent-Length: 6\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 1e3\r\n",
    b"X-A: 1\r\n X-Folded: 2\r\nContent-Length: 5\r\n",
    b"X-A: \x00\r\nContent-Length: 5\r\n",
    b": nameless\r\nContent-Length: 5\r\n",
)


@pytest.mark.parametrize("lines", SMUGGLED)
def test_a_request_has_one_end(serving: Cluster, lines: bytes) -> None:
    """Two programs that disagree about where a request ends let a second one in unseen."""
    inner = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-product\r\n".encode()
    said = serving.raw(head + lines + b"\r\n" + b"0\r\n\r\n" + inner, seconds=2)
    assert b" 200 " not in said
    assert not serving.asked()


BAD_BODIES = (
    b"",
    b"[]",
    b'["model"]',
    b'"llama"',
    b"7",
    b"true",
    b"null",
    b"{",
    b"{}",
    b"{]",
    b'{"model":"%s"',
    b'{"model":"%s"}}',
    b'{"model":"%s"}{"model":"%s"}',
    b'{"model":"x","model":"%s","messages":[]}',
    b'{"model":"%s","messages":[],"messages":[]}',
    b'{"mod\\u0065l":"x","model":"%s","messages":[]}',
    b'{"model":"\\u006clama","messages":[]}',
    b'{"model":["%s"],"messages":[]}',
    b'{"model":"%s","messages":[],}',
    b"\xef\xbb\xbf" + b'{"model":"%s","messages":[]}',
    '{"model":"%s","messages":[]}'.encode("utf-16"),
    '{"model":"%s","messages":[]}'.encode("utf-32"),
    b"model=%s&messages=x",
    b'{"model":"%s","messages":' + b"[" * 200_000,
)


@pytest.mark.parametrize("number", range(len(BAD_BODIES)))
def test_a_body_that_two_parsers_may_read_differently_is_refused(
    serving: Cluster, number: int
) -> None:
    body = BAD_BODIES[number].replace(b"%s", serving.model.encode())
    for key in ("sk-legal", "sk-product"):
        answer = serving.call("POST", CHAT, key=key, body=body)
        assert answer.status in (400, 404), (body[:60], answer.status)
    assert not serving.asked()
    assert not serving.api.asked


PARAMETERS: dict[str, Any] = {
    "fallbacks": ["x"],
    "api_base": "http://127.0.0.1:9/v1",
    "base_url": "http://127.0.0.1:9/v1",
    "api_key": "sk-other",
    "extra_headers": {"X-Stay-Inside": "false"},
    "extra_body": {"model": "x"},
    "vllm_xargs": {"x": 1},
    "kv_transfer_params": {"do_remote_decode": True, "remote_host": "198.51.100.7"},
    "mm_processor_kwargs": {"x": 1},
    "priority": -1,
    "cache_salt": "x",
    "num_retries": 5,
    "timeout": 1,
}


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_a_parameter_that_is_not_known_is_not_passed_on(serving: Cluster, parameter: str) -> None:
    """Above all those by which an engine calls other machines or is steered."""
    if parameter in serving.rendered.parameters():
        pytest.fail(f"{parameter} is taken; take it out of this list, with a reason")
    answer = serving.ask("sk-legal", text=MARK, **{parameter: PARAMETERS[parameter]})
    assert answer.status == 400
    assert not serving.asked()


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("n", 128),
        ("n", "128"),
        ("n", 1.5),
        ("n", -1),
        ("max_tokens", 1_000_000_000),
        ("max_tokens", "1000000000"),
        ("max_tokens", 1e9),
        ("max_tokens", -1),
        ("max_completion_tokens", 1_000_000_000),
    ],
)
def test_nobody_orders_more_than_the_caps_allow(
    serving: Cluster, parameter: str, value: Any
) -> None:
    assert serving.ask(**{parameter: value}).status == 400
    assert serving.ask(stream=True, **{parameter: value}).status == 400
    assert not serving.asked()
    assert not serving.api.asked


def test_clients_do_not_choose_time_outs_nor_retries(serving: Cluster) -> None:
    """A time-out of the client's choice made an API work, and bill, without being counted."""
    own = serving.replicas[A]
    own.faults = Faults(seconds_to_answer=0.5)
    headers = {
        "x-envoy-upstream-rq-timeout-ms": "10",
        "x-envoy-upstream-rq-per-try-timeout-ms": "10",
        "x-envoy-max-retries": "9",
        "x-envoy-retry-on": "5xx,gateway-error",
        "x-envoy-hedge-on-per-try-timeout": "true",
        "x-envoy-expected-rq-timeout-ms": "10",
        "grpc-timeout": "10m",
        "x-litellm-timeout": "0.01",
    }
    assert_complete([serving.ask(headers=headers)])
    assert len(own.asked) == 1


def test_upstreams_do_not_steer_the_gateway(serving: Cluster) -> None:
    """Headers of an engine's answer neither change who is said to have answered, nor retries."""
    own = serving.replicas[A]
    own.faults = Faults(
        headers={
            "x-served-by": "api",
            "x-envoy-overloaded": "true",
            "x-envoy-ratelimited": "true",
            "server": "uvicorn",
        }
    )
    answers = [serving.ask(), serving.ask(), *marked(serving)]
    assert {one.by for one in answers} == {"own"}
    for one in answers:
        assert not [name for name in one.headers if name.startswith("x-envoy")]


def test_no_text_of_clients_or_engines_is_in_any_log(cluster: Cluster) -> None:
    """Prompts that an engine repeats in its errors, answers, and names that a client chose."""
    first, second = cluster.set_replicas(A, "127.0.0.12")
    name = "NAME-THAT-A-CLIENT-CHOSE"
    for status in (200, 400, 422, 429, 500):
        for replica in (first, second):
            replica.faults = Faults(status=status, repeats_prompt=True)
        for key in ("sk-legal", "sk-product"):
            for stream in (False, True):
                cluster.ask(key, text=MARK, stream=stream, headers={"X-Stay-Inside": "1"})
    for body in (
        {name: 1},
        {f"a\n2026-11-30 FORGED LINE {name}": 1},
        {"model": f"{name}\nFORGED LINE"},
        {"model": cluster.model, name: 1, "messages": [{"role": "user", "content": MARK}]},
    ):
        cluster.call("POST", CHAT, key="sk-legal", body=body)
    for headers in (
        {"user-agent": name},
        {"referer": name},
        {"x-request-id": name},
        {"host": name},
    ):
        cluster.ask(text=MARK, headers={**headers, "X-Stay-Inside": "1"})
    cluster.call("GET", f"/{name}?{name}=1", key="sk-legal")
    cluster.call("GET", f"/v1/models?{name}", key=f"sk-{name}")
    first.faults = Faults(dies_after_words=3)
    cluster.ask("sk-legal", text=MARK, stream=True)
    time.sleep(0.5)
    logs = cluster.logs()
    for text in (MARK, name, "FORGED LINE", "own0", "sk-product", "sk-legal", "key-of-the-test"):
        assert text not in logs, text
    assert name not in cluster.metrics()


def test_a_flood_of_one_team_does_not_stop_the_others(serving: Cluster) -> None:
    own = serving.replicas[A]
    own.faults = Faults(seconds_to_answer=0.3)
    enough = threading.Event()

    def flood() -> None:
        while not enough.is_set():
            serving.ask("sk-small", text="flood")

    threads = [threading.Thread(target=flood) for _ in range(30)]
    for thread in threads:
        thread.start()
    try:
        inside = marked(serving)
        free = at_once(5, serving.ask)
    finally:
        enough.set()
        for thread in threads:
            thread.join()
    assert_complete(inside + free)
    assert max(one.seconds for one in inside + free) < 10
