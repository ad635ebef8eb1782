"""The region in an identifier of a price, and whose price stands in where a region has none.

A machine is node/CLOUD/REGION/TYPE/PURCHASE, anything else KIND/CLOUD/REGION/NAME. A bill asks for
KIND/CLOUD/NAME, such as volume/aws/gp3: the book adds the region of the stack. Control planes are
asked for by name alone, such as control-plane/eks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from breakeven.catalog.clouds import CLOUDS, find_cloud

SHIPPED = Path(__file__).parent / "data" / "prices"
"""The price book that the package ships."""

MACHINES = "machines.csv"
"""Name of the file with the machine types; other files are named by their cloud."""

ANY = "any"
"""Region of a price that holds in all regions of its cloud."""

_WITHOUT_REGION = 3
"""Parts of an identifier that leaves the region out."""


def cloud_of(identifier: str) -> str:
    """Returns the cloud of a price; of an unknown control plane its name."""
    kind, _, rest = identifier.partition("/")
    name = rest.partition("/")[0]
    if kind == "control-plane" and name == rest:
        return next((cloud.name for cloud in CLOUDS.values() if cloud.control_plane == name), name)
    return name


def machine_regions(folders: Iterable[Path]) -> list[tuple[str, str]]:
    """Returns cloud and region of every machine in price books, sorted.

    Only identifiers are read, so that a shell can offer regions at once: a damaged line does not
    matter, and neither does a discontinued machine type.
    """
    return sorted({place for folder in folders for place in _places(folder)})


def _places(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.glob("*.csv"):
        if path.name == MACHINES:
            continue
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("node/"):
                _, cloud, region, *_ = (*line.split("/", maxsplit=3), "", "")
                if region:
                    yield cloud, region


def in_region(identifier: str, region: str) -> str:
    """Returns the identifier of the same in a region.

    Args:
        identifier: With a region or without.
        region: Name of the region; "any" for a price that holds in all.
    """
    kind, *rest = identifier.split("/")
    if kind == "node" and len(rest) >= _WITHOUT_REGION:
        return "/".join((kind, rest[0], region, *rest[2:]))
    if kind == "node" or not rest:
        return identifier
    if len(rest) < _WITHOUT_REGION - 1:
        return f"{kind}/{cloud_of(identifier)}/{region}/{rest[0]}"
    return f"{kind}/{rest[0]}/{region}/{rest[-1]}"


def region_of(identifier: str) -> str:
    """Returns the region in an identifier; empty if it names none."""
    rest = identifier.split("/")[1:]
    return rest[1] if len(rest) >= _WITHOUT_REGION else ""


def without_region(identifier: str) -> str:
    """Returns the identifier as a bill asks for it; that of a machine keeps its region."""
    kind, *rest = identifier.split("/")
    if kind == "node" or len(rest) != _WITHOUT_REGION:
        return identifier
    if kind == "control-plane" and find_cloud(rest[0]).control_plane == rest[2]:
        return f"{kind}/{rest[2]}"
    return f"{kind}/{rest[0]}/{rest[2]}"
