"""Reads the gateway's settings, and refuses combinations of them that can't work."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urlsplit

from breakeven.addresses import is_of_a_machine
from breakeven.catalog.api_addresses import API_ADDRESSES
from breakeven.settings.fields import (
    DIGEST,
    HOST_ALLOWED,
    IMAGE,
    SUBDOMAIN,
    SUBDOMAIN_ALLOWED,
)
from breakeven.settings.groups import GatewaySettings, OverflowSettings, TeamSettings
from breakeven.settings.reader import ConfigReader
from breakeven.settings.stack import Settings

MODES = ("self-host", "hybrid")

_IMAGE = rf"{IMAGE}:v?\d+\.\d+\.\d+[\w.-]*{DIGEST}"
_IMAGE_ALLOWED = (
    "Allowed: HOST/PATH:VERSION@sha256:DIGEST; both tag and digest, never latest; " + HOST_ALLOWED
)
_TEAM = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_RIGHTS = ("tokensPerDay", "usdPerMonth", "dataMayLeave")


def read_gateway(reader: ConfigReader) -> GatewaySettings:
    """Reads the gateway's settings; in mode self-host its values are checked all the same."""
    address = reader.text(
        "overflowAddress",
        pattern=r"(https://[a-z0-9.-]+(:443)?(/[\w./-]*[\w])?)?",
        allowed="Allowed: https://HOST/PATH on port 443, up to /v1 and without a slash at the end",
    )
    if not _is_on_the_internet(address):
        reader.reject(
            "overflowAddress",
            f'found "{address}", no address of the internet',
            "Allowed: a host there; the network rules let the gateway reach no private address",
        )
    return GatewaySettings(
        mode=reader.choice("mode", MODES),
        image=reader.text("gatewayImage", pattern=_IMAGE, allowed=_IMAGE_ALLOWED),
        store_image=reader.text("gatewayStoreImage", pattern=_IMAGE, allowed=_IMAGE_ALLOWED),
        replicas=reader.integer("gatewayReplicas", 2, 50),
        secret=reader.text("gatewaySecret", pattern=SUBDOMAIN, allowed=SUBDOMAIN_ALLOWED),
        team_keys_secret=reader.text(
            "teamKeysSecret", pattern=SUBDOMAIN, allowed=SUBDOMAIN_ALLOWED
        ),
        teams=_teams(reader),
        overflow=OverflowSettings(
            key_secret=reader.text(
                "overflowKeySecret", pattern=SUBDOMAIN, allowed=SUBDOMAIN_ALLOWED
            ),
            address=address,
            requests_per_replica=reader.integer("overflowRequestsPerReplica", 1, 4096),
            timeout_seconds=reader.integer("overflowTimeoutSeconds", 1, 3600),
        ),
    )


def _is_on_the_internet(url: str) -> bool:
    """Tells it of an address in numbers; of a name nothing is known, but of the machine's own."""
    host = urlsplit(url).hostname or ""
    if not re.search(r"(^|\.)[0-9][0-9a-fx]*$", host):
        return host != "localhost"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_global and is_of_a_machine(address)


def check_gateway(settings: Settings, reader: ConfigReader) -> None:
    """Rejects what the gateway can't work with."""
    _check_scale_to_zero(settings, reader)
    gateway, replicas = settings.gateway, settings.replicas
    if not gateway.is_hybrid:
        return
    if not gateway.teams and reader.usable("teams"):
        reader.reject(
            "teams", "nobody", "Needed with mode hybrid: a name for each team, such as chat: {}"
        )
    if reader.usable("overflowAddress", "apiInUse") and (
        settings.overflow_api is not None and not settings.overflow_api.address
    ):
        reader.reject(
            "overflowAddress",
            f"no address is known for {settings.overflow_api.model}",
            f"State it, or take apiInUse of {', '.join(API_ADDRESSES)}",
        )
    if (
        replicas.autoscaling
        and gateway.overflow.requests_per_replica < replicas.target_requests
        and reader.usable("overflowRequestsPerReplica", "targetRequestsPerReplica")
    ):
        reader.reject(
            "overflowRequestsPerReplica",
            f"{gateway.overflow.requests_per_replica} is less than targetRequestsPerReplica "
            f"{replicas.target_requests}: requests would leave before a replica is added",
            f"Allowed: {replicas.target_requests} or more",
        )


def _check_scale_to_zero(settings: Settings, reader: ConfigReader) -> None:
    replicas = settings.replicas
    if replicas.min > 0 or not reader.usable("minReplicas", "mode", "dataMayLeave", "autoscaling"):
        return
    if not settings.gateway.is_hybrid:
        reader.reject(
            "minReplicas",
            "0 in mode self-host, where nothing would answer while a replica starts",
            "Allowed: 1 or more, or set mode to hybrid",
        )
    elif settings.overflow_api is None:
        reader.reject(
            "minReplicas",
            "0 with dataMayLeave false: nothing would answer while a replica starts",
            "Allowed: 1 or more",
        )
    elif not replicas.autoscaling:
        reader.reject(
            "minReplicas",
            "0 with autoscaling off: no replica would ever start",
            "Allowed: 1 or more, or set autoscaling to true",
        )


def _teams(reader: ConfigReader) -> tuple[TeamSettings, ...]:
    teams = []
    for name, rights in reader.mapping("teams").items():
        team = _team(reader, name, rights)
        if team is not None:
            teams.append(team)
    return tuple(sorted(teams, key=lambda team: team.name))


def _team(reader: ConfigReader, name: str, rights: object) -> TeamSettings | None:
    if not _TEAM.fullmatch(name):
        reader.reject(
            "teams",
            f'found the name "{name}"',
            "Allowed: lower-case letters, digits and hyphens, at most 63: a Secret has its "
            "key by that name",
        )
        return None
    if not isinstance(rights, Mapping) or not set(rights) <= set(_RIGHTS):
        reader.reject(
            "teams",
            f'found {rights} for "{name}"',
            f"Allowed: a mapping of any of {', '.join(_RIGHTS)}; {{}} for no limit",
        )
        return None
    tokens, leave = rights.get("tokensPerDay"), rights.get("dataMayLeave", True)
    # A bool is an int in Python; as a number of tokens it is a mistake.
    if tokens is not None and (type(tokens) is not int or not 1 <= tokens <= 10**15):
        reader.reject(
            "teams",
            f'found tokensPerDay {tokens} for "{name}"',
            "Allowed: a whole number, 1 or more; left out for no limit",
        )
    if type(leave) is not bool:
        reader.reject(
            "teams",
            f'found dataMayLeave {leave} for "{name}"',
            "Allowed: true or false, without quotes",
        )
    return TeamSettings(
        name=name,
        tokens_per_day=tokens if type(tokens) is int else None,
        usd_per_month=_money(reader, name, rights.get("usdPerMonth")),
        data_may_leave=leave is True,
    )


def _money(reader: ConfigReader, name: str, value: object) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value) and Decimal(value):
        return Decimal(value)
    reader.reject(
        "teams",
        f'found usdPerMonth {value} for "{name}"',
        'Allowed: USD as a string such as "500", more than 0; left out for no limit',
    )
    return None
