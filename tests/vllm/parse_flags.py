# ruff: noqa: T201  # prints its answer: a script that vLLM's own Python runs, not a package
"""Lets vLLM's own parser read command lines of `vllm serve`, without starting anything.

Run by vLLM's own Python. Standard input has a JSON list of lists of words, without `vllm serve`;
prints a list of what is wrong with each: empty if nothing.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys

from vllm.entrypoints.cli.serve import ServeSubcommand  # type: ignore[import-not-found]  # in
from vllm.utils.argparse_utils import (  # type: ignore[import-not-found]  # vLLM's environment
    FlexibleArgumentParser,
)

COMMAND = ServeSubcommand()
PARSER = FlexibleArgumentParser()
COMMAND.subparser_init(PARSER.add_subparsers())


def problem(words: list[str]) -> str:
    """Returns what the parser says against a command line; empty if nothing."""
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            COMMAND.validate(PARSER.parse_args([COMMAND.name, *words]))
    except (SystemExit, Exception) as error:  # noqa: BLE001  # whatever it raises is the answer
        return f"{type(error).__name__}: {error}; {errors.getvalue()[-300:]}"
    return ""


print(json.dumps([problem(words) for words in json.load(sys.stdin)]))
