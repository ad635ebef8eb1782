"""The clouds and regions whose prices are refreshed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from breakeven.errors import StackFileError, UserError
from breakeven.settings.files import stack_names, stack_values
from breakeven.settings.parse import parse
from breakeven.suggestions import near_names, suggestion

Place = tuple[str, str]
"""Cloud and region."""

_REGION = re.compile(r"[a-z0-9-]+/[A-Za-z0-9-]+")


class ScopeError(UserError):
    """There is no region to refresh, or one is not CLOUD/REGION."""


def places_of(names: Sequence[str]) -> tuple[Place, ...]:
    """Parses regions such as aws/eu-central-1.

    Raises:
        ScopeError: A region has another format.
    """
    for name in names:
        if not _REGION.fullmatch(name):
            msg = f'--region: found "{name}". Allowed: CLOUD/REGION, such as aws/eu-central-1'
            raise ScopeError(msg)
    return tuple((cloud, region) for cloud, _, region in (name.partition("/") for name in names))


def scope(
    book: Iterable[Place], *, everything: bool, clouds: Sequence[str], regions: Sequence[str]
) -> Mapping[str, tuple[str, ...]]:
    """Returns the regions to refresh, by cloud.

    Those of the stacks, of the whole book, or the named ones; limited to the named clouds, if any.

    Args:
        book: All places in the price book.
        everything: Whether to return all of them.
        clouds: Clouds to include; empty for all.
        regions: Regions as typed; empty for those of the stacks or the book.

    Raises:
        ScopeError: There is no region, or one is not CLOUD/REGION.
    """
    known = set(book)
    named = places_of(regions)
    chosen = named or (known if everything else _of_stacks())
    _check(clouds, {cloud for cloud, _ in (*known, *chosen)})
    left = sorted((cloud, region) for cloud, region in chosen if not clouds or cloud in clouds)
    if not left:
        where = f"stack in cloud {', '.join(clouds)}" if clouds else "stack that uses list prices"
        msg = (
            f"found no {where} in stacks/, so there is nothing to refresh. Name a region, such as "
            "--region aws/eu-central-1, or add --all for every region of the price book"
        )
        raise ScopeError(msg)
    return {
        cloud: tuple(region for of, region in left if of == cloud)
        for cloud in dict.fromkeys(cloud for cloud, _ in left)
    }


def _check(clouds: Sequence[str], known: set[str]) -> None:
    for cloud in clouds:
        if cloud not in known:
            near = suggestion(near_names(cloud, known))
            msg = f'--cloud: found "{cloud}"{near}. Allowed: {", ".join(sorted(known))}'
            raise ScopeError(msg)


def _of_stacks() -> set[Place]:
    """Returns the regions of the stacks. Skips unreadable stacks; other commands report them."""
    places = set()
    for name in stack_names():
        try:
            stack, _ = parse(stack_values(name))
        except StackFileError:
            continue
        places.add((stack.pricing.cloud, stack.pricing.region))
    return {
        (cloud, region)
        for cloud, region in places
        # A region becomes part of a URL and of a query.
        if cloud != "none" and _REGION.fullmatch(f"{cloud}/{region}")
    }
