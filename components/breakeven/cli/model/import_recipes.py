"""`breakeven model import-recipes`: rebuilds this project's recipes from vLLM's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from breakeven.catalog.importers.vllm_recipes import RecipeFileError, read_recipes, written
from breakeven.cli.files import write_whole
from breakeven.errors import UserError
from breakeven.settings.files import ROOT

TABLE = ROOT / "components" / "breakeven" / "catalog" / "data" / "recipes.json"


class RecipesError(UserError):
    """The recipes cannot be imported."""


def import_recipes(
    file: Annotated[
        Path, typer.Argument(help="Model files of vLLM's recipes as JSON, one per line.")
    ],
    *,
    source: Annotated[
        str, typer.Option(help="Their source: repository, commit, date, and license.")
    ],
) -> None:
    """Rebuild the recipes from vLLM's recipes: parsers, flags, versions, variants.

    The file has one JSON object per line, each with a model file of
    github.com/vllm-project/recipes. Recipes of models that do not generate text are left out.

    Example: breakeven model import-recipes recipes.jsonl --source "vllm-project/recipes 8959cf6"
    """
    try:
        recipes = read_recipes(file.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"cannot read {file}: {error.strerror}"
        raise RecipesError(msg) from None
    except (RecipeFileError, UnicodeDecodeError) as error:
        msg = f"{file}: {error}. Nothing was changed"
        raise RecipesError(msg) from None
    write_whole(TABLE, written(recipes, source))
    typer.echo(f"Written: {len(recipes)} recipes to {TABLE.relative_to(ROOT)}")
