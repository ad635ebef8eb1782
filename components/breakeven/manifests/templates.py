"""Renders the templates of charts/ to plain dicts; values cannot break out of their place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, Undefined
from jinja2 import TemplateError as JinjaError
from markupsafe import Markup

from breakeven.errors import TemplateError
from breakeven.manifests.resource import with_namespace
from breakeven.settings.files import ROOT
from breakeven.yaml_documents import documents_in

CHARTS = ROOT / "charts"

# JSON leaves these characters as they are; YAML 1.1 takes them for line breaks or refuses them.
_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def render_template(
    template: str, values: Mapping[str, object], charts: Path = CHARTS
) -> list[dict[str, Any]]:
    """Renders a YAML or JSON template.

    Every value goes through the filter `tojson`; a template that prints one without it is refused,
    so that no value can add a key or a document.

    Args:
        template: Path below the folder of charts, such as "autoscaling/scaled-object.yaml.j2".
        values: What the template may use; a name that is missing is an error.
        charts: Folder of the templates.

    Returns:
        One dict for each document of the rendered file.

    Raises:
        TemplateError: The template is not there, uses what it was not given, or renders to
            something that is not a mapping.
    """
    try:
        text = _environment(charts).get_template(template).render(values)
        documents = documents_in(text)
    except TemplateNotFound as error:
        raise _failure(template, f"no such file in {charts}") from error
    except (JinjaError, yaml.YAMLError, TypeError, ValueError) as error:
        raise _failure(template, str(error)) from error
    if not documents or not all(isinstance(document, dict) for document in documents):
        raise _failure(template, "a document is not a mapping")
    return documents


def render_manifest(
    template: str,
    values: Mapping[str, object],
    *,
    namespace: str | None = None,
    charts: Path = CHARTS,
) -> dict[str, Any]:
    """Renders a template of one Kubernetes resource.

    Args:
        template: As in `render_template`.
        values: As there.
        namespace: Namespace of the resource, for kinds that live in one.
        charts: As in `render_template`.

    Raises:
        TemplateError: As in `render_template`, or the result is not one resource with a name.
    """
    documents = render_template(template, values, charts)
    if len(documents) != 1:
        raise _failure(template, f"found {len(documents)} documents. Allowed: one")
    [manifest] = documents
    missing = [part for part in ("apiVersion", "kind") if not isinstance(manifest.get(part), str)]
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        missing.append("metadata.name")
    if missing:
        raise _failure(template, f"the manifest lacks {', '.join(missing)}")
    return manifest if namespace is None else with_namespace(manifest, namespace)


@cache
def _environment(charts: Path) -> Environment:
    # Autoescaping is for HTML; here `finalize` refuses whatever is not encoded for YAML.
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(charts),
        undefined=StrictUndefined,
        finalize=_encoded,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["tojson"] = _to_json
    return environment


def _to_json(value: object) -> Markup:
    """Encodes a value as JSON that is also YAML; Jinja's own filter encodes for HTML."""
    _raise_if_undefined(value)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return Markup(_NOT_YAML.sub(lambda found: f"\\u{ord(found.group()):04x}", text))  # noqa: S704


def _encoded(value: object) -> object:
    _raise_if_undefined(value)
    if not isinstance(value, Markup):
        msg = f"{value!r} is printed without the filter tojson"
        raise TypeError(msg)
    return value


def _raise_if_undefined(value: object) -> None:
    if isinstance(value, Undefined):
        str(value)  # a strict undefined raises, and names what is missing


def _failure(template: str, cause: str) -> TemplateError:
    return TemplateError(f"charts/{template}: {cause}")
