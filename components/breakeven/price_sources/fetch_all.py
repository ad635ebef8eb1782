"""Queries the sources of the requested regions in turn; a failure does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from breakeven.catalog.importers.listing import Listing, Selection, SourceError
from breakeven.catalog.price import Price
from breakeven.price_sources.client import Client, FetchError
from breakeven.price_sources.registry import GPUHUNT, sources_of
from breakeven.price_sources.source import Job, Source


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one job.

    Attributes:
        source: Source that was queried; None if no source has the cloud.
        cloud: Such as "aws".
        regions: Regions that were asked for.
        listing: Prices that it returned; None if none.
        problem: Why requested prices are missing; empty if none are.
        instead: Name of the list that has them instead; empty if no list has.
    """

    source: Source | None
    cloud: str
    regions: tuple[str, ...]
    listing: Listing | None = None
    problem: str = ""
    instead: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether requested prices were not updated."""
        return bool(self.problem) and not self.instead


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """How sources are asked.

    Attributes:
        selection: Which prices are wanted; its day is today.
        client: Fetches.
        bases: Other addresses of sources, by name.
        environment: Variables, for credentials.
        now: The time, in UTC.
        on_job: Called with a description of the next job.
    """

    selection: Selection
    client: Client
    bases: Mapping[str, str]
    environment: Mapping[str, str]
    now: datetime
    on_job: Callable[[str], None] = lambda _: None

    def outcomes(self, scope: Mapping[str, tuple[str, ...]]) -> Iterator[Outcome]:
        """Yields the result of each job.

        Args:
            scope: Regions by cloud.
        """
        for cloud, regions in scope.items():
            sources = sources_of(cloud)
            if not sources:
                yield Outcome(None, cloud, regions, problem="no source has this cloud")
            outcomes = [
                self._asked(source, cloud, group)
                for source in sources
                for group in ([(region,) for region in regions] if source.by_region else [regions])
            ]
            yield from outcomes if sources == (GPUHUNT,) else self._replaced(cloud, outcomes)

    def _asked(self, source: Source, cloud: str, regions: tuple[str, ...]) -> Outcome:
        missing = source.missing(self.environment)
        if missing:
            problem = f"needs {' and '.join(missing)} in the environment ({source.advice})"
            return Outcome(source, cloud, regions, problem=problem)
        self.on_job(f"{source.title}, {cloud} {', '.join(regions)}")
        try:
            listing = source.fetch(self._job(source, cloud, regions))
        except (FetchError, SourceError) as error:
            advice = f". Check {' and '.join(source.credentials)}" if source.credentials else ""
            return Outcome(source, cloud, regions, problem=f"{error}{advice}")
        given = {_region(price) for price in listing.prices}
        without = ", ".join(region for region in regions if region not in given)
        problem = f"it has no price of a known machine type in {without}" if without else ""
        return Outcome(source, cloud, regions, listing if listing.prices else None, problem)

    def _replaced(self, cloud: str, outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
        """Queries gpuhunt's catalog, at most once, for prices that a cloud's own sources lack."""
        own = [outcome for outcome in outcomes if outcome.source is not GPUHUNT]
        failed = [
            outcome
            for outcome in own
            if outcome.problem and outcome.source and outcome.source.purchases
        ]
        others = [outcome for outcome in outcomes if outcome.source is GPUHUNT]
        if failed and not others and cloud in GPUHUNT.clouds:
            lacking = dict.fromkeys(region for outcome in failed for region in outcome.regions)
            asked = self._asked(GPUHUNT, cloud, tuple(lacking))
            others = [replace(asked, listing=_lacking(asked.listing, failed))]
        listing = next((outcome.listing for outcome in others), None)
        for outcome in own:
            if outcome.problem and listing and _lacking(listing, [outcome]):
                yield replace(outcome, instead=listing.name)
            elif outcome in failed and others and others[0].problem:
                also = f"{outcome.problem}. {GPUHUNT.title}: {others[0].problem}"
                yield replace(outcome, problem=also)
            else:
                yield outcome
        # If it was queried for other sources, nothing of its own is missing.
        yield from (
            others
            if len(others) + len(own) == len(outcomes)
            else (replace(other, problem="") for other in others)
        )

    def _job(self, source: Source, cloud: str, regions: tuple[str, ...]) -> Job:
        wanted = frozenset((cloud, region) for region in regions)
        return Job(
            cloud=cloud,
            regions=regions,
            selection=replace(self.selection, regions=wanted, as_of=self.now.date()),
            base=self.bases.get(source.name, source.base),
            client=self.client,
            environment=self.environment,
            now=self.now,
        )


def _lacking(listing: Listing | None, failed: Sequence[Outcome]) -> Listing | None:
    """Returns a list's prices for the regions and purchases that other sources lack."""
    wanted = {
        (region, purchase)
        for outcome in failed
        for region in outcome.regions
        for purchase in (outcome.source.purchases if outcome.source else ())
    }
    prices = tuple(
        price
        for price in (listing.prices if listing else ())
        if (_region(price), price.identifier.rpartition("/")[2]) in wanted
    )
    return replace(listing, prices=prices) if listing and prices else None


def _region(price: Price) -> str:
    return price.identifier.split("/")[2]
