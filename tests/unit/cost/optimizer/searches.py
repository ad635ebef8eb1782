"""Searches for tests, with one thing changed at a time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import Phase

from breakeven.catalog.price_book import PriceBook
from breakeven.catalog.price_file import BookFile, of_cloud, read_book
from breakeven.cost.capacity.objectives import Objectives
from breakeven.cost.demand.load import published_shape
from breakeven.cost.optimizer.search import Search
from tests.unit.cost.builders import TODAY, assumptions, engine, pool, volume

NO_SHRINKING = (Phase.explicit, Phase.generate)
"""Phases of a test in which an example is a whole search: shrinking one takes minutes."""

VOLUMES = {"bf16": "22Gi", "fp8": "22Gi", "int8": "14Gi", "int4": "11Gi"}


@cache
def _book() -> PriceBook:
    """Only GPU nodes and their volumes: a missing price is compared with all prices."""
    book = read_book()
    kept = {
        identifier: book.prices[identifier]
        for identifier in of_cloud(book.prices, "aws")
        if identifier == "volume/aws/us-east-1/gp3" or _is_gpu_node(identifier, book)
    }
    return PriceBook(kept, book.shapes, today=TODAY)


FAMILIES = frozenset({"g5", "g6", "g6e", "p4d", "p4de", "p5"})
"""Machine families of these searches: with all of AWS each one takes five times as long."""


def _is_gpu_node(identifier: str, book: BookFile) -> bool:
    kind, cloud, region, name, *_ = [*identifier.split("/"), ""]
    return (
        (kind, region) == ("node", "us-east-1")
        and name.partition(".")[0] in FAMILIES
        and book.shapes[cloud, name].gpu is not None
    )


def search(**changes: Any) -> Search:
    """Llama 3.1 8B in AWS us-east-1, 200 million tokens a day in the shape of a real service."""
    base = assumptions()
    shape, source = published_shape()
    load = replace(
        base.load,
        tokens_per_day=200_000_000,
        shape=shape,
        shape_source=source,
        burst_factor=1.8,
    )
    values: dict[str, Any] = {
        "assumptions": replace(
            base, engine=engine("llama-3.1-8b-instruct"), load=load, book=_book()
        ),
        "ledgers": {precision: (pool(), volume(size=size)) for precision, size in VOLUMES.items()},
        "start_seconds": {"bf16": 400.0, "fp8": 400.0, "int8": 330.0, "int4": 300.0},
        "growth_seconds": {"bf16": 400, "fp8": 400, "int8": 330, "int4": 300},
        "gpu_memory_utilization": 0.9,
        "max_model_length": 8192,
        "adapter_bytes": 0,
        "lowest_replicas": 1,
        "target_requests": 32,
        "largest_batch": 256,
        "own_offer": None,
        "volume_gigabytes": 100,
        "shared_weights": True,
        "max_age_days": 365,
        "gpus": (),
        "max_gpus": 64,
        "commitment_share": None,
        "objectives": Objectives(first_token_seconds=2.0),
        "measured": None,
        "target_waiting": 5,
        "node_start_seconds": 180.0,
        "grace_seconds": 135.0,
        "spot_interruptions_per_hour": 0.0,
        "weights_gigabytes": dict.fromkeys(("bf16", "fp8", "int8", "int4"), Decimal(16)),
    }
    return Search(**{**values, **changes})
