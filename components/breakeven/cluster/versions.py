"""Versions of programs in a cluster, compared."""

from __future__ import annotations

import re

Version = tuple[int, ...]


def version_of(text: str) -> Version:
    """Returns the numbers at the beginning of a version, such as (1, 35, 4) of "v1.35.4-eks-1"."""
    found = re.match(r"\D*?(\d+(?:\.\d+)*)", text)
    return tuple(map(int, found[1].split("."))) if found else ()


def is_older(found: str, needed: str) -> bool:
    """Tells whether a version is older than the one that is needed; False where it is unknown."""
    wanted, has = version_of(needed), version_of(found)
    return bool(has) and has[: len(wanted)] < wanted
