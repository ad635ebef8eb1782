"""The request guard in front of an application that answers everything, as vLLM's /invocations."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.manifests.templates import CHARTS
from tests.each import each

KEY = "sesame"
Application = Callable[..., Awaitable[None]]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "request_guard", CHARTS / "serving" / "request_guard.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GUARD = load()


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    monkeypatch.setenv("REQUEST_GUARD_FOLDER", str(tmp_path))
    monkeypatch.setenv("REQUEST_GUARD_SECONDS", "0")


@dataclass
class Client:
    """One connection to the guard, as the server would hold it."""

    sent: list[Mapping[str, Any]] = field(default_factory=list)

    async def receive(self) -> Mapping[str, Any]:
        if not self.sent:
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()  # a client that stays
        raise AssertionError

    async def send(self, message: Mapping[str, Any]) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


def scope(path: str, key: str = "", method: str = "POST", kind: str = "http") -> dict[str, Any]:
    headers = [(b"authorization", key.encode())] if key else []
    return {"type": kind, "path": path, "root_path": "", "method": method, "headers": headers}


async def answers(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"generated"})


def streams(until: float, kind: bytes = b"text/event-stream") -> Application:
    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-type", kind)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: a\n\n", "more_body": True})
        await asyncio.sleep(until)
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})

    return application


async def call(guard: Any, request: dict[str, Any]) -> Client:
    client = Client()
    await asyncio.wait_for(guard(request, client.receive, client.send), 30)
    return client


def run(program: Coroutine[Any, Any, Client]) -> Client:
    return asyncio.run(program)


def ask(path: str, key: str = "", method: str = "POST", kind: str = "http") -> Client:
    return run(call(GUARD.RequestGuard(answers), scope(path, key, method, kind)))


async def leave(folder: Path, guard: Any, *names: str) -> None:
    """Does what the hook does, and waits until the guard has seen it."""
    await call(guard, scope("/health"))  # probes come all the time
    for name in names:
        (folder / name).touch()
    async with asyncio.timeout(30):
        while (await call(guard, scope("/health"))).status != 503:  # noqa: ASYNC110  # as probes do
            await asyncio.sleep(0.05)


@given(path=st.from_regex(r"(/[a-z_0-9.\-]+){1,4}/?", fullmatch=True))
def test_no_path_but_health_and_metrics_answers_without_the_key(path: str) -> None:
    client = ask(path)
    assert client.status == (200 if path in {"/health", "/metrics"} else 401)


@each(
    "path, key",
    product(
        ["/invocations", "/tokenize", "/v1/models", "/scale_elastic_ep"],
        ["", "Bearer", "Bearer ", "Bearer other", f"Basic {KEY}", KEY, "Bearer sesame "],
    ),
)
def test_what_is_not_the_key_is_refused(path: str, key: str) -> None:
    client = ask(path, key)
    assert client.status == 401
    assert b"generated" not in client.body
    assert KEY.encode() not in client.body


@pytest.mark.parametrize("key", [f"Bearer {KEY}", f"bearer {KEY}"])
def test_the_key_opens(key: str) -> None:
    assert ask("/invocations", key).body == b"generated"


def test_browsers_may_ask_beforehand_and_nobody_else_by_the_same_method() -> None:
    asked = scope("/v1/chat/completions", "", "OPTIONS")
    asked["headers"] += [(b"origin", b"https://a"), (b"access-control-request-method", b"POST")]
    assert run(call(GUARD.RequestGuard(answers), asked)).status == 200
    assert ask("/v1/chat/completions", method="OPTIONS").status == 401


def test_a_websocket_without_key_is_closed() -> None:
    client = ask("/v1/realtime", kind="websocket")
    assert [message["type"] for message in client.sent] == ["websocket.close"]


def test_a_start_of_the_server_is_passed_on() -> None:
    async def application(given_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": f"{given_scope['type']}.startup.complete"})

    guard = GUARD.RequestGuard(application)
    client = run(call(guard, {"type": "lifespan"}))
    assert client.sent == [{"type": "lifespan.startup.complete"}]


def test_a_replica_that_leaves_says_so_and_sheds_its_connections(tmp_path: Path) -> None:
    async def program() -> Client:
        guard = GUARD.RequestGuard(answers)
        await leave(tmp_path, guard, "leaving")
        return await call(guard, scope("/v1/models", f"Bearer {KEY}"))

    client = run(program())
    assert client.status == 200
    assert client.headers[b"connection"] == b"close"


def test_a_request_after_the_signal_can_be_sent_elsewhere(tmp_path: Path) -> None:
    async def program() -> Client:
        guard = GUARD.RequestGuard(answers)
        await leave(tmp_path, guard, "leaving", "stopping")
        return await call(guard, scope("/v1/models", f"Bearer {KEY}"))

    client = run(program())
    assert client.status == 503
    assert client.headers[b"retry-after"]
    assert client.headers[b"connection"] == b"close"


def test_the_first_request_after_the_hooks_last_word_is_refused(tmp_path: Path) -> None:
    async def program() -> Client:
        guard = GUARD.RequestGuard(answers)
        await leave(tmp_path, guard, "leaving")
        (tmp_path / "stopping").touch()
        # No pause, in which the watch could see it: the loop of a busy server has none either.
        return await call(guard, scope("/v1/completions", f"Bearer {KEY}"))

    assert run(program()).status == 503


def test_a_container_that_is_restarted_in_its_pod_serves_again(tmp_path: Path) -> None:
    (tmp_path / "leaving").touch()
    (tmp_path / "stopping").touch()
    assert ask("/health").status == 200
    assert ask("/v1/models", f"Bearer {KEY}").status == 200


def stopped(folder: Path, application: Application) -> Client:
    """A request that is running when the replica gets the stop signal, and exceeds the limit."""

    async def program() -> Client:
        guard = GUARD.RequestGuard(application)
        request = asyncio.create_task(call(guard, scope("/v1/completions", f"Bearer {KEY}")))
        await asyncio.sleep(0)
        (folder / "leaving").touch()
        (folder / "stopping").touch()
        return await request

    return run(program())


def test_a_stream_that_runs_too_long_ends_with_an_error(tmp_path: Path) -> None:
    client = stopped(tmp_path, streams(until=3600))
    *events, last = client.body.strip().split(b"\n\n")
    assert events == [b"data: a"]
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == 503
    assert b"[DONE]" not in client.body
    assert client.sent[-1].get("more_body", False) is False


def test_a_stream_that_ends_in_time_is_whole(tmp_path: Path) -> None:
    async def program() -> Client:
        guard = GUARD.RequestGuard(streams(until=0.5))
        guard._seconds = 60
        request = asyncio.create_task(call(guard, scope("/v1/completions", f"Bearer {KEY}")))
        await leave(tmp_path, guard, "leaving", "stopping")
        return await request

    assert run(program()).body == b"data: a\n\ndata: [DONE]\n\n"


def test_an_answer_that_has_not_begun_becomes_an_error(tmp_path: Path) -> None:
    async def application(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.sleep(3600)

    client = stopped(tmp_path, application)
    assert client.status == 503
    assert client.headers[b"retry-after"]


def test_an_answer_without_a_place_for_an_error_is_visibly_cut(tmp_path: Path) -> None:
    with pytest.raises(ConnectionAbortedError):
        stopped(tmp_path, streams(until=3600, kind=b"application/json"))


def test_the_engine_hears_of_it_as_of_a_client_that_left(tmp_path: Path) -> None:
    heard = []

    async def application(_scope: Any, receive: Any, _send: Any) -> None:
        while True:
            message = await receive()
            heard.append(message["type"])
            if message["type"] == "http.disconnect":
                return

    client = Client()

    async def program() -> Client:
        guard = GUARD.RequestGuard(application)
        request = scope("/v1/completions", f"Bearer {KEY}")
        client.sent.append({})  # the client has sent all, and stays
        running = asyncio.create_task(guard(request, client.receive, client.send))
        await asyncio.sleep(0)
        (tmp_path / "stopping").touch()
        await asyncio.wait_for(running, 30)
        return client

    run(program())
    assert heard == ["http.disconnect"]


def test_errors_of_the_engine_are_passed_on() -> None:
    async def application(_scope: Any, _receive: Any, _send: Any) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        run(call(GUARD.RequestGuard(application), scope("/v1/models", f"Bearer {KEY}")))
