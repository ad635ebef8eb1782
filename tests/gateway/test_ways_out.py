"""No way past the policy, on the real gateway program: routes, parameters, headers, faults."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from tests.gateway.running import MARK, Cluster
from tests.gateway.stand_in import Faults
from tests.recording import settings_of
from tests.unit.promql import catalogue, target_labels

A, B = "127.0.0.11", "127.0.0.12"
API_MODEL = settings_of("hybrid").api.in_use
MESSAGES = [{"role": "user", "content": MARK}]

PARAMETERS: Mapping[str, object] = {
    "fallbacks": [API_MODEL],
    "context_window_fallbacks": [{"llama-3.1-8b-instruct": [API_MODEL]}],
    "api_base": "http://127.0.0.1:9/v1",
    "base_url": "http://127.0.0.1:9/v1",
    "api_key": "sk-other",
    "metadata": {"stays_inside": False},
    "litellm_metadata": {"user_api_key_metadata": {"stays_inside": False}},
    "litellm_params": {"api_base": "http://127.0.0.1:9/v1"},
    "user_config": {"model_list": []},
    "custom_llm_provider": "openai",
    "mock_response": "mocked",
    "specific_deployment": True,
    "model_info": {"id": "api"},
    "guardrails": [],
    "extra_headers": {"X-Stay-Inside": "false"},
    "extra_body": {"model": API_MODEL},
    "tags": ["api"],
    "num_retries": 5,
    "router_settings_override": {"fallbacks": [{"inside": [API_MODEL]}]},
}


def test_what_would_steer_the_gateway_is_not_taken(cluster: Cluster) -> None:
    cluster.set_replicas(A)
    for parameter, value in PARAMETERS.items():
        body = {"model": "llama-3.1-8b-instruct", "messages": MESSAGES, parameter: value}
        answer = cluster.call("POST", "/v1/chat/completions", key="sk-legal", body=body)
        # Three of them LiteLLM refuses itself, before it asks the policy, with a bare 500.
        assert answer.status in (400, 500), parameter
        assert answer.status == 500 or parameter in answer.text
    assert not cluster.replicas[A].asked
    assert not cluster.api.asked


def test_a_body_that_is_no_object_reaches_nobody(cluster: Cluster) -> None:
    cluster.set_replicas(A)
    for body in ([], ["model"], "llama-3.1-8b-instruct", 7, True):
        answer = cluster.call("POST", "/v1/chat/completions", key="sk-legal", body=body)
        # Some of them LiteLLM refuses itself, before it asks the policy, with a bare 500.
        assert answer.status in (400, 500), body
    assert not cluster.replicas[A].asked
    assert not cluster.api.asked


def test_inner_names_are_no_models(cluster: Cluster) -> None:
    cluster.set_replicas(A)
    for name in ("inside", "again", "api", "own", "*", API_MODEL.partition("/")[2], ""):
        assert cluster.ask(text=MARK, model=name).status == 404, name
    assert not cluster.replicas[A].asked


HEADERS: tuple[Mapping[str, str], ...] = (
    {"X-Stay-Inside": "TRUE"},
    {"x-stay-inside": ""},
    {"X-Stay-Inside": "no"},
    {"X-Stay-Inside": "true", "x-litellm-tags": "api"},
    {"X-Stay-Inside": "true", "x-litellm-num-retries": "3"},
    {"X-Stay-Inside": "true", "x-litellm-timeout": "1"},
    {"X-Stay-Inside": "true", "x-litellm-model-group": API_MODEL},
)


def test_headers_do_not_unlock_a_marked_request(cluster: Cluster) -> None:
    for headers in HEADERS:
        assert cluster.ask(text=MARK, headers=headers).status == 503, headers
    assert not cluster.api.asked


def test_the_api_by_name_is_for_requests_that_may_leave(cluster: Cluster) -> None:
    assert cluster.ask(model=API_MODEL).by == "api"
    cluster.api.asked.clear()
    assert cluster.ask(text=MARK, model=API_MODEL, headers={"X-Stay-Inside": "1"}).status == 403
    assert cluster.ask("sk-legal", text=MARK, model=API_MODEL).status == 403
    assert not cluster.api.asked


def test_without_a_teams_key_nothing_is_answered(cluster: Cluster) -> None:
    cluster.set_replicas(A)
    body = {"model": "llama-3.1-8b-instruct", "messages": MESSAGES}
    for key in (None, "", "sk-", "sk-products", "own-key", "api-key-of-the-test"):
        for method, path in (("POST", "/v1/chat/completions"), ("GET", "/v1/models")):
            assert cluster.call(method, path, key=key, body=body).status == 401, key
    assert not cluster.replicas[A].asked


def test_no_other_route_reaches_a_model(cluster: Cluster) -> None:
    """Every route that takes a body, with a team's key, the master key and none."""
    cluster.set_replicas(A)
    body = {"model": API_MODEL, "messages": MESSAGES, "input": MARK, "prompt": MARK}
    served = {"/v1/chat/completions", "/v1/completions"}
    routes = all_routes(cluster)
    assert ("POST", "/v1/embeddings") in routes
    assert ("POST", "/v1/messages") in routes
    keys = ("sk-legal", cluster.variables()["LITELLM_MASTER_KEY"], None)
    answered = []
    for method, path in routes:
        if path in served:
            continue
        for key in keys:
            answer = cluster.call(method, path, key=key, body=body)
            if answer.status < 400:
                answered.append((path, answer.status))
    assert not cluster.replicas[A].asked
    assert not cluster.api.asked
    # These log an event and register a client of tools that are not there; they ask no model.
    assert {path for path, _ in answered} <= {
        "/api/event_logging/batch",
        "/register",
        "/x/register",
    }, answered


def all_routes(cluster: Cluster) -> list[tuple[str, str]]:
    """Routes of the program that are documented, with a word for each parameter of a path."""
    program = (
        "import json\n"
        "from litellm.proxy.proxy_server import app\n"
        "found = {(method.upper(), path) for path, methods in app.openapi()['paths'].items()"
        " for method in methods}\n"
        "print('ROUTES', json.dumps(sorted(found)))\n"
    )
    environment = cluster.variables()
    environment.pop("PYTHONPATH")
    done = subprocess.run(
        [cluster.python(), "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=cluster.folder / "home",
    )
    [line] = [one for one in done.stdout.splitlines() if one.startswith("ROUTES ")]
    found = json.loads(line.removeprefix("ROUTES "))
    return [(method, _filled(path)) for method, path in found if method in ("POST", "PUT", "PATCH")]


def _filled(path: str) -> str:
    parts = path.split("/")
    return "/".join("x" if part.startswith("{") else part for part in parts)


def test_a_policy_that_can_not_be_loaded_stops_the_gateway(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    try:
        cluster.stop_gateway()
        policy = tmp_path / "policy" / "gateway_policy.py"
        text = policy.read_text()
        for broken in (text + "\nraise RuntimeError\n", "", text.replace("policy = ", "other = ")):
            policy.write_text(broken)
            assert cluster.gateway_process().wait(120) != 0
    finally:
        cluster.close()


def test_a_key_that_is_taken_away_stops_working(cluster: Cluster) -> None:
    cluster.set_replicas(A)
    file = cluster.folder / "keys" / "small"
    old = file.read_text()
    try:
        file.write_text("sk-rotated\n")
        time.sleep(6)  # keys are read every five seconds
        assert cluster.call("GET", "/v1/models", key="sk-small").status == 401
        assert cluster.call("GET", "/v1/models", key="sk-rotated").status == 200
    finally:
        file.write_text(old)
        time.sleep(6)


def test_clients_see_the_models_and_not_how_they_are_reached(cluster: Cluster) -> None:
    answer = cluster.call("GET", "/v1/models", key="sk-product")
    names = {model["id"] for model in json.loads(answer.text)["data"]}
    assert names == {"llama-3.1-8b-instruct", API_MODEL}


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_is_charged_what_the_preview_says(cluster: Cluster, *, stream: bool) -> None:
    """30 tokens on the own replicas, at the estimate's price for a million."""
    cluster.set_replicas(A)
    before = charged(cluster)
    assert cluster.ask(stream=stream).whole
    time.sleep(1)
    own = cluster.prices.own * 30 / 10**6
    assert charged(cluster) - before == pytest.approx(own, rel=Decimal("1e-6"))
    cluster.set_replicas()
    before = charged(cluster)
    assert cluster.ask(stream=stream).whole
    time.sleep(1)
    api = (cluster.prices.api_input * 10 + cluster.prices.api_output * 20) / 10**6
    assert charged(cluster) - before == pytest.approx(api, rel=Decimal("1e-6"))


def charged(cluster: Cluster) -> Decimal:
    return Decimal(cluster.metric('breakeven_gateway_usd_total{team="product"'))


def test_clients_that_leave_free_their_place(cluster: Cluster) -> None:
    """Else the own replicas would seem full for ever, and all would go to the API."""
    [own] = cluster.set_replicas(A)
    own.faults = Faults(seconds_a_word=0.2)
    for _ in range(8):
        cluster.leave_early()
    own.faults = Faults()
    time.sleep(6)
    assert cluster.ask().by == "own"


def test_prompts_that_begin_alike_stay_on_one_replica(cluster: Cluster) -> None:
    first, second = cluster.set_replicas(A, B)
    for number in range(10):
        assert cluster.ask(text="system prompt " * 200 + str(number)).by == "own"
        time.sleep(0.2)
    assert {len(first.asked), len(second.asked)} == {0, 10}


def test_no_prompt_is_in_the_log(cluster: Cluster) -> None:
    cluster.set_replicas(A)
    cluster.ask(text=MARK, headers={"X-Stay-Inside": "1"})
    cluster.kill(A)
    cluster.ask(text=MARK, headers={"X-Stay-Inside": "1"})
    assert MARK not in cluster.log()
    for secret in cluster.variables().values():
        if secret.startswith("sk-") or "key" in secret:
            assert secret not in cluster.log()


def test_rules_and_panels_ask_for_what_the_gateway_counts(cluster: Cluster) -> None:
    """From its start on: a series that begins later has no increase at first."""
    known = {
        name: labels - target_labels()
        for name, (_, labels) in catalogue().items()
        if name.startswith("breakeven_gateway_")
    }
    assert known
    assert cluster.exposed("breakeven_gateway_") == known
