"""Settings of the boundary: what may leave, where images come from, which rules are waived."""

from __future__ import annotations

from breakeven.addresses import outside_addresses
from breakeven.catalog.pool_kinds import POOL_KINDS
from breakeven.settings.files import WAIVERS
from breakeven.settings.groups import PolicySettings
from breakeven.settings.models import KEY
from breakeven.settings.reader import ConfigReader
from breakeven.settings.stack import FIRST_MODEL, Settings


def read_policy(reader: ConfigReader) -> PolicySettings:
    """Reads which rules of the policy packs are waived."""
    names = reader.words(
        "waivers",
        pattern=r"[A-Za-z0-9][\w.-]*",
        allowed="Allowed: names of files in stacks/waivers/",
    )
    missing = [name for name in names if not (WAIVERS / name).is_file()]
    if missing:
        there = ", ".join(sorted(file.name for file in WAIVERS.glob("*.yaml")))
        reader.reject(
            "waivers",
            f"no file stacks/waivers/{missing[0]}",
            f"Allowed: {there or 'names of files in stacks/waivers/'}",
        )
    return PolicySettings(waivers=names)


def check_boundary(settings: Settings, reader: ConfigReader) -> None:
    """Rejects what can't hold, or would lead out, where nothing may leave."""
    _check_claim(settings, reader)
    _check_token(settings, reader)
    if not settings.network.is_air_gapped or not reader.usable("network"):
        return
    network = settings.network
    air_gapped = "with network air-gapped"
    needed = {
        "registry": (not settings.network.registry, f"Needed {air_gapped}: the registry inside"),
        "weightsClaim": (
            not settings.weights_are_there,
            f"Needed {air_gapped}: a volume with the weights; or weightsImage",
        ),
    }
    for key, (absent, allowed) in needed.items():
        if absent and reader.usable(key, "weightsImage"):
            reader.reject(key, "empty", allowed)
    refused = {
        "dataMayLeave": (settings.network.data_may_leave, "true", "Allowed: false"),
        "loraAdapters": (
            bool(settings.model.lora_adapters),
            ", ".join(adapter.name for adapter in settings.model.lora_adapters),
            "Allowed: none; a bundle carries the model alone. Merge them into its weights",
        ),
        "exposure": (
            network.has_load_balancer,
            f'found "{network.exposure}"',
            "Allowed: cluster; who is outside comes by an ingress in one of clientNamespaces",
        ),
        "clientNetworks": (
            bool(network.client_networks),
            ", ".join(network.client_networks),
            "Allowed: none; name namespaces in clientNamespaces",
        ),
        "pool": (
            not settings.pool.kind.runs_in_closed_network,
            f"{settings.pool.kind.name} asks a cloud for nodes",
            f"Allowed: {', '.join(_pools_inside())}",
        ),
        "prometheusAddress": (
            any(outside_addresses(settings.monitoring.prometheus_address, ())),
            settings.monitoring.prometheus_address,
            "Allowed: http://SERVICE.NAMESPACE.svc:PORT",
        ),
    }
    for key, (broken, found, allowed) in refused.items():
        if broken and reader.usable(key):
            reader.reject(key, f"{found}, {air_gapped}", allowed)


def _pools_inside() -> list[str]:
    return [kind.name for kind in POOL_KINDS.values() if kind.runs_in_closed_network]


def _check_token(settings: Settings, reader: ConfigReader) -> None:
    """Refuses a token that nothing is fetched with; a further model has the first one's, too."""
    if not reader.usable("hubTokenSecret", "weightsClaim", "weightsImage", "loraAdapters"):
        return
    token, nothing = settings.weights.hub_token_secret, "Allowed: empty; nothing is fetched"
    fetches = any(model.fetches_weights for model in settings.models)
    if settings.name == FIRST_MODEL and token is not None and not fetches:
        reader.reject("hubTokenSecret", f"stated beside {_source(settings)}", nothing)
    for model in settings.others:
        if model.weights.hub_token_secret not in {None, token} and not model.fetches_weights:
            found = f"{model.model.facts.name}: hubTokenSecret: stated beside {_source(model)}"
            reader.reject(KEY, found, nothing)


def _source(settings: Settings) -> str:
    return "weightsClaim" if settings.weights.claim is not None else "weightsImage"


def _check_claim(settings: Settings, reader: ConfigReader) -> None:
    weights, model = settings.weights, settings.model
    if weights.claim is None or not reader.usable("weightsClaim", "weightsImage"):
        return
    unneeded = {
        "weightsImage": (weights.image is not None, "one of both holds the weights"),
        "previousModelRevision": (
            model.previous_revision is not None,
            "keep the older folder in the volume, and go back by modelRevision",
        ),
    }
    for key, (is_stated, reason) in unneeded.items():
        if is_stated and reader.usable(key):
            reader.reject(key, "stated beside weightsClaim", f"Allowed: empty; {reason}")
