"""Every path that is served, in every form, on the gateway's real programs."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.gateway.answers import says_words
from tests.gateway.asking import A, assert_complete
from tests.gateway.client import CHAT
from tests.gateway.running import Cluster
from tests.recording import settings_of

API_MODEL = settings_of("hybrid").api.in_use
PATHS = (
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/embeddings",
    "/v1/rerank",
    "/v1/score",
)
STREAMED = tuple(path for path in PATHS if says_words(path))


@pytest.mark.parametrize("path", PATHS)
def test_own_replicas_answer_every_path_as_they_are_asked(serving: Cluster, path: str) -> None:
    own = serving.replicas[A]
    for key in ("sk-product", "sk-legal"):
        answer = serving.ask(key, path=path)
        assert (answer.status, answer.by) == (200, "own")
        assert json.loads(answer.text)["usage"]
    assert {asked.path for asked in own.asked} == {path}
    assert {asked.body["model"] for asked in own.asked} == {serving.model}


@pytest.mark.parametrize("path", STREAMED)
def test_every_stream_is_complete(serving: Cluster, path: str) -> None:
    answers = [serving.ask(key, path=path, stream=True) for key in ("sk-product", "sk-legal")]
    assert_complete(answers)
    for one in answers:
        assert one.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("path", STREAMED)
def test_a_client_gets_the_usage_only_if_it_asked(cluster: Cluster, path: str) -> None:
    """The gateway asks for it, to count; a client that did not must not find an event more."""
    if not path.endswith("completions"):
        return  # these always tell it
    for hosts in ((A,), ()):
        cluster.set_replicas(*hosts)
        if not hosts and path != CHAT:
            continue  # the API is not a fallback for this path
        without = cluster.ask(path=path, stream=True)
        asked = cluster.ask(path=path, stream=True, stream_options={"include_usage": True})
        denied = cluster.ask(path=path, stream=True, stream_options={"include_usage": False})
        assert_complete([without, asked, denied])
        assert '"usage"' not in without.text + denied.text
        assert asked.text.count('"usage"') == 1


def test_clients_see_the_models_and_not_how_they_are_reached(cluster: Cluster) -> None:
    answer = cluster.call("GET", "/v1/models", key="sk-product")
    names = {model["id"] for model in json.loads(answer.text)["data"]}
    assert names == {cluster.model, API_MODEL}
    assert cluster.call("GET", "/v1/models", key=None).status == 401


def test_the_api_gets_its_own_form(cluster: Cluster) -> None:
    """Its name of the model, and nothing that only vLLM knows."""
    engine_only: dict[str, Any] = {"top_k": 5, "min_p": 0.1, "repetition_penalty": 1.1}
    assert cluster.ask(temperature=0.5, max_tokens=7, **engine_only).by == "api"
    [asked] = cluster.api.asked
    assert asked.body["model"] == API_MODEL.partition("/")[2]
    assert not set(asked.body) & set(engine_only)
    assert asked.body["temperature"] == 0.5
    assert 7 in (asked.body.get("max_completion_tokens"), asked.body.get("max_tokens"))


def test_unicode_and_large_prompts_arrive_as_they_are(serving: Cluster) -> None:
    own = serving.replicas[A]
    texts = ['é 漢字 😀 \\u0000 " \\ / \n\t', '{"model":"x","n":128}', "x" * 1_000_000]
    for text in texts:
        assert_complete([serving.ask(text=text)])
    assert [asked.body["messages"][0]["content"] for asked in own.asked] == texts


def test_content_in_parts_and_tools_are_served(serving: Cluster) -> None:
    own = serving.replicas[A]
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    messages = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": [{"type": "text", "text": "what is it?"}, image]},
    ]
    schema = {"type": "object", "properties": {"model": {"type": "string"}, "n": {}}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    answer = serving.ask(messages=messages, tools=tools, tool_choice="auto")
    assert_complete([answer])
    assert own.asked[0].body["messages"] == messages
    assert own.asked[0].body["tools"] == tools


@pytest.mark.parametrize("stream", [False, True])
def test_clients_may_speak_http_2(serving: Cluster, *, stream: bool) -> None:
    if shutil.which("curl") is None:
        pytest.fail("curl is missing, which speaks HTTP/2 here", pytrace=False)
    body = {
        "model": serving.model,
        "messages": [{"role": "user", "content": "hi"}],
        "stream": stream,
    }
    done = subprocess.run(
        [
            *("curl", "-s", "--http2-prior-knowledge", "-w", "\n%{http_code} %{http_version}"),
            *("-H", "Authorization: Bearer sk-product", "-H", "Content-Type: application/json"),
            *("-d", json.dumps(body), f"http://127.0.0.1:{serving.port}{CHAT}"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("\n200 2")
    assert "own19" in done.stdout


def test_prompts_that_begin_alike_stay_on_one_replica(cluster: Cluster) -> None:
    first, second = cluster.set_replicas(A, "127.0.0.12")
    for number in range(10):
        assert cluster.ask(text="system prompt " * 200 + str(number)).by == "own"
    assert {len(first.asked), len(second.asked)} == {0, 10}
    # Also inside, and the same one: there is one cache for both.
    for number in range(5):
        assert cluster.ask("sk-legal", text="system prompt " * 200 + f"x{number}").by == "own"
    assert {len(first.asked), len(second.asked)} == {0, 15}


def test_distinct_prompts_use_all_replicas(cluster: Cluster) -> None:
    replicas = cluster.set_replicas(A, "127.0.0.12")
    for number in range(60):
        assert cluster.ask(text=f"{number} is another beginning").by == "own"
    assert min(len(replica.asked) for replica in replicas) >= 15


def test_clients_that_leave_free_their_place(serving: Cluster) -> None:
    """Else the own replicas would seem full forever, and all would go to the API."""
    own = serving.replicas[A]
    own.faults.seconds_a_word = 0.05
    for _ in range(8):
        serving.leave_early()
    own.faults.seconds_a_word = 0
    assert serving.ask().by == "own"
