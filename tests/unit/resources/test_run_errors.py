"""A user's mistake reaches Pulumi as an error that it prints without a traceback."""

from __future__ import annotations

import pulumi
import pytest

from breakeven.errors import UserError
from breakeven.resources.run_errors import user_errors


def test_a_user_error_becomes_a_run_error_with_the_same_message() -> None:
    message = "pool: found this"
    with pytest.raises(pulumi.RunError, match=r"^pool: found this$"), user_errors():
        raise UserError(message)


def test_a_bug_keeps_its_type() -> None:
    with pytest.raises(KeyError), user_errors():
        raise KeyError
