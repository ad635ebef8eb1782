"""The APIs behind the gateway: which one stands in for a model, and by whose key."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.catalog.apis.addresses import API_ADDRESSES
from breakeven.settings.api import ApiSettings
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.model import ModelSettings
from breakeven.settings.network import NetworkSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class OverflowApi:
    """The API behind the gateway for one model.

    Attributes:
        model: The API's model, as `api.inUse` names it.
        address: Its address in OpenAI's form; empty where none is known.
        key_secret: Secret with the gateway's key.
        paths: Paths that it serves.
    """

    model: str
    address: str
    key_secret: str
    paths: tuple[str, ...]

    @property
    def provider(self) -> str:
        """Whose API it is."""
        return self.model.partition("/")[0]


def overflow_api_of(
    gateway: GatewaySettings, network: NetworkSettings, model: ModelSettings, api: ApiSettings
) -> OverflowApi | None:
    """Returns the API that requests for a model may go to; None where they stay inside.

    Vectors and scores of another model mean nothing beside those of this one: such models have
    none.

    Args:
        gateway: The stack's gateway.
        network: What may leave.
        model: The model.
        api: The API in its place.
    """
    if not gateway.is_hybrid or not network.data_may_leave or not model.facts.generates:
        return None
    overflow, provider = gateway.overflow, api.in_use.partition("/")[0]
    known, own = API_ADDRESSES.get(provider, ""), overflow.providers.get(provider)
    if own is None:
        return OverflowApi(
            model=api.in_use,
            address=overflow.address or known,
            key_secret=overflow.key_secret,
            paths=overflow.paths,
        )
    return OverflowApi(
        model=api.in_use,
        address=own.address or known,
        key_secret=own.key_secret or "",
        paths=own.paths or overflow.paths,
    )
