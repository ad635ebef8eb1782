"""Reads the LoRA adapters that are served beside the model."""

from __future__ import annotations

import re

from breakeven.settings.groups import AdapterSettings
from breakeven.settings.reader import ConfigReader
from breakeven.settings.stack import Settings

RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""vLLM's own steps of --max-lora-rank."""

MOST = 16
"""Adapters at most: each holds memory on every GPU, whether it is asked or not."""

_ENTRY = (
    r"(?P<name>[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?)"
    r"=(?P<repository>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)@(?P<revision>[0-9a-f]{40})"
)


def read_adapters(reader: ConfigReader) -> tuple[AdapterSettings, ...]:
    """Reads the adapters; a name that two of them have is rejected."""
    entries = reader.words(
        "loraAdapters",
        pattern=_ENTRY,
        allowed="Allowed: NAME=OWNER/REPOSITORY@COMMIT, the name in lower case, the commit in 40 "
        "hexadecimal digits",
    )
    matches = [re.fullmatch(_ENTRY, entry) for entry in entries]
    adapters = tuple(
        AdapterSettings(
            name=found["name"], repository=found["repository"], revision=found["revision"]
        )
        for found in matches
        if found is not None
    )
    names = [adapter.name for adapter in adapters]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        reader.reject("loraAdapters", f"two adapters {', '.join(twice)}", "Allowed: each name once")
    if len(adapters) > MOST:
        reader.reject("loraAdapters", f"{len(adapters)} adapters", f"Allowed: up to {MOST}")
    return adapters


def read_rank(reader: ConfigReader) -> int:
    """Reads the largest rank of the adapters."""
    return int(reader.choice("loraMaxRank", tuple(str(rank) for rank in RANKS)))


def check_adapters(settings: Settings, reader: ConfigReader) -> None:
    """Rejects adapters that this model can't have."""
    adapters, facts = settings.model.lora_adapters, settings.model.facts
    if not adapters or not reader.usable("loraAdapters", "model"):
        return
    if settings.gateway.is_hybrid and reader.usable("mode"):
        reader.reject(
            "loraAdapters",
            "adapters in mode hybrid, whose gateway knows the model and the API alone",
            "Allowed in mode self-host, or leave them out: nobody could ask for them",
        )
    if facts.is_mixture_of_experts:
        reader.reject(
            "loraAdapters",
            f"adapters of {facts.name}, a mixture of experts",
            "Allowed with models that are none, or leave them out: how much memory the experts' "
            "adapters take is not known here",
        )
    if facts.name in {adapter.name for adapter in adapters}:
        reader.reject(
            "loraAdapters",
            f"an adapter called {facts.name}, as the model is",
            "Choose another name: clients ask for model and adapters by it",
        )
