"""A mistake in a stack file ends in one message that names the key and the way out.

Unit tests have every mistake; here is one of each step that checks something: Pulumi's types,
settings, memory, prices of nodes, prices of APIs.
"""

from __future__ import annotations

from tests.project_copy import Project

# Key, value, and what the message must say: one mistake for each step that checks something.
MISTAKES: dict[str, tuple[object, tuple[str, ...]]] = {
    "maxReplica": (3, ("breakeven:maxReplica", "Did you mean 'replicas'?")),
    "replicas.min": (9, ("breakeven:replicas.min",)),
    "model.precision": ("fp7", ("breakeven:model.precision", "fp7")),
    "api.inUse": (
        "openai/gpt-4.1-minni",
        ("breakeven:api.inUse", "openai/gpt-4.1-minni", "openai/gpt-4.1-mini,"),
    ),
    "pricing.region": (
        "atlantis",
        (
            "breakeven:pool.instanceTypes",
            "node/aws/atlantis/g6e.xlarge/on-demand",
            "pricing.overrides",
        ),
    ),
}


def test_all_mistakes_of_a_file_are_one_message_and_nothing_is_registered(
    project: Project,
) -> None:
    project.set("aws-prod", **{key: value for key, (value, _) in MISTAKES.items()})
    output = refused(project, "aws-prod")

    assert "Stack 'aws-prod' has 5 invalid settings" in output
    for _, parts in MISTAKES.values():
        for part in parts:
            assert part in output, output


def test_a_model_that_does_not_fit_the_memory_is_refused_with_a_gpu_that_would_do(
    project: Project,
) -> None:
    project.set("dev", **{"model.name": "llama-3.3-70b-instruct"})
    output = refused(project, "dev")

    for part in ("breakeven:pool.gpu", "does not fit", "Would fit"):
        assert part in output, output


def test_a_slip_in_the_namespace_is_named_with_the_right_key(project: Project) -> None:
    file = project.root / "stacks" / "Pulumi.dev.yaml"
    text = file.read_text(encoding="utf-8").replace("breakeven:pool:", "breakevn:pool:")
    file.write_text(text, encoding="utf-8")
    result = project.preview("dev")
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert "Traceback" not in output
    assert "unknown namespace in breakevn:pool. Did you mean breakeven:pool?" in output


def refused(project: Project, stack: str) -> str:
    """What a preview says that must fail with one message, before it registers anything."""
    result = project.preview(stack)
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert "Traceback" not in output
    _, _, diagnostics = output.partition("Diagnostics:")
    assert diagnostics.count("; nothing was changed.") == 1
    assert " kubernetes:" not in output, "nothing was registered"
    return output


def test_a_value_of_the_wrong_type_is_refused_by_key(project: Project) -> None:
    project.set("dev", **{"replicas.max": "many"})
    result = project.preview("dev")

    assert result.returncode != 0
    assert "breakeven:replicas.max" in result.stdout + result.stderr
    assert "whole number" in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
