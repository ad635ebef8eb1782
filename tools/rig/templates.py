"""What every cluster here has before a stack comes, from the templates in `manifests`."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import yaml

from rig.settings import Plan

_MANIFESTS = Path(__file__).parent / "manifests"


def render(plan: Plan, names: str = "*", folder: Path = _MANIFESTS) -> Iterator[dict[str, Any]]:
    """Yield objects for the cluster.

    Args:
        plan: Its ports and certificates.
        names: Which files, without their ending.
        folder: Where they lie.
    """
    ca_bundle = base64.b64encode((plan.folder.certificates / "ca.crt").read_bytes()).decode()
    for file in sorted(folder.glob(f"{names}.yaml")):
        text = fill(
            file,
            adapter_port=plan.ports["adapter"],
            webhooks=plan.address("lws-webhook", "https"),
            ca_bundle=ca_bundle,
        )
        yield from yaml.safe_load_all(text)


def fill(file: Path, **values: object) -> str:
    """Return the text of a template with its values put in."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(file.parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  # no HTML: YAML and such, with values written as JSON
        keep_trailing_newline=True,
    )
    return environment.get_template(file.name).render(values)
