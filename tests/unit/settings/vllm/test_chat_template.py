"""A chat template by name or by file reaches the engine; what is none is refused before."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.catalog.recipes import find_recipe
from breakeven.errors import SettingsError
from breakeven.manifests.serving.engine import engine_flags
from breakeven.manifests.serving.guard import CHAT_TEMPLATE, guard_files
from breakeven.manifests.serving.timings import timings_of
from breakeven.settings.parse import parse, raise_problems
from breakeven.settings.stack import Settings
from breakeven.settings.vllm import chat_template

TEMPLATE = "{% for m in messages %}{{ m['content'] }}{% break %}{% endfor %}"
GEMMA = {"name": "gemma-4-31b-it", "revision": "a" * 40}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(chat_template, "TEMPLATES", tmp_path)
    return tmp_path


def settings(template: str, **groups: object) -> Settings:
    stack, problems = parse({"engine": {"chatTemplate": template}, **groups})
    assert [each for each in problems if each.key.endswith("chatTemplate")] == []
    return stack.models[0]


def template_flags(found: Settings) -> list[str]:
    flags = engine_flags(found, timings_of(found))
    return [flag for flag in flags if flag.startswith("--chat-template")]


def test_a_file_is_mounted_and_a_change_of_it_replaces_the_replicas(folder: Path) -> None:
    (folder / "own.jinja").write_text(TEMPLATE)
    before = guard_files(settings("own.jinja"))
    assert template_flags(settings("own.jinja")) == [f"--chat-template={CHAT_TEMPLATE}"]
    assert before.manifest["data"]["chat-template.jinja"] == TEMPLATE
    (folder / "own.jinja").write_text(TEMPLATE + " ")
    after = guard_files(settings("own.jinja"))
    assert before.manifest["metadata"]["name"] != after.manifest["metadata"]["name"]


def test_without_a_statement_there_is_the_recipes_or_the_models() -> None:
    assert template_flags(settings("auto")) == []
    recipe = find_recipe("google/gemma-4-31b-it")
    assert recipe is not None
    assert recipe.chat_template
    [flag] = template_flags(settings("auto", model=GEMMA))
    assert flag == "--chat-template=/vllm-workspace/examples/tool_chat_template_gemma4.jinja"
    assert template_flags(settings("model", model=GEMMA)) == []
    by_name = settings("tool_chat_template_deepseekv31")
    assert template_flags(by_name) == [
        "--chat-template=/vllm-workspace/examples/tool_chat_template_deepseekv31.jinja"
    ]


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("missing.jinja", r"cannot read stacks/templates/missing.jinja"),
        ("broken.jinja", "broken.jinja, line 2"),
        ("binary.jinja", "not UTF-8"),
        ("large.jinja", "500,0.. bytes"),
        ("../own.jinja", "stacks/templates"),
        ("tool_chat_template_unheard_of", "a template of vLLM's that the catalog names"),
    ],
)
def test_what_is_no_template_is_refused(folder: Path, template: str, found: str) -> None:
    (folder / "broken.jinja").write_text("a\n{% if %}")
    (folder / "binary.jinja").write_bytes(b"\xff\xfe")
    (folder / "large.jinja").write_text("a" * 500_001)
    with pytest.raises(SettingsError, match=found):
        raise_for(template)


def raise_for(template: str) -> None:
    _, problems = parse({"engine": {"chatTemplate": template}})
    raise_problems("dev", problems)
