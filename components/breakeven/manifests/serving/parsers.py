"""vLLM's parsers, which extract tool calls and reasoning from a model's text."""

from __future__ import annotations

from breakeven.catalog.model_parsers import parsers_of
from breakeven.manifests.serving.guard import CHAT_TEMPLATE
from breakeven.settings.stack import Settings
from breakeven.settings.vllm.arguments import AUTO, OFF
from breakeven.settings.vllm.chat_template import OF_THE_MODEL, is_file

_EXAMPLES = "/vllm-workspace/examples"
"""Folder of vLLM's example templates in its images."""


def parser_flags(settings: Settings) -> list[str]:
    """Returns the flags of vLLM's parsers, as the stack states them or the catalog does.

    A parser of the catalog that the version of vLLM does not have yet is left out; the estimate
    names the version that the model needs.
    """
    if not settings.model.facts.generates:
        return []
    engine, known = settings.engine, parsers_of(settings.model.repository)
    release = engine.release
    tools = _chosen(engine.tool_calling, known.tool_calls, release.tool_parsers)
    reasoning = _chosen(engine.reasoning, known.reasoning, release.reasoning_parsers)
    flags = []
    if tools:
        # Without the first vLLM answers 400 to tool_choice "auto", which clients send by default.
        flags += ["--enable-auto-tool-choice", f"--tool-call-parser={tools}"]
    if reasoning:
        flags.append(f"--reasoning-parser={reasoning}")
    template = _template(
        engine.chat_template, known.chat_template if tools == known.tool_calls else ""
    )
    return [*flags, *([f"--chat-template={template}"] if template else [])]


def _template(stated: str, recommended: str) -> str:
    """Returns the file of a chat template in the engine's container; empty for the model's own."""
    if is_file(stated):
        return CHAT_TEMPLATE
    name = recommended if stated == AUTO else stated
    return f"{_EXAMPLES}/{name}.jinja" if name not in {"", OF_THE_MODEL} else ""


def _chosen(stated: str, recommended: str, known: frozenset[str]) -> str:
    if stated == OFF:
        return ""
    if stated == AUTO:
        return recommended if recommended in known else ""
    return stated
