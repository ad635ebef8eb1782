"""Stack files are read as the engine reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from breakeven.errors import StackFileError
from breakeven.settings.files import ROOT, own_values, stack_names, stack_values, with_settings
from tests.each import each

DECLARED: dict[str, dict[str, Any]] = yaml.safe_load(
    (ROOT / "Pulumi.yaml").read_text(encoding="utf-8")
)["config"]

_KINDS = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}


def project(root: Path, **stacks: str) -> Path:
    """Writes a project with three settings and the given stack files."""
    (root / "stacks").mkdir()
    (root / "Pulumi.yaml").write_text(
        "name: breakeven\n"
        "config:\n"
        "  zone: {type: string, default: here}\n"
        "  count: {type: integer, default: 3}\n"
        "  names: {type: array, default: [a, b]}\n",
        encoding="utf-8",
    )
    for name, text in stacks.items():
        (root / "stacks" / f"Pulumi.{name}.yaml").write_text(text, encoding="utf-8")
    return root


@each("key", DECLARED)
def test_every_setting_has_a_default_of_its_type_and_a_description(key: str) -> None:
    entry = DECLARED[key]
    assert type(entry["default"]) is _KINDS[entry["type"]]
    assert entry["description"].strip()


def test_the_values_of_a_stack_are_its_own(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        dev="config:\n"
        "  breakeven:zone: there\n"
        "  breakeven:count: 4\n"
        "  breakeven:rate: 1.5\n"
        "  breakeven:flag: false\n"
        "  breakeven:names: [c]\n"
        "  breakeven:labels: {gpu: 'true'}\n"
        "  kubernetes:context: other\n"
        "  breakevenish:zone: other\n",
    )
    assert stack_values("dev", root) == {
        "zone": "there",
        "count": 4,
        "rate": 1.5,
        "flag": False,
        "names": ["c"],
        "labels": {"gpu": "true"},
    }


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "config:\n", "config: {}\n", "encryptionsalt: v1:abc\n"]
)
def test_a_stack_file_that_states_nothing_has_no_values(tmp_path: Path, text: str) -> None:
    assert stack_values("dev", project(tmp_path, dev=text)) == {}


def test_a_key_without_prefix_is_the_project_s_own_as_the_engine_has_it(tmp_path: Path) -> None:
    root = project(tmp_path, dev="config:\n  zone: there\n  count: 4\n")
    assert stack_values("dev", root) == {"zone": "there", "count": 4}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a list\n", "the file holds no settings by key"),
        ("text\n", "the file holds no settings by key"),
        ("config: [a]\n", "config holds no settings by key"),
        ("config: {1: a}\n", "config holds no settings by key"),
        ("config: {zone: 2024-01-01}\n", "zone: found the date 2024-01-01. Put it in quotes"),
        ("config: {labels: {since: 2024-01-01}}\n", "labels: found the date 2024-01-01. Put it"),
        ("config: {labels: {2024-01-01: a}}\n", "labels: found the date 2024-01-01. Put it"),
        ("config: {names: [a, [2024-01-01]]}\n", "names: found the date 2024-01-01. Put it"),
        ("config: {names: [{a: 2024-01-01 10:00:00}]}\n", "names: found the date 2024-01-01 10"),
        ("config: {names: [!!binary aGk=]}\n", "names: found b'hi'. Allowed: text"),
        ("config: {zone: 2024-13-01}\n", "invalid YAML"),
        ("config: {zone: [}\n", "invalid YAML"),
    ],
)
def test_a_file_of_another_shape_is_reported_by_name(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(StackFileError, match=re.escape(says)) as raised:
        stack_values("dev", project(tmp_path, dev=text))
    assert str(raised.value).startswith("Pulumi.dev.yaml: ")


def test_a_file_that_is_not_text_is_reported_by_name(tmp_path: Path) -> None:
    root = project(tmp_path, dev="")
    (root / "stacks" / "Pulumi.dev.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(StackFileError, match=r"Pulumi\.dev\.yaml: invalid YAML"):
        stack_values("dev", root)


def test_a_stack_without_a_file_names_the_missing_file(tmp_path: Path) -> None:
    root = project(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"Pulumi\.nowhere\.yaml"):
        stack_values("nowhere", root)


def test_stacks_are_listed_by_name_even_with_a_dot_in_it(tmp_path: Path) -> None:
    root = project(tmp_path, prod="", dev="", **{"eu.prod": ""})
    (root / "stacks" / "notes.yaml").write_text("", encoding="utf-8")
    assert stack_names(root) == ("dev", "eu.prod", "prod")
    for name in stack_names(root):
        assert stack_values(name, root) == {}


@pytest.mark.parametrize("stack", stack_names())
def test_every_stack_file_states_declared_settings_only(
    stack: str,
) -> None:
    values = stack_values(stack)
    assert values
    assert set(values) <= set(DECLARED)


@pytest.mark.parametrize("stack", stack_names())
def test_every_value_of_a_stack_file_has_the_declared_type(stack: str) -> None:
    path = ROOT / "stacks" / f"Pulumi.{stack}.yaml"
    for key, value in yaml.safe_load(path.read_text(encoding="utf-8"))["config"].items():
        declared = DECLARED[key.removeprefix("breakeven:")]
        assert type(value) is _KINDS[declared["type"]], key


def test_settings_of_others_are_left_out_and_the_prefix_is_stripped() -> None:
    config = {"breakeven:a": "1", "kubernetes:b": "2", "a": "3", "breakeven:c:d": "4"}
    assert own_values(config, "Pulumi.dev.yaml") == {"a": "1", "c:d": "4"}


def test_every_namespace_with_a_slip_is_named_with_the_right_key() -> None:
    config = {"breakevn:pool": "{}", "Breakeven:api": "{}", "kubernetes:context": "a"}
    with pytest.raises(StackFileError) as caught:
        own_values(config, "Pulumi.dev.yaml")
    assert str(caught.value) == (
        "Pulumi.dev.yaml: unknown namespace in breakevn:pool, Breakeven:api. "
        "Did you mean breakeven:pool, breakeven:api?"
    )


def test_settings_are_changed_by_their_dotted_key() -> None:
    values = {"pool": {"gpu": "l4", "karpenter": {"nodeRole": "a"}}, "models": [{}, {}]}
    changes = {"pool.karpenter.nodeRole": "b", "pool.gpu": None, "models[1].replicas.max": 2}
    assert with_settings(values, changes) == {
        "pool": {"karpenter": {"nodeRole": "b"}},
        "models": [{}, {"replicas": {"max": 2}}],
    }
    assert values["pool"] == {"gpu": "l4", "karpenter": {"nodeRole": "a"}}


@each("namespace", ["breakevn", "brekeven", "break-even", "breakevens", "Breakeven"])
def test_a_slip_in_the_namespace_is_named(tmp_path: Path, namespace: str) -> None:
    (tmp_path / namespace).mkdir()
    root = project(tmp_path / namespace, dev=f"config:\n  {namespace}:zone: there\n")
    with pytest.raises(StackFileError, match=f"{namespace}:zone. Did you mean breakeven:zone"):
        stack_values("dev", root)


def test_namespaces_of_providers_are_not_taken_for_slips(tmp_path: Path) -> None:
    names = ("aws", "azure-native", "gcp", "kubernetes", "pulumi", "random", "break", "evening")
    root = project(tmp_path, dev="config:\n" + "".join(f"  {name}:a: b\n" for name in names))
    assert stack_values("dev", root) == {}


@each(
    "text, key",
    [
        ("config:\n  breakeven:zone: a\n  breakeven:zone: b\n", "breakeven:zone"),
        ("config:\n  breakeven:pool: {gpu: l4, gpu: h100}\n", "gpu"),
        ("config: {}\nconfig: {}\n", "config"),
    ],
)
def test_a_key_that_is_there_twice_is_refused_as_the_engine_does(
    tmp_path_factory: pytest.TempPathFactory, text: str, key: str
) -> None:
    root = project(tmp_path_factory.mktemp("twice"), dev=text)
    with pytest.raises(StackFileError, match=f"{key} appears twice.*line"):
        stack_values("dev", root)


def test_anchors_and_merged_mappings_are_no_duplicates(tmp_path: Path) -> None:
    text = "config:\n  breakeven:a: &x {b: 1}\n  breakeven:c: {<<: *x, b: 2}\n"
    assert stack_values("dev", project(tmp_path, dev=text))["c"] == {"b": 2}


def test_a_folder_in_the_place_of_a_stack_file_is_one_message(tmp_path: Path) -> None:
    root = project(tmp_path)
    (root / "stacks" / "Pulumi.dev.yaml").mkdir()
    with pytest.raises(StackFileError, match="is a folder"):
        stack_values("dev", root)
