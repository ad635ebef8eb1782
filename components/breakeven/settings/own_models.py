"""Models of the user's own: a folder of stacks/models/ with a config.json each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from breakeven.catalog.configs.fields import ModelConfigError
from breakeven.catalog.configs.reader import QUANTIZATION, facts_from_config
from breakeven.catalog.model_facts import ModelFacts
from breakeven.catalog.models import load_models
from breakeven.settings.files import PROJECT

CONFIG = "config.json"
FOLDER = Path("stacks") / "models"
"""Below the project's folder; each model is in OWNER--NAME."""


def folder_name(repository: str) -> str:
    """Returns the folder of a repository such as OWNER/NAME."""
    return repository.replace("/", "--", 1)


def model_name(repository: str) -> str:
    """Returns the short name of a repository, which stacks and clients use."""
    return re.sub(r"[^a-z0-9.-]+", "-", repository.rpartition("/")[2].lower()).strip("-.")


def own_models(root: Path = PROJECT) -> Mapping[str, Path]:
    """Returns the folders of the user's own models by short name."""
    return {
        model_name(path.parent.name.replace("--", "/", 1)): path.parent
        for path in sorted((root / FOLDER).glob(f"*--*/{CONFIG}"))
    }


def known_facts(repository: str) -> ModelFacts | None:
    """Returns the facts of a repository: of a preset, or of a model of the user's own.

    None where neither is there, or its config.json cannot be read.
    """
    name = load_models().name_of(repository)
    if name is not None:
        return load_models()[name]
    folder = PROJECT / FOLDER / folder_name(repository)
    try:
        return own_facts(folder) if (folder / CONFIG).is_file() else None
    except ModelConfigError:
        return None


def digest_of(folder: Path) -> str:
    """Returns the SHA-256 of a model's config.json and, where there is one, hf_quant_config.json.

    That is the one of both files one after the other, as of
    `cat config.json hf_quant_config.json | sha256sum`.

    Raises:
        OSError: A file cannot be read.
    """
    digest = hashlib.sha256()
    for name in (CONFIG, QUANTIZATION):
        if (folder / name).is_file():
            digest.update((folder / name).read_bytes())
    return f"sha256:{digest.hexdigest()}"


def own_facts(folder: Path) -> ModelFacts:
    """Returns the facts of a model of the user's own.

    Raises:
        ModelConfigError: Its config.json cannot be read.
    """
    try:
        return _facts(folder, digest_of(folder))
    except OSError as error:
        msg = f"cannot read {folder / CONFIG}: {error.strerror}"
        raise ModelConfigError(msg) from None


@cache
def _facts(folder: Path, _digest: str) -> ModelFacts:
    repository = folder.name.replace("--", "/", 1)
    counted = facts_from_config(folder / CONFIG, name=repository)
    return replace(counted, name=model_name(repository))
