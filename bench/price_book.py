"""Time to load what one stack needs of the price book, as processor time.

Run: .venv/bin/python -m bench.price_book
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime

from breakeven.catalog.price_book import PriceBook
from breakeven.catalog.price_file import forget

_RUNS = 20

STACKS = {
    "aws eu-central-1": ("aws", "eu-central-1", "g6e.xlarge", "gp3"),
    "azure eastus": ("azure", "eastus", "Standard_NC40ads_H100_v5", "azurefile-premium"),
    "gcp us-central1": ("gcp", "us-central1", "a2-ultragpu-1g", "pd-ssd"),
    "lambda any": ("lambda", "any", "gpu_8x_h100_sxm5", ""),
}
"""Cloud, region, machine type and volume class."""


def main() -> None:
    """Print the median and the longest of several loads for each place."""
    for name, (cloud, region, machine, volume) in STACKS.items():
        times = []
        for _ in range(_RUNS):
            forget()
            started = time.process_time()
            book = PriceBook.load(today=datetime.now(tz=UTC).date(), region=region)
            book.node(cloud, region, machine, "on-demand")
            if volume:
                book.find(f"volume/{cloud}/{volume}")
            times.append((time.process_time() - started) * 1000)
        print(f"{name:18} median {statistics.median(times):5.1f} ms, longest {max(times):5.1f} ms")


if __name__ == "__main__":
    main()
