"""Addresses of the internet that a gateway may call."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from breakeven.addresses import is_of_a_machine
from breakeven.settings.fields import refuse

ADDRESS = r"https://[a-z0-9.-]+(:443)?(/[\w./-]*[\w])?"


def outside_address(text: str) -> str:
    """Returns an https address on port 443 outside; raises for any other text."""
    if re.fullmatch(ADDRESS, text, re.ASCII) is None:
        raise ValueError(text)
    if not _is_on_the_internet(text):
        refuse(
            f'found "{text}", which is not a public address',
            "Allowed: a public host; the network rules do not let the gateway reach private "
            "addresses",
        )
    return text


def _is_on_the_internet(url: str) -> bool:
    """Tells it of an address in numbers; of a name nothing is known, except of localhost."""
    host = urlsplit(url).hostname or ""
    if not re.search(r"(^|\.)[0-9][0-9a-fx]*$", host):
        return host != "localhost"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_global and is_of_a_machine(address)
