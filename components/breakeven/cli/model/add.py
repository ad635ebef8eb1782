"""`breakeven model add`: writes a user's own model to stacks/models/."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from breakeven.catalog.configs.fields import ModelConfigError
from breakeven.catalog.configs.reader import QUANTIZATION, facts_from_config
from breakeven.catalog.model_facts import ModelFacts
from breakeven.catalog.models import load_models
from breakeven.cli.files import OutputError
from breakeven.cli.model.hub import Fetched, fetch
from breakeven.cli.stack_file import setting_lines
from breakeven.errors import UserError
from breakeven.settings.files import PROJECT
from breakeven.settings.own_models import CONFIG, FOLDER, digest_of, folder_name, model_name

_REPOSITORY = r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}"
_LONGEST_NAME = 40


class AddError(UserError):
    """The model cannot be added."""


def add(
    repository: Annotated[
        str, typer.Argument(metavar="OWNER/NAME", help="Repository of the weights.")
    ],
    *,
    revision: Annotated[
        str, typer.Option(help="Commit, branch, or tag; it is resolved to a commit.")
    ] = "main",
    config: Annotated[
        Path | None,
        typer.Option(help="config.json to use instead of fetching it, without a network."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the files of an earlier add.")
    ] = False,
) -> None:
    """Write your own model to stacks/models/, and print the settings that use it.

    Fetches config.json and hf_quant_config.json from the Hugging Face hub, or from the mirror in
    HF_ENDPOINT; a gated repository needs HF_TOKEN. With --config FILE nothing is fetched, and
    hf_quant_config.json next to FILE is used if present.

    Example: breakeven model add Qwen/Qwen3-Next-80B-A3B-Instruct
    """
    if not re.fullmatch(_REPOSITORY, repository, re.ASCII):
        msg = f'found "{repository}". Allowed: OWNER/NAME of a Hugging Face repository'
        raise AddError(msg)
    if len(model_name(repository)) > _LONGEST_NAME:
        msg = (
            f"{repository}: a model name can have at most {_LONGEST_NAME} characters, because "
            "Kubernetes objects are named after it"
        )
        raise AddError(msg)
    fetched = fetch(repository, revision) if config is None else _from_file(config, revision)
    folder = PROJECT / FOLDER / folder_name(repository)
    if folder.exists() and not replace:
        msg = f"{_shown(folder)} already exists. To replace it, add --replace"
        raise AddError(msg)
    facts = _write(folder, repository, fetched)
    typer.echo(_told(folder, facts, fetched.revision))


def _from_file(config: Path, revision: str) -> Fetched:
    files = {}
    for name, path in ((CONFIG, config), (QUANTIZATION, config.parent / QUANTIZATION)):
        if name == CONFIG or path.is_file():
            try:
                files[name] = path.read_bytes()
            except OSError as error:
                msg = f"cannot read {path}: {error.strerror}. Allowed: the config.json of a model"
                raise AddError(msg) from None
    commit = revision if re.fullmatch(r"[0-9a-f]{40}", revision) else ""
    return Fetched(commit, files)


def _write(folder: Path, repository: str, fetched: Fetched) -> ModelFacts:
    """Writes the files to a temporary folder, and moves it into place when complete."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as scratch:
            new = Path(scratch) / folder.name
            new.mkdir()
            for name, content in fetched.files.items():
                (new / name).write_bytes(content)
            facts = facts_from_config(new / CONFIG, name=repository)
            if folder.exists():
                folder.rename(Path(scratch) / "old")
            new.rename(folder)
    except ModelConfigError as error:
        msg = f"{repository}: {error}"
        raise AddError(msg) from None
    except OSError as error:
        msg = f"cannot write {_shown(folder)}: {error.strerror}"
        raise OutputError(msg) from None
    return facts


def _told(folder: Path, facts: ModelFacts, commit: str) -> str:
    name = model_name(facts.repository)
    settings: dict[str, object] = {"model.name": name, "model.configDigest": digest_of(folder)}
    if commit:
        settings["model.revision"] = commit
    settings["model.maxLength"] = min(8192, facts.max_model_length)
    size = (
        f"{facts.parameters / 1e9:,.1f}B parameters, {facts.active_parameters / 1e9:,.1f}B active"
    )
    lines = [
        f"Written: {_shown(folder)}/ ({size} per token, stored in {facts.checkpoint.precision})",
        "Settings of a stack that serves it:",
        *setting_lines(settings),
    ]
    if load_models().name_of(facts.repository):
        lines.append(f"{facts.repository} is also a preset, which needs no digest.")
    if facts.is_estimated:
        lines.append(
            f"The architecture {facts.architecture} is unknown. Its layers are counted like "
            "those of most models, so the capacity has a wider error band."
        )
    if not commit:
        lines.append("`pulumi up` requires model.revision, the commit of the weights.")
    return "\n".join(lines)


def _shown(folder: Path) -> Path:
    return folder.relative_to(PROJECT)
