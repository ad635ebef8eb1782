"""What can be installed into a cluster: which kinds it brings, at which version, and the command.

Versions are pinned in data/add_ons.json and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOn:
    """Something that a cluster gets by a command.

    Attributes:
        name: Its name.
        groups: API groups that it brings.
        version: Pinned version; empty where the cloud chooses it.
        install: The command, with {version} where the version goes. Words in capitals are the
            user's own names.
        cloud: Cloud whose clusters get those groups from it; empty for any.
        fields: Oldest version that has a field, by its path in a manifest.
        api_service: APIService that it serves; empty for none.
        module: Go module whose pinned release the tests run; empty for none.
        source: Where command and version are from.
        as_of: Day on which that was looked up.
    """

    name: str
    groups: tuple[str, ...]
    version: str
    install: str
    source: str
    as_of: str
    cloud: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    api_service: str = ""
    module: str = ""

    @property
    def command(self) -> str:
        """The install command with its version."""
        return self.install.format(version=self.version)


@cache
def add_ons() -> tuple[AddOn, ...]:
    """Returns all add-ons that are known."""
    file = resources.files("breakeven.cluster") / "data" / "add_ons.json"
    return tuple(
        AddOn(
            name=entry["name"],
            groups=tuple(entry["groups"]),
            version=entry["version"],
            install=entry["install"],
            source=entry["source"],
            as_of=entry["asOf"],
            cloud=entry.get("cloud", ""),
            fields=entry.get("fields", {}),
            api_service=entry.get("apiService", ""),
            module=entry.get("module", ""),
        )
        for entry in json.loads(file.read_text(encoding="utf-8"))
    )


def add_on_of(group: str, cloud: str | None) -> AddOn | None:
    """Returns what brings an API group to a cluster; None where that is not known.

    Args:
        group: Such as "keda.sh".
        cloud: Where the cluster runs; None where that is not known.
    """
    found = [each for each in add_ons() if group in each.groups]
    own = [each for each in found if each.cloud == cloud]
    return next(iter(own or [each for each in found if not each.cloud] or found), None)


GPU_OPERATOR = "NVIDIA GPU operator"
METRICS_SERVER = "metrics-server"


def named(name: str) -> AddOn:
    """Returns an add-on by its name.

    Raises:
        StopIteration: There is none.
    """
    return next(each for each in add_ons() if each.name == name)
