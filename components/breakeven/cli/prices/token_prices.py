"""Saves the token prices of APIs that `breakeven prices refresh` fetched, and reports changes."""

from __future__ import annotations

from pathlib import Path

import typer

from breakeven.catalog.apis.token_price_file import FILE_NAME, forget, model_prices
from breakeven.cli.files import write_whole


def save_token_prices(folder: Path, text: str) -> None:
    """Writes the file, and prints how many models have changed prices.

    Args:
        folder: Of the user's own prices; created if missing.
        text: Of the file.

    Raises:
        OutputError: The file cannot be written.
    """
    path = folder / FILE_NAME
    after = model_prices(text)
    try:
        before = model_prices(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        before = {}  # the file is missing or invalid, so there is nothing to compare
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
    forget()
    changes = ""
    if before:
        new, gone = len(after.keys() - before.keys()), len(before.keys() - after.keys())
        changed = sum(before[name] != after[name] for name in before.keys() & after.keys())
        changes = f": {new} new, {changed} changed, {gone} gone"
    typer.echo(f"Token prices of {len(after):,} models{changes}")
    typer.echo(f"Written: {path}")
