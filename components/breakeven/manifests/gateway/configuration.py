"""What the gateway's program reads: LiteLLM's configuration and the rules of our policy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from breakeven.manifests.gateway.labels import METRICS_PORT, REPLICAS, STORE, STORE_PORT
from breakeven.manifests.gateway.prices import TokenPrices
from breakeven.manifests.serving.labels import ENGINE_PORT, NAME
from breakeven.manifests.templates import CHARTS, render_template
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

KEYS_FOLDER = "/etc/gateway-keys"

MODULES = (
    "gateway_policy.py",
    "gateway_connections.py",
    "gateway_replicas.py",
    "gateway_streams.py",
    "gateway_teams.py",
)

# Characters of a prompt's beginning by which a replica is chosen: about two blocks of a few hundred
# tokens, long enough for a system prompt and short enough to be the same in all its requests.
_PREFIX_CHARACTERS = 2000


def proxy_configuration(
    settings: Settings, gateway: GatewaySettings, prices: TokenPrices
) -> dict[str, Any]:
    """Returns LiteLLM's configuration. Without an API behind it, it names none."""
    overflow = settings.overflow_api
    api = None
    if overflow is not None:
        api = {
            "name": overflow.model,
            # The provider's own name for it; all of them are asked in OpenAI's form.
            "model": overflow.model.partition("/")[2],
            "address": overflow.address,
            "timeout": gateway.overflow.timeout_seconds,
            "input": _per_token(prices.api_input),
            "cached_input": _per_token(prices.api_cached_input),
            "output": _per_token(prices.api_output),
        }
    [configuration] = render_template(
        "gateway/litellm.yaml.j2",
        {
            "model": settings.model.facts.name,
            "address": own_address(settings),
            "timeout": settings.engine.longest_request_seconds,
            "price": _per_token(prices.own),
            "api": api,
        },
    )
    return configuration


def policy(settings: Settings, gateway: GatewaySettings) -> dict[str, Any]:
    """Returns the rules of `charts/gateway/gateway_policy.py`."""
    overflow = settings.overflow_api
    namespace = settings.network.namespace
    return {
        "model": settings.model.facts.name,
        "apiModel": None if overflow is None else overflow.model,
        "ownAddress": own_address(settings),
        "requestsPerReplica": gateway.overflow.requests_per_replica,
        "longestRequestSeconds": settings.engine.longest_request_seconds,
        "prefixCharacters": _PREFIX_CHARACTERS,
        "replicasHost": f"{REPLICAS}.{namespace}.svc",
        "replicasPort": ENGINE_PORT,
        "storeHost": f"{STORE}.{namespace}.svc",
        "storePort": STORE_PORT,
        "metricsPort": METRICS_PORT,
        "keysFolder": KEYS_FOLDER,
        "teams": {
            name: {
                "mayLeave": team.data_may_leave and overflow is not None,
                "tokensPerDay": team.tokens_per_day,
                "usdPerMonth": None if team.usd_per_month is None else f"{team.usd_per_month:f}",
            }
            for name, team in gateway.teams.items()
        },
    }


def modules() -> dict[str, str]:
    """Returns the files of our policy by name."""
    return {name: (CHARTS / "gateway" / name).read_text(encoding="utf-8") for name in MODULES}


def own_address(settings: Settings) -> str:
    """Returns the address of the own replicas, by which the policy knows what stays inside."""
    return f"http://{NAME}.{settings.network.namespace}.svc:{ENGINE_PORT}/v1"


def _per_token(per_million: Decimal) -> float:
    # LiteLLM takes floats; 15 digits are more than a price has.
    return float(per_million / 10**6)
