"""Which parsers of vLLM, and which chat template, agents need for a model.

A model's recipe says it, or else the family that its repository's name puts it in; what neither
knows is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from breakeven.catalog.recipes import find_recipe, recipe_templates, template_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelParsers:
    """Names of parsers, and of a chat template of vLLM's; empty if none is known.

    Attributes:
        tool_calls: Of --tool-call-parser.
        reasoning: Of --reasoning-parser.
        chat_template: For tool calls, where the model's own does not do.
    """

    tool_calls: str = ""
    reasoning: str = ""
    chat_template: str = ""


def parsers_of(repository: str) -> ModelParsers:
    """Returns what a repository's model needs, as its recipe says or its family."""
    recipe, family = find_recipe(repository), _family(repository)
    if recipe is None or not (recipe.tool_call_parser or recipe.reasoning_parser):
        return family
    return ModelParsers(
        tool_calls=recipe.tool_call_parser,
        reasoning=recipe.reasoning_parser,
        chat_template=template_name(recipe.chat_template),
    )


@cache
def known_templates() -> frozenset[str]:
    """Returns the names of vLLM's own chat templates that recipes or families use."""
    return recipe_templates() | {
        template_name(each["chat_template"]) for each in _families() if "chat_template" in each
    }


def _family(repository: str) -> ModelParsers:
    for each in _families():
        if re.fullmatch(each["pattern"], repository, re.ASCII | re.IGNORECASE):
            return ModelParsers(
                tool_calls=each["tool_call_parser"],
                reasoning=each.get("reasoning_parser", ""),
                chat_template=template_name(each.get("chat_template", "")),
            )
    return ModelParsers()


@cache
def _families() -> tuple[Mapping[str, str], ...]:
    data = resources.files(__package__) / "data" / "parser_families.json"
    return tuple(json.loads(data.read_text(encoding="utf-8"))["families"])
