"""What a stack passes on to vLLM, and the parsers that its model's recipe asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.engines import deployed_release, release_for, releases
from breakeven.catalog.model_parsers import parsers_of
from breakeven.catalog.recipes import find_recipe, recipe_repositories
from breakeven.errors import SettingsError
from breakeven.manifests.serving.engine import engine_flags, own_variables
from breakeven.manifests.serving.timings import timings_of
from breakeven.planning.checks import serving_conflicts
from breakeven.settings.vllm.arguments import OWNED, as_flags
from tests.recording import STACKS, settings_of, stack_of


def flags_of(**changes: object) -> list[str]:
    settings = settings_of("dev", **changes)
    return engine_flags(settings, timings_of(settings))


def model(name: str, repository: str) -> dict[str, object]:
    return {"model.name": name, "model.repository": repository, "model.revision": "a" * 40}


def test_a_model_with_a_recipe_answers_tool_calls_and_reasoning_by_its_parsers() -> None:
    repository = "Qwen/Qwen3-32B"
    recipe = find_recipe(repository)
    assert recipe is not None
    assert recipe.reasoning_parser
    flags = flags_of(**model("qwen3-32b", repository))
    assert f"--reasoning-parser={recipe.reasoning_parser}" in flags
    assert f"--tool-call-parser={recipe.tool_call_parser}" in flags
    assert "--enable-auto-tool-choice" in flags


@pytest.mark.parametrize(
    ("repository", "tools", "reasoning"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "llama3_json", ""),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama3_json", ""),
        ("RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w8a8", "llama3_json", ""),
        ("Qwen/Qwen2.5-7B-Instruct", "hermes", ""),
        ("Qwen/Qwen2.5-Coder-7B-Instruct", "", ""),
        ("Qwen/Qwen3-14B", "hermes", "qwen3"),
        ("Qwen/Qwen3-32B", "hermes", "qwen3"),
        ("meta-llama/Llama-3.1-8B", "", ""),
        ("meta-llama/Llama-2-13b-chat-hf", "", ""),
    ],
)
def test_a_model_without_a_recipe_of_its_own_has_the_parsers_of_its_family(
    repository: str, tools: str, reasoning: str
) -> None:
    found = parsers_of(repository)
    assert (found.tool_calls, found.reasoning) == (tools, reasoning)
    assert not tools or tools in deployed_release().tool_parsers
    assert not reasoning or reasoning in deployed_release().reasoning_parsers


def test_most_shipped_stacks_take_tool_calls() -> None:
    taken = [stack for stack in STACKS if _takes_tools(stack)]
    # Llama 2 was not trained for them; nothing is documented for Gemma 3.
    assert set(STACKS) - set(taken) == {"article", "gke"}


def _takes_tools(stack: str) -> bool:
    settings = stack_of(stack).models[0]
    return "--enable-auto-tool-choice" in engine_flags(settings, timings_of(settings))


def test_a_parser_that_is_stated_wins_and_off_means_none() -> None:
    stated = flags_of(**{"engine.toolCalling": "hermes", "engine.reasoning": "off"})
    assert "--tool-call-parser=hermes" in stated
    assert not any(flag.startswith("--reasoning") for flag in stated)
    assert "--enable-auto-tool-choice" not in flags_of(**{"engine.toolCalling": "off"})


def test_a_parser_that_the_version_does_not_have_is_refused_with_those_it_has() -> None:
    with pytest.raises(SettingsError, match=r'no parser "hermez".*hermes'):
        stack_of("dev", **{"engine.toolCalling": "hermez"})
    with pytest.raises(SettingsError, match=r"engine\.reasoning"):
        stack_of("dev", **{"engine.reasoning": "hermes"})


def test_flags_are_passed_on_in_the_forms_that_vllm_reads() -> None:
    arguments = {
        "max-num-batched-tokens": 4096,
        "--enable-prefix-caching": True,
        "enable-chunked-prefill": False,
        "override-generation-config": {"temperature": 0, "top_k": 3},
        "allowed-origins": ["a", "b"],
    }
    flags = flags_of(**{"engine.args": arguments})
    assert flags[-7:] == [
        "--max-num-batched-tokens=4096",
        "--enable-prefix-caching",
        "--no-enable-chunked-prefill",
        '--override-generation-config={"temperature": 0, "top_k": 3}',
        "--allowed-origins",
        "a",
        "b",
    ]


@pytest.mark.parametrize("name", sorted(OWNED))
def test_a_flag_that_the_kit_sets_is_refused_with_the_setting_to_use(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name} is set by Breakeven") as refused:
        stack_of("dev", **{"engine.args": {name: "x"}})
    assert OWNED[name] in str(refused.value)


@pytest.mark.parametrize("stack", STACKS)
def test_every_flag_that_a_stack_renders_is_one_of_its_version_of_vllm(stack: str) -> None:
    for settings in stack_of(stack).models:
        release = settings.engine.release
        assert release.version == settings.engine.version
        for worker in (False, True):
            for flag in engine_flags(settings, timings_of(settings), worker=worker):
                name = flag.removeprefix("--").partition("=")[0]
                assert not flag.startswith("--") or name in release.flags, flag


def test_a_slip_is_refused_with_the_nearest_flag_but_not_for_a_version_that_is_not_known() -> None:
    with pytest.raises(SettingsError, match=r"no flag --max-num-batched-token.*tokens"):
        stack_of("dev", **{"engine.args": {"max-num-batched-token": 1}})
    newer = f"docker.io/vllm/vllm-openai:v9.9.9@sha256:{'1' * 64}"
    assert "--of-tomorrow=1" in flags_of(
        **{"engine.args": {"of-tomorrow": 1}, "engine.image": newer}
    )


@pytest.mark.parametrize(
    ("arguments", "found"),
    [({"Max": 1}, '"Max"'), ({"seed": ""}, "seed"), ("text", "text")],
)
def test_what_is_no_flag_is_refused(arguments: object, found: str) -> None:
    with pytest.raises(SettingsError, match=found):
        stack_of("dev", **{"engine.args": arguments})


def test_variables_are_passed_on_but_for_those_of_the_kit() -> None:
    settings = settings_of("dev", **{"engine.env": {"VLLM_USE_V2_MODEL_RUNNER": "1"}})
    assert settings.engine.env == {"VLLM_USE_V2_MODEL_RUNNER": "1"}
    assert {"VLLM_API_KEY", "HF_HUB_OFFLINE", "PYTHONPATH"} <= own_variables(settings)
    refused = settings_of("dev", **{"engine.env": {"HF_HUB_OFFLINE": "0"}})
    [conflict] = serving_conflicts(refused)
    assert (conflict.key, conflict.found) == ("engine.env", "HF_HUB_OFFLINE is set by Breakeven")


@given(st.dictionaries(st.from_regex(r"[a-z][a-z-]{0,9}", fullmatch=True), st.integers(0, 9)))
def test_each_flag_with_a_value_is_one_word(arguments: dict[str, int]) -> None:
    words = list(as_flags({name: str(value) for name, value in arguments.items()}))
    assert len(words) == len(arguments)
    assert all(word.startswith("--") and "=" in word for word in words)


def test_parsers_of_recipes_are_known_to_the_newest_release() -> None:
    newest = releases()[-1]
    recipes = [find_recipe(each) for each in recipe_repositories()]
    unknown = {
        recipe.tool_call_parser
        for recipe in recipes
        if recipe and recipe.tool_call_parser and recipe.tool_call_parser not in newest.tool_parsers
    }
    # It comes as a plugin with the model, which the policy packs would have to waive.
    assert unknown == {"nemotron_json"}


def test_a_version_takes_the_flags_of_the_newest_known_release_before_it() -> None:
    assert release_for((0, 24, 0)).version == (0, 24, 0)
    assert release_for((0, 30, 1)).version == (0, 30, 0)
    assert release_for((0, 18, 0)).version == releases()[0].version
