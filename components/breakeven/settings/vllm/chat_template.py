"""Which chat template turns messages into a prompt: the model's, one of vLLM's, or a file."""

from __future__ import annotations

import re
from typing import Annotated

from jinja2 import Environment, TemplateSyntaxError

from breakeven.catalog.model_parsers import known_templates
from breakeven.settings.fields import Form, refuse
from breakeven.settings.files import TEMPLATES
from breakeven.settings.vllm.arguments import AUTO

OF_THE_MODEL = "model"
LARGEST_BYTES = 500_000
"""A ConfigMap holds 1 MiB, and the engine's has other files as well."""

_FILE = r"[A-Za-z0-9][\w.-]{0,120}\.jinja"
_NAME = r"[a-z0-9_.]+"


def _template(text: str) -> str:
    if text in {AUTO, OF_THE_MODEL} or text in known_templates():
        return text
    if re.fullmatch(_FILE, text, re.ASCII) is None:
        raise ValueError(text)
    _check(text)
    return text


def _check(name: str) -> None:
    """Refuses a file that is missing, too large, or no template."""
    try:
        source = read_template(name)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        refuse(f"cannot read stacks/templates/{name}: {why}", "Put the template there")
    if len(source.encode()) > LARGEST_BYTES:
        refuse(f"{name} has {len(source.encode()):,} bytes", f"Allowed: up to {LARGEST_BYTES:,}")
    try:
        # The extension that transformers' own templates use; nothing is run.
        Environment(extensions=["jinja2.ext.loopcontrols"], autoescape=True).parse(
            source.replace("{% generation %}", "").replace("{% endgeneration %}", "")
        )
    except TemplateSyntaxError as error:
        refuse(f"{name}, line {error.lineno}: {error.message}", "Allowed: a Jinja template")


def read_template(name: str) -> str:
    """Returns the text of a template of the user's own.

    Raises:
        OSError: It cannot be read.
        UnicodeDecodeError: It is not UTF-8.
    """
    return (TEMPLATES / name).read_text(encoding="utf-8")


def is_file(name: str) -> bool:
    """Tells whether a template is a file of the user's own."""
    return name.endswith(".jinja")


ChatTemplate = Annotated[
    str,
    Form(
        _template,
        allowed="auto, model, the name of a file NAME.jinja in stacks/templates/, or a template of "
        "vLLM's that the catalog names",
        pattern=f"{_NAME}|{_FILE}",
    ),
]
