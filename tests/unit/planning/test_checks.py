"""What a deployment needs and an estimate does not."""

from __future__ import annotations

import re

import pytest

from breakeven.errors import SettingsError
from breakeven.planning.checks import require_deployable
from breakeven.settings.parse import parse

UNPINNED = "llama-3.1-70b-instruct-fp8"
"""A preset of whose repository no commit is known."""

COMMIT = "0123456789abcdef" * 2 + "01234567"


def test_only_a_deployment_requires_a_commit() -> None:
    stack, problems = parse({"model": {"name": UNPINNED}})
    repository = re.escape(stack.models[0].model.repository)
    assert problems == ()
    with pytest.raises(SettingsError, match=f"no commit of {repository} is known"):
        require_deployable("chat", stack)


def test_a_commit_that_is_stated_or_that_the_preset_knows_is_deployed() -> None:
    stated, _ = parse({"model": {"name": "deepseek-v3.2", "revision": COMMIT}})
    require_deployable("chat", stated)
    assert stated.models[0].model.revision == COMMIT
    pinned, _ = parse({"model": {"name": "llama-3.1-8b-instruct"}})
    require_deployable("chat", pinned)
    assert pinned.models[0].model.repository == "meta-llama/Llama-3.1-8B-Instruct"


def test_the_commit_of_a_preset_is_not_that_of_another_repository() -> None:
    model = {"name": "llama-3.1-8b-instruct", "repository": "someone/Llama-3.1-8B"}
    with pytest.raises(SettingsError, match="no commit of someone/Llama"):
        require_deployable("chat", parse({"model": model})[0])
