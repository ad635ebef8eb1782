"""The rules of the gateway, as LiteLLM's own hooks: who may call, what never leaves, where it goes.

LiteLLM loads it by name from its configuration and calls it for every request:

1. `authenticate`: whose key, which route, which parameters, and whether the request stays inside;
2. `Policy.async_pre_call_hook`: budgets, and own replicas or API;
3. `Policy.async_pre_call_deployment_hook`: right before a call goes out, also a repeated or a
   diverted one. What would leave without permission is refused here, whatever led to it;
4. `Policy.async_post_call_streaming_iterator_hook`: a stream whose replica is lost goes on from
   another own replica.

Permission is a context variable whose default is "stays inside": a path through LiteLLM that this
module has not seen can't send anything out.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import redis.asyncio
from fastapi import HTTPException, Request
from litellm.integrations.custom_logger import CustomLogger
from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler
from litellm.proxy import proxy_server
from litellm.proxy._types import UserAPIKeyAuth
from prometheus_client import Counter, Gauge, start_http_server

from gateway_connections import Once, addresses, metrics, session_of_replicas
from gateway_replicas import Replicas, Watcher
from gateway_streams import Said
from gateway_teams import Budgets, Keys, Team, read_teams

STAY_INSIDE = "x-stay-inside"
"""Any value of this header but "false" keeps a request inside: a misspelt one does, too."""

FOLDER = Path(__file__).parent

_RETRY_SECONDS = 30
_REQUEST_IS_WRONG = (400, 413, 422)

_GENERATE = {("POST", "/v1/chat/completions"), ("POST", "/v1/completions")}
_ROUTES = _GENERATE | {("GET", "/v1/models")}

# What a request may say. LiteLLM takes more from a request's body, such as another address, other
# keys or other models to fall back to; none of it may come from outside.
_PARAMETERS = frozenset(
    {
        # of OpenAI's interface
        "model",
        "messages",
        "prompt",
        "suffix",
        "echo",
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
        "n",
        "stop",
        "temperature",
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "seed",
        "user",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "reasoning_effort",
        # of vLLM's
        "top_k",
        "min_p",
        "min_tokens",
        "repetition_penalty",
    }
)

# LiteLLM's status for a connection that failed and for an answer that was an error.
_NOBODY_ANSWERED = 500

_REQUESTS = Counter(
    "breakeven_gateway_requests", "Requests by where they went, and why", ["to", "reason"]
)
# From the start at zero: Prometheus sees no increase in a series that begins with one.
for _destination, _reasons in {
    "own": ("", "inside"),
    "api": ("saturated", "no replica", "error", "asked for"),
    "refused": ("no replica", "inside", "budget"),
}.items():
    for _reason in _reasons:
        _REQUESTS.labels(_destination, _reason)
_TOKENS = Counter("breakeven_gateway_tokens", "Input and output tokens", ["team", "to"])
_DOLLARS = Counter("breakeven_gateway_usd", "Price of the tokens, in USD", ["team", "to"])
_CONTINUED = Counter(
    "breakeven_gateway_streams_continued", "Streams that went on from another replica"
)
_READY = Gauge("breakeven_gateway_ready_replicas", "Own replicas that answer")


@dataclass
class _Permission:
    """What one request may do; `tried` are the own replicas that it was already sent to.

    `faulty` is the status with which a replica said that the request itself is wrong; `left` tells
    whether its answer comes from the API.
    """

    may_leave: bool = False
    prefix: str = ""
    tried: list[str] = field(default_factory=list)
    faulty: int | None = None
    left: bool = False


_permission: ContextVar[_Permission | None] = ContextVar("permission", default=None)


class Policy(CustomLogger):  # type: ignore[misc]  # LiteLLM is not installed beside mypy
    """The rules; everything that they depend on is in policy.json beside this file."""

    def __init__(self) -> None:
        super().__init__()
        policy = json.loads((FOLDER / "policy.json").read_text(encoding="utf-8"))
        self.model: str = policy["model"]
        self.api_model: str | None = policy["apiModel"]
        self.own_address: str = policy["ownAddress"]
        self.requests_per_replica: int = policy["requestsPerReplica"]
        self.prefix_characters: int = policy["prefixCharacters"]
        self.teams = read_teams(policy["teams"])
        for team in self.teams:  # from the start at zero, as above
            for to in ("own", "api"):
                _TOKENS.labels(team, to)
                _DOLLARS.labels(team, to)
        self.keys = Keys(Path(policy["keysFolder"]))
        self.budgets = Budgets(
            redis.asyncio.Redis(
                host=policy["storeHost"],
                port=policy["storePort"],
                password=os.environ["STORE_PASSWORD"],
                socket_timeout=1,
                socket_connect_timeout=1,
            )
        )
        self.replicas = Replicas(policy["longestRequestSeconds"])
        _READY.set_function(lambda: len(self.replicas.ready()))
        host, port = policy["replicasHost"], policy["replicasPort"]
        self.watcher = Watcher(
            self.replicas,
            addresses=lambda: addresses(host, port),
            metrics=metrics,
        )
        self.metrics_port: int = policy["metricsPort"]
        self._to_replicas: AsyncHTTPHandler | None = None

    async def async_pre_call_hook(
        self,
        user_api_key_dict: UserAPIKeyAuth,
        cache: object,  # noqa: ARG002  # LiteLLM's signature
        data: dict[str, Any],
        call_type: str,  # noqa: ARG002  # as above
    ) -> dict[str, Any]:
        """Refuses what is over budget, and sends the rest to the own replicas or to the API."""
        team, inside = self._team(user_api_key_dict), _stays_inside(user_api_key_dict)
        may_leave = self.api_model is not None and not inside
        permission = _Permission(prefix=_beginning(data, self.prefix_characters))
        _permission.set(permission)
        try:
            exceeded = await self.budgets.exceeded(team, datetime.now(UTC))
        except Exception:  # noqa: BLE001  # the store is down, whatever its client calls it
            # The own replicas are paid already; money that goes out must be counted.
            exceeded, may_leave = None, False
        if exceeded is not None:
            _REQUESTS.labels("refused", "budget").inc()
            raise HTTPException(429, exceeded)
        if data["model"] != self.model and not may_leave:
            _REQUESTS.labels("refused", "inside").inc()
            raise HTTPException(
                403, f"{data['model']} is outside, and this request may not leave; ask {self.model}"
            )
        if not may_leave and not self.replicas.ready():
            _REQUESTS.labels("refused", "no replica").inc()
            raise HTTPException(
                503,
                "no own replica is ready, and this request may not leave",
                {"Retry-After": str(_RETRY_SECONDS)},
            )
        data["model"] = self._destination(data, may_leave=may_leave)
        permission.may_leave = may_leave
        return data

    def _destination(self, data: Mapping[str, Any], *, may_leave: bool) -> str:
        model = str(data["model"])
        if model != self.model:
            _REQUESTS.labels("api", "asked for").inc()
            return model
        if not may_leave:
            # By a name of its own, for which there is no other model to fall back to.
            _REQUESTS.labels("own", "inside").inc()
            return "inside"
        if self.replicas.reserve(str(data["litellm_call_id"]), self.requests_per_replica):
            _REQUESTS.labels("own", "").inc()
            return model
        _REQUESTS.labels("api", "saturated" if self.replicas.ready() else "no replica").inc()
        return str(self.api_model)

    async def async_pre_call_deployment_hook(
        self,
        kwargs: dict[str, Any],
        call_type: object,  # noqa: ARG002  # LiteLLM's signature
    ) -> dict[str, Any]:
        """Lets a call out to the own replicas, or, with permission, to the API."""
        permission = _permission.get() or _Permission()
        request = str(kwargs.get("litellm_call_id"))
        self.replicas.finished(request)  # the attempt before this one, if there was one
        if permission.faulty is not None:
            raise HTTPException(permission.faulty, "the request is wrong, wherever it is sent")
        if str(kwargs.get("api_base")) != self.own_address:
            if not permission.may_leave:
                _REQUESTS.labels("refused", "inside").inc()
                raise HTTPException(503, "this request may not leave")
            if permission.tried:
                _REQUESTS.labels("api", "error").inc()
            permission.left = True
            return kwargs
        replica = self.replicas.send(request, permission.prefix, permission.tried)
        if replica is None:
            raise HTTPException(
                503, "no own replica is left to try", {"Retry-After": str(_RETRY_SECONDS)}
            )
        permission.tried.append(replica)
        kwargs["api_base"] = f"http://{replica}/v1"
        kwargs["client"] = self._connection()
        return kwargs

    async def async_post_call_streaming_iterator_hook(
        self,
        user_api_key_dict: object,  # noqa: ARG002  # LiteLLM's signature
        response: Any,
        request_data: dict[str, Any],
    ) -> AsyncIterator[Any]:
        """Passes a stream on; one that breaks off goes on from another own replica, if it can."""
        said = Said()
        while True:
            try:
                async for chunk in response:
                    yield said.add(chunk)
            except Exception as error:
                rest = said.rest(_asked(request_data))
                permission = _permission.get()
                if rest is None or permission is None or not _is_lost(permission, error):
                    raise
                response = await _elsewhere(rest, permission, request_data, error)
                _CONTINUED.inc()
            else:
                return

    async def async_post_call_failure_deployment_hook(
        self,
        request_data: object,  # noqa: ARG002  # LiteLLM's signature
        exception: Exception,
        call_type: object,  # noqa: ARG002  # as above
    ) -> None:
        """Ends a request that a replica refused for what it says: LiteLLM would ask all others."""
        permission, status = _permission.get(), getattr(exception, "status_code", None)
        if permission is not None and status in _REQUEST_IS_WRONG:
            permission.faulty = int(status)

    async def async_post_call_failure_hook(
        self,
        request_data: object,  # noqa: ARG002  # LiteLLM's signature
        original_exception: Exception,
        user_api_key_dict: object,  # noqa: ARG002  # as above
        traceback_str: str | None = None,  # noqa: ARG002  # as above
    ) -> HTTPException | None:
        """Says 503 where nobody answered: LiteLLM's 500 reads as if the request were to blame."""
        status = int(getattr(original_exception, "status_code", None) or 0)
        if status != _NOBODY_ANSWERED:
            return None
        return HTTPException(
            503,
            "nothing that may serve this request answered",
            {"Retry-After": str(_RETRY_SECONDS)},
        )

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: object, start_time: object, end_time: object
    ) -> None:
        """Takes a failed call off the replica's requests."""
        del response_obj, start_time, end_time
        self.replicas.finished(str(kwargs.get("litellm_call_id")))

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: object, end_time: object
    ) -> None:
        """Counts what an answer took."""
        del start_time, end_time
        self.replicas.finished(str(kwargs.get("litellm_call_id")))
        usage = getattr(response_obj, "usage", None)
        team = _team_name(kwargs)
        if usage is None or team is None:
            return
        usd = Decimal(repr(float(kwargs.get("response_cost") or 0)))
        tokens = int(usage.prompt_tokens) + int(usage.completion_tokens)
        to = _deployment(kwargs)
        _TOKENS.labels(team, to).inc(tokens)
        _DOLLARS.labels(team, to).inc(float(usd))
        await self.budgets.add(team, tokens, usd, datetime.now(UTC))

    def _team(self, key: UserAPIKeyAuth) -> Team:
        return self.teams[str(key.team_id)]

    def _connection(self) -> AsyncHTTPHandler:
        # Made by the first request, inside the event loop.
        if self._to_replicas is None:
            connections = Once(LiteLLMAiohttpTransport(session_of_replicas()))
            self._to_replicas = AsyncHTTPHandler(transport=connections)
        return self._to_replicas


async def authenticate(request: Request, api_key: str | None) -> UserAPIKeyAuth:
    """Tells whose key it is, and refuses what nobody may ask.

    Raises:
        HTTPException: 401 for a key that is none, 403 for a route that is closed, 400 for a body
            that is no JSON object or a parameter that is not taken, 404 for another model.
    """
    name = policy.keys.team_of((api_key or "").removeprefix("Bearer "))
    if name is None or name not in policy.teams:
        raise HTTPException(401, "this key is not known")
    route = (request.method, request.url.path)
    if route not in _ROUTES:
        raise HTTPException(403, f"the gateway does not serve {' '.join(route)}")
    models = [policy.model] + ([policy.api_model] if policy.api_model else [])
    if route in _GENERATE:
        body = await _object_in(request)
        if odd := sorted(set(body) - _PARAMETERS):
            raise HTTPException(400, f"not taken: {', '.join(odd)}")
        if body.get("model") not in models:
            raise HTTPException(404, f"no such model; there is {', '.join(models)}")
    inside = (
        not policy.teams[name].may_leave
        or request.headers.get(STAY_INSIDE, "false").strip().lower() != "false"
    )
    return UserAPIKeyAuth(
        api_key=name,
        team_id=name,
        key_alias=name,
        models=models,
        metadata={"stays_inside": inside},
    )


async def _object_in(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except (ValueError, RecursionError):  # no JSON, no UTF-8, or nested too deeply to be read
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, "the body is no JSON object")
    return body


async def _elsewhere(
    rest: dict[str, Any],
    permission: _Permission,
    request_data: Mapping[str, Any],
    error: Exception,
) -> Any:
    """Returns the rest of a broken stream, by another own replica.

    Raises:
        Exception: The stream's own error, where no other replica takes it.
    """
    permission.may_leave = False  # half an answer of one model is not continued by another
    router = proxy_server.llm_router
    ask = router.acompletion if "messages" in rest else router.atext_completion
    try:
        return await ask(**{**rest, "model": "inside"}, metadata=request_data.get("metadata"))
    except Exception:  # noqa: BLE001  # whatever it is, the client is told what happened first
        raise error from None


def _is_lost(permission: _Permission, error: Exception) -> bool:
    """Tells whether a stream broke off because its own replica, and not the request, failed."""
    status = int(getattr(error, "status_code", None) or _NOBODY_ANSWERED)
    return not permission.left and status >= _NOBODY_ANSWERED


def _asked(request_data: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a request as the client sent it: LiteLLM puts more beside its parameters."""
    return {name: value for name, value in request_data.items() if name in _PARAMETERS}


def _stays_inside(key: UserAPIKeyAuth) -> bool:
    return key.metadata.get("stays_inside") is not False


def _beginning(data: dict[str, Any], characters: int) -> str:
    """Returns what prompts that share a prefix have in common: how they begin."""
    return json.dumps(data.get("messages") or data.get("prompt"), default=str)[:characters]


def _team_name(kwargs: dict[str, Any]) -> str | None:
    metadata = (kwargs.get("litellm_params") or {}).get("metadata") or {}
    name = metadata.get("user_api_key_team_id")
    return str(name) if name in policy.teams else None


def _deployment(kwargs: dict[str, Any]) -> str:
    model_info = (kwargs.get("litellm_params") or {}).get("model_info") or {}
    return "api" if model_info.get("id") == "api" else "own"


policy = Policy()
policy.watcher.start()
start_http_server(policy.metrics_port)
