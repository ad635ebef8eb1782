"""Fields of config.json of the presets, as `models.json` has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from breakeven.settings.files import ROOT

_DATA = ROOT / "components/breakeven/catalog/data/models.json"

PRESETS: Mapping[str, dict[str, Any]] = {
    entry["name"]: entry for entry in json.loads(_DATA.read_text(encoding="utf-8"))["models"]
}
"""Each preset as its line has it, by name."""

CONFIGS: Mapping[str, dict[str, Any]] = {name: entry["config"] for name, entry in PRESETS.items()}
