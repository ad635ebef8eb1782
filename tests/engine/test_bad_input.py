"""A mistake in a stack file ends in one message that names the key and the way out.

One of each step that can refuse: settings, memory, prices of nodes, prices of APIs. Unit tests have
all others.
"""

from __future__ import annotations

import pytest

from tests.project_copy import Project

# stack, settings, what the message must say
CASES: dict[str, tuple[str, dict[str, object], tuple[str, ...]]] = {
    "unknown key": ("dev", {"maxReplica": 3}, ("breakeven:maxReplica", "closest: maxReplicas")),
    "a model that does not fit the memory": (
        "dev",
        {"model": "llama-3.3-70b-instruct"},
        ("breakeven:gpu", "does not fit", "Would fit"),
    ),
    "a price that is missing": (
        "dev",
        {"region": "eu-central-1"},
        ("breakeven:instanceTypes", "node/aws/eu-central-1/g6.xlarge/on-demand", "priceOverrides"),
    ),
    "an API model that is unknown": (
        "dev",
        {"apiInUse": "openai/gpt-4.1-minni"},
        ("breakeven:apiInUse", "openai/gpt-4.1-minni", "openai/gpt-4.1-mini"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_one_clear_message(project: Project, case: str) -> None:
    stack, values, expected = CASES[case]
    project.set(stack, **values)

    result = project.preview(stack)

    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert "Traceback" not in output
    for part in expected:
        assert part in output, output
    _, _, diagnostics = output.partition("Diagnostics:")
    assert diagnostics.count("can't be used; nothing was changed") == 1
    assert " kubernetes:" not in output, "nothing was registered"


def test_all_mistakes_of_a_file_are_reported_at_once(project: Project) -> None:
    project.set(
        "aws-prod",
        maxReplica=3,
        minReplicas=9,
        precision="fp7",
        apiInUse="openai/nothing-like-it",
        region="atlantis",
    )
    result = project.preview("aws-prod")

    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert "6 settings of stack aws-prod can't be used" in output
    for key in (
        "maxReplica",
        "minReplicas",
        "precision",
        "apiInUse",
        "instanceTypes",
        "systemInstanceType",
    ):
        assert f"breakeven:{key}: " in output


def test_a_value_of_the_wrong_type_is_refused_by_key(project: Project) -> None:
    project.set("dev", maxReplicas="many")
    result = project.preview("dev")

    assert result.returncode != 0
    assert "maxReplicas" in result.stdout + result.stderr
    assert "integer" in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
