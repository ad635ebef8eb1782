"""Fetches the config.json of a repository from the Hugging Face hub or a mirror of it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from urllib.parse import quote

from breakeven.catalog.configs.reader import QUANTIZATION
from breakeven.errors import UserError
from breakeven.price_sources.client import Client, FetchError, Limits, checked_base
from breakeven.settings.own_models import CONFIG

HUB = "https://huggingface.co"
ENDPOINT = "HF_ENDPOINT"
"""Environment variable with the address of a mirror, as in the hub's library."""
TOKEN = "HF_TOKEN"  # noqa: S105  # the name of a variable
"""Environment variable with a token, for a gated repository."""

_LIMITS = Limits(largest_bytes=16 << 20, longest_seconds=60)


class HubError(UserError):
    """A repository's files could not be fetched."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The files that describe a model in its repository.

    Attributes:
        revision: Commit that was read.
        files: Contents by name: config.json, and hf_quant_config.json where there is one.
    """

    revision: str
    files: dict[str, bytes]


def fetch(repository: str, revision: str, client: Client | None = None) -> Fetched:
    """Fetches the files that describe a model.

    Args:
        repository: OWNER/NAME.
        revision: Commit, branch or tag.
        client: Downloads; for tests.

    Raises:
        HubError: A file cannot be fetched; the message states which and why.
    """
    base = _base()
    headers = {"authorization": f"Bearer {token}"} if (token := os.environ.get(TOKEN)) else {}
    fetching = client or Client(_LIMITS)
    try:
        commit, names = _listed(fetching, base, repository, revision, headers)
        if CONFIG not in names:
            found = ", ".join(sorted(names)[:10])
            msg = (
                f"{repository} has no {CONFIG} at {commit}. Found: {found}. Name the repository "
                f"of the original weights; repositories of GGUF files and adapters have no {CONFIG}"
            )
            raise HubError(msg)
        files = {
            name: fetching.body(f"{base}/{repository}/resolve/{commit}/{name}", headers)
            for name in (CONFIG, QUANTIZATION)
            if name in names
        }
    except FetchError as error:
        raise HubError(_explained(repository, str(error))) from None
    finally:
        if client is None:
            fetching.close()
    return Fetched(commit, files)


def _base() -> str:
    try:
        return checked_base(os.environ.get(ENDPOINT) or HUB)
    except FetchError as error:
        msg = f"{ENDPOINT}: {error}"
        raise HubError(msg) from None


def _listed(
    client: Client, base: str, repository: str, revision: str, headers: dict[str, str]
) -> tuple[str, set[str]]:
    """Returns the commit of a revision, and the files at it."""
    url = f"{base}/api/models/{repository}/revision/{quote(revision, safe='')}"
    try:
        answer = json.loads(client.body(url, headers))
        commit = str(answer["sha"])
        names = {str(file["rfilename"]) for file in answer["siblings"]}
    except (ValueError, KeyError, TypeError):
        msg = f"{url}: this server is not a Hugging Face hub. Check {ENDPOINT}"
        raise HubError(msg) from None
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        msg = f"{url}: the hub returned no commit of {repository}"
        raise HubError(msg)
    return commit, names


def _explained(repository: str, error: str) -> str:
    if "401" in error or "403" in error:
        return (
            f"{error}. {repository} does not exist or is gated. If it is gated, accept its terms "
            f"on its page and set {TOKEN}"
        )
    if "404" in error:
        return f"{error}. Check the name {repository} and the revision"
    return f"{error}. Without the network: breakeven model add {repository} --config FILE"
