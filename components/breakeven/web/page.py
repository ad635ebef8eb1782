"""The page itself: one template for the server and for the file."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib import resources
from itertools import groupby

from jinja2 import ChoiceLoader, Environment, PackageLoader
from markupsafe import Markup

from breakeven.reports.page import style, templates
from breakeven.web.controls import Control

SERVED_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the served page may load: its own two files, and answers of its own server."""


def script() -> str:
    """Returns the page's script."""
    return _own("page.js")


def style_sheet() -> str:
    """Returns the page's style sheet: the report's, and its own."""
    return str(style()) + _own("page.css")


def served_page(stack: str, today: date, controls: Sequence[Control]) -> str:
    """Returns the page that asks its server.

    Args:
        stack: Name of the stack.
        today: Day of the prices.
        controls: What can be moved.
    """
    boot = {"own": {control.key: control.value for control in controls}}
    return _page(stack, today, controls, boot, inline=False, fixed="", policy="")


def page_in_a_file(
    stack: str, today: date, controls: Sequence[Control], grid: Mapping[str, object], holds: str
) -> str:
    """Returns the page that holds its answers.

    Args:
        stack: Name of the stack.
        today: Day of the prices.
        controls: The axes of the grid.
        grid: Its axes, points and the texts that points share; see `breakeven.web.grid`.
        holds: What it holds, in words.
    """
    boot = {"own": {control.key: control.value for control in controls}, "grid": grid}
    policy = (
        f"default-src 'none'; script-src '{_hash(script())}'; style-src '{_hash(style_sheet())}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return _page(stack, today, controls, boot, inline=True, fixed=holds, policy=policy)


def _page(  # noqa: PLR0913  # one parameter a variable of the template
    stack: str,
    today: date,
    controls: Sequence[Control],
    boot: Mapping[str, object],
    *,
    inline: bool,
    fixed: str,
    policy: str,
) -> str:
    groups = [(group, list(own)) for group, own in groupby(controls, lambda one: one.group)]
    return (
        _templates()
        .get_template("page.html.j2")
        .render(
            stack=stack,
            today=today.isoformat(),
            groups=groups,
            boot=_embedded(boot),
            inline=inline,
            fixed=fixed,
            policy=policy,
            style=Markup(style_sheet()),  # noqa: S704  # of this package
            script=Markup(script()),  # noqa: S704  # of this package
        )
    )


def _embedded(data: object) -> Markup:
    """Returns JSON that cannot end the element in which it stands."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    escaped = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return Markup(escaped)  # noqa: S704  # no angle bracket is left


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


@cache
def _own(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    shared = templates()
    own = PackageLoader("breakeven.web", ".")
    return shared.overlay(loader=ChoiceLoader([own, *([shared.loader] if shared.loader else [])]))
