"""Many cases of one statement as one test, which names every case that fails."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import pytest

_Test = Callable[..., None]


def each(names: str, cases: Iterable[Any]) -> Callable[[_Test], _Test]:
    """Makes a test loop over its cases and fail once, with a message that names those that fail.

    It is used like `pytest.mark.parametrize`, for cases that come from one file or table. The
    cases share the test's fixtures.

    Args:
        names: Names of the arguments, separated by commas.
        cases: The value of each case; a tuple of values where there are several names.
    """
    arguments = [name.strip() for name in names.split(",")]
    known = [
        dict(zip(arguments, [case] if len(arguments) == 1 else case, strict=True)) for case in cases
    ]
    assert known, "no cases"

    def decorate(test: _Test) -> _Test:
        @wraps(test)
        def loop(*fixed: Any, **fixtures: Any) -> None:
            failures = []
            for case in known:
                try:
                    test(*fixed, **case, **fixtures)
                except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  # all are reported
                    failures.append(_failure(case, error))
            if failures:
                head = f"{len(failures)} of {len(known)} cases fail"
                pytest.fail("\n\n".join([head, *failures]), pytrace=False)

        signature = inspect.signature(test)
        fixtures = [one for name, one in signature.parameters.items() if name not in arguments]
        loop.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
        return loop

    return decorate


def _failure(case: dict[str, Any], error: BaseException) -> str:
    name = ", ".join(f"{argument}={str(value)[:120]}" for argument, value in case.items())
    # The first frame is the loop's, the next one the test's.
    traceback = error.__traceback__ and error.__traceback__.tb_next
    line = f", line {traceback.tb_lineno}" if traceback else ""
    return f"{name}{line}: {type(error).__name__}: {error}"
