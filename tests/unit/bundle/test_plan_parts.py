"""What a lock is made of: definitions, wheels, origins, licences, and the lock file itself."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.bundle.definitions import definition_files, needed_definitions
from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import sha256_of
from breakeven.bundle.licences import NOT_STATED, model_licence
from breakeven.bundle.lock import parse_lock
from breakeven.bundle.origins import SINGLE, program_files
from breakeven.bundle.plan import require_size, require_tools
from breakeven.bundle.wheels import read_requirements, wheel_files
from breakeven.planning.offline import ledger_of
from breakeven.settings.files import ROOT
from tests.recording import stack_of
from tests.unit.bundle.builders import make_site

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec: {group: monitoring.coreos.com, names: {kind: PodMonitor}}
"""


def test_custom_resources_of_a_stack_are_needed_and_built_in_kinds_are_not() -> None:
    needed = needed_definitions(ledger_of(stack_of("aws-prod")))
    assert "keda.sh/ScaledObject" in needed
    assert "monitoring.coreos.com/PodMonitor" in needed
    assert not [
        name for name in needed if name.startswith(("apps/", "networking.k8s.io/", "core/"))
    ]


def test_the_file_that_defines_a_resource_is_found(tmp_path: Path) -> None:
    (tmp_path / "monitors.yaml").write_text(DEFINITION)
    places, origins = definition_files(["monitoring.coreos.com/PodMonitor"], tmp_path)
    assert places == {"monitoring.coreos.com/PodMonitor": "crds/monitors.yaml"}
    assert [origin.path for origin in origins] == ["crds/monitors.yaml"]


def test_a_resource_that_no_file_defines_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "monitors.yaml").write_text(DEFINITION)
    with pytest.raises(BundleError, match=r"no file defines keda\.sh/ScaledObject"):
        definition_files(["keda.sh/ScaledObject"], tmp_path)


def test_folders_below_and_what_only_kubernetes_reads_as_text_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "operator"
    folder.mkdir()
    (folder / "a.yaml").write_text(
        "kind: CustomResourceDefinition\n"
        "spec: {group: a.b, names: {kind: A}, matchType: {enum: [=, '!=']}}\n"
    )
    places, [origin] = definition_files(["a.b/A"], tmp_path)
    assert places == {"a.b/A": "crds/operator/a.yaml"}
    assert (origin.path, origin.file) == ("crds/operator/a.yaml", folder / "a.yaml")


def test_without_a_folder_the_cluster_has_the_definitions() -> None:
    assert definition_files(["keda.sh/ScaledObject"], None) == ({"keda.sh/ScaledObject": ""}, [])


def wheel(folder: Path, text: str = "1") -> Path:
    path = folder / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thing.py", text)
        for name, said in {
            "METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n",
            "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }.items():
            archive.writestr(f"thing-1.0.dist-info/{name}", said)
    return path


def requirements(folder: Path, digest: str) -> Path:
    path = folder / "requirements.txt"
    path.write_text(
        f"thing==1.0 \\\n    --hash=sha256:{digest} \\\n    --hash=sha256:{'0' * 64}\n"
        "    # via breakeven\n"
        f"other==2.0 ; sys_platform == 'win32' \\\n    --hash=sha256:{'1' * 64}\n"
    )
    return path


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to fetch from."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)


@pytest.mark.usefixtures("no_index")
def test_the_wheel_that_requirements_state_is_taken_and_nobody_asked(tmp_path: Path) -> None:
    digest = sha256_of(wheel(tmp_path))
    [origin] = wheel_files(requirements(tmp_path, digest), tmp_path)
    assert origin.path == "wheels/thing-1.0-py3-none-any.whl"


@pytest.mark.usefixtures("no_index")
def test_another_file_of_the_same_name_is_refused(tmp_path: Path) -> None:
    listed = requirements(tmp_path, sha256_of(wheel(tmp_path)))
    wheel(tmp_path, "malice")
    with pytest.raises(BundleError, match="cannot download its wheels"):
        wheel_files(listed, tmp_path)


@pytest.mark.usefixtures("no_index")
def test_a_missing_wheel_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"cannot download its wheels.*thing==1\.0"):
        wheel_files(requirements(tmp_path, "0" * 64), tmp_path)


def test_what_is_not_the_file_that_requirements_state_is_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside, store = tmp_path / "outside", tmp_path / "store"
    for folder in (outside, store):
        folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(outside))
    digest = sha256_of(wheel(outside))
    wheel(store, "half of it")
    [origin] = wheel_files(requirements(tmp_path, digest), store)
    assert sha256_of(origin.file) == digest


def test_every_package_of_this_program_is_read_with_its_checksums() -> None:
    pinned = {entry.name: entry for entry in read_requirements(ROOT / "requirements.txt")}
    assert pinned["pulumi"].version
    assert all(entry.hashes for entry in pinned.values())
    assert "colorama" not in pinned  # for Windows alone


def test_the_program_goes_with_everything_that_deploys_and_nothing_that_was_built() -> None:
    paths = {origin.path: origin for origin in program_files(ROOT, "air-gapped")}
    for needed in (
        "__main__.py",
        "Pulumi.yaml",
        "components/breakeven/program.py",
        "tools/bootstrap/cli.py",
    ):
        assert f"program/{needed}" in paths
    assert paths["program/policies/cost_budget/run"].executable
    assert not [path for path in paths if "__pycache__" in path or "/." in path]


def test_of_the_stacks_only_the_named_one_goes_with_the_files_it_names(tmp_path: Path) -> None:
    for name in (*SINGLE, "tools/a", "charts/a", "docs/a", "policies/a", "components/a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    stacks = tmp_path / "stacks"
    named = ("waivers/own.yaml", "waivers/kit.yaml", "waivers/other.yaml")
    for name in (*named, "traffic/other.json", "prices/a.csv"):
        (stacks / name).parent.mkdir(parents=True, exist_ok=True)
        (stacks / name).touch()
    (stacks / "Pulumi.own.yaml").write_text("config: {waivers: [waivers/own.yaml]}")
    (stacks / "Pulumi.other.yaml").write_text("private: prices")
    carried = {origin.path for origin in program_files(tmp_path, "own")}
    assert {path for path in carried if "/stacks/" in path} == {
        "program/stacks/Pulumi.own.yaml",
        "program/stacks/waivers/kit.yaml",  # the default
        "program/stacks/waivers/own.yaml",
        "program/stacks/prices/a.csv",
    }


def test_weights_of_another_size_than_the_facts_say_are_refused(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    [weights] = [file for file in site.lock.model.files if file.name.endswith(".safetensors")]
    require_size(site.lock, weights.size)
    require_size(site.lock, round(weights.size * 1.09))
    with pytest.raises(BundleError, match="--accept-size"):
        require_size(site.lock, round(weights.size * 1.2))
    with pytest.raises(BundleError, match="Fetch them again"):
        require_size(site.lock, round(weights.size / 1.2))


def test_everything_missing_for_a_bundle_is_reported_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BundleError) as refused:
        require_tools(tmp_path / "none")
    said = str(refused.value)
    assert all(word in said for word in ("none is not a folder", "pulumi is not", "oras is not"))


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n# Model", "apache-2.0"),
        ("---\nlicense: other\nlicense_name: llama3.3\n---\n", "llama3.3"),
        ("# Model", NOT_STATED),
        ("---\nlicense: [\n---\n", NOT_STATED),
        ("---\nlicense: apache-2.0\n", NOT_STATED),
    ],
)
def test_the_licence_of_a_model_is_what_its_card_states(
    tmp_path: Path, card: str, licence: str
) -> None:
    (tmp_path / "README.md").write_text(card)
    assert model_licence(tmp_path) == licence


def test_a_lock_survives_reading_and_writing(tmp_path: Path) -> None:
    lock = make_site(tmp_path).lock
    assert parse_lock(lock.as_bytes(), "lock.json") == lock


def test_a_manually_changed_lock_is_rejected(tmp_path: Path) -> None:
    lock = make_site(tmp_path).lock
    value = json.loads(lock.as_bytes())
    value["images"][0]["reference"] = "docker.io/library/engine:latest"
    for content in (json.dumps(value).encode(), lock.as_bytes() + b"\n", b"{}", b"", b"[]"):
        with pytest.raises(BundleError, match=r"lock\.json"):
            parse_lock(content, "lock.json")
    assert replace(lock, stack="another").digest != lock.digest
