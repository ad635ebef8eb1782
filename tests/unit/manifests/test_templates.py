"""Templates: values stay in their place, and mistakes have a name."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import TemplateError
from breakeven.manifests.templates import CHARTS, render_manifest, render_template


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("charts")
    templates = {
        "value": "key: {{ value | tojson }}\n",
        "inside": 'key: {{ ("sum(up{" ~ value ~ "})") | tojson }}\nlast: true\n',
        "bare": "key: {{ value }}\n",
        "syntax": "key: {{ value\n",
        "list": "- {{ value | tojson }}\n",
        "broken": "key: [{{ value | tojson }}\n",
        "empty": "# nothing\n",
        "two": "a: {{ value | tojson }}\n---\nb: {{ value | tojson }}\n",
        "nameless": "apiVersion: v1\nkind: Pod\nmetadata: {{ {'a': value} | tojson }}\n",
        "named": "apiVersion: v1\nkind: Pod\nmetadata: {{ value | tojson }}\n",
        "condition": "{% if value == 1 %}a: 1\n{% endif %}",
    }
    for name, text in templates.items():
        (folder / f"{name}.yaml.j2").write_text(text)
    return folder


@given(value=st.text())
def test_no_text_breaks_out_of_its_string(charts: Path, value: str) -> None:
    assert render_template("value.yaml.j2", {"value": value}, charts) == [{"key": value}]


@given(value=st.text())
def test_no_text_breaks_out_of_a_longer_string(charts: Path, value: str) -> None:
    rendered = render_template("inside.yaml.j2", {"value": value}, charts)
    assert rendered == [{"key": f"sum(up{{{value}}})", "last": True}]


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)  # 1e-07 is not a number in YAML 1.1
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=20), inner),
    max_leaves=8,
)


@given(value=_JSON)
def test_plain_values_arrive_as_they_are(charts: Path, value: object) -> None:
    assert render_template("value.yaml.j2", {"value": value}, charts) == [{"key": value}]


def test_a_value_without_the_filter_is_refused(charts: Path) -> None:
    with pytest.raises(TemplateError, match=r"charts/bare.yaml.j2: .* without the filter tojson"):
        render_template("bare.yaml.j2", {"value": "a: b"}, charts)


@pytest.mark.parametrize("template", ["value", "inside", "bare", "condition"])
def test_a_missing_value_is_named(charts: Path, template: str) -> None:
    with pytest.raises(TemplateError, match="'value' is undefined"):
        render_template(f"{template}.yaml.j2", {}, charts)


@pytest.mark.parametrize(
    ("template", "value", "cause"),
    [
        ("syntax", 1, "syntax.yaml.j2: unexpected end of template"),
        ("list", 1, "list.yaml.j2: a document is not a mapping"),
        ("empty", 1, "empty.yaml.j2: a document is not a mapping"),
        ("broken", 1, "broken.yaml.j2: while parsing"),
        ("value", Decimal(1), "value.yaml.j2: .*Decimal"),
        ("value", float("nan"), "value.yaml.j2: .*not JSON compliant"),
        ("absent", 1, "absent.yaml.j2: no such file"),
    ],
)
def test_a_mistake_names_template_and_cause(
    charts: Path, template: str, value: object, cause: str
) -> None:
    with pytest.raises(TemplateError, match=cause):
        render_template(f"{template}.yaml.j2", {"value": value}, charts)


def test_each_document_is_one_dict(charts: Path) -> None:
    assert render_template("two.yaml.j2", {"value": 1}, charts) == [{"a": 1}, {"b": 1}]


@pytest.mark.parametrize("path", sorted(CHARTS.rglob("*.j2")), ids=lambda path: path.name)
def test_every_template_says_what_it_misses(path: Path) -> None:
    with pytest.raises(TemplateError, match="is undefined"):
        render_template(str(path.relative_to(CHARTS)), {})


@pytest.mark.parametrize(
    ("template", "cause"),
    [
        ("two", "two.yaml.j2: found 2 documents. Allowed: one"),
        ("value", "value.yaml.j2: the manifest lacks apiVersion, kind, metadata.name"),
        ("nameless", "nameless.yaml.j2: the manifest lacks metadata.name"),
    ],
)
def test_what_is_not_one_named_resource_is_refused(charts: Path, template: str, cause: str) -> None:
    with pytest.raises(TemplateError, match=cause):
        render_manifest(f"{template}.yaml.j2", {"value": 1}, charts=charts)


def test_the_namespace_is_added_to_the_metadata(charts: Path) -> None:
    values = {"value": {"name": "a"}}
    manifest = render_manifest("named.yaml.j2", values, namespace="llm", charts=charts)
    assert manifest["metadata"] == {"name": "a", "namespace": "llm"}
