"""`breakeven render` writes the same manifests that are priced, and touches no other file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from breakeven.manifests.render import render
from breakeven.manifests.resource import Resource
from breakeven.planning.offline import priced_manifests
from breakeven.policy.loading import read_manifests
from tests.pools import CLUSTER_API
from tests.recording import stack_of
from tests.unit.cli.running import Run, exit_code

STACK = "dev"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    return lambda *arguments: exit_code(monkeypatch, *arguments)


@pytest.fixture
def no_estimate(monkeypatch: pytest.MonkeyPatch) -> list[Resource]:
    """What is rendered: as short as a test wants it."""
    resources = [_config("one"), _config("two")]
    monkeypatch.setattr("breakeven.cli.render.priced_manifests", lambda *_: tuple(resources))
    return resources


def _config(name: str, context: str = "") -> Resource:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{name}-a1b2"}}
    return Resource(name=name, manifest=manifest, context=context)


def _texts(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("stack", ["dev", "hybrid"])
def test_the_folder_holds_the_priced_manifests_one_in_each_file(
    stack: str, run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "deploy" / stack
    assert run("render", stack, "--output", str(folder)) == 0
    expected = priced_manifests(stack, datetime.now(tz=UTC).date())
    assert {path.name for path in folder.iterdir()} == {
        f"{each.kind.lower()}-{each.name}.yaml" for each in expected
    }
    found = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(folder.iterdir())]
    assert sorted(map(str, found)) == sorted(str(_as_read(each)) for each in expected)
    # What `breakeven check` reads is the same.
    assert len(read_manifests(folder)) == len(expected)


def _as_read(resource: Resource) -> object:
    return yaml.safe_load(yaml.safe_dump(resource.manifest))


def test_without_a_folder_the_same_manifests_are_one_stream_with_the_namespace_first(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("render", STACK) == 0
    documents = list(yaml.safe_load_all(capsys.readouterr().out))
    assert documents[0]["kind"] == "Namespace"
    expected = priced_manifests(STACK, datetime.now(tz=UTC).date())
    assert sorted(map(str, documents)) == sorted(str(_as_read(each)) for each in expected)


def test_the_output_is_the_same_each_time(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("render", STACK) == 0
    first = capsys.readouterr().out
    assert run("render", STACK) == 0
    assert capsys.readouterr().out == first


def test_secrets_are_referred_to_and_never_written(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("render", "hybrid") == 0
    documents = list(yaml.safe_load_all(capsys.readouterr().out))
    assert not [each for each in documents if each["kind"] == "Secret"]
    [gateway] = [
        each
        for each in documents
        if each["kind"] == "Deployment" and each["metadata"]["name"] == "gateway"
    ]
    [container] = gateway["spec"]["template"]["spec"]["containers"]
    secret = [each for each in container["env"] if "KEY" in each["name"] or "PASS" in each["name"]]
    assert secret
    assert all("secretKeyRef" in each["valueFrom"] for each in secret)


def test_a_second_render_removes_its_own_stale_files_and_no_others(
    no_estimate: list[Resource], run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: []\n", "utf-8")
    (tmp_path / "mine.yaml").write_text("kind: Mine\n", "utf-8")
    assert run("render", STACK, "--output", str(tmp_path)) == 0
    assert run("render", "hybrid", "--output", str(tmp_path / "other")) == 0
    del no_estimate[0]
    capsys.readouterr()
    assert run("render", STACK, "--output", str(tmp_path)) == 0
    assert "removed configmap-one.yaml" in capsys.readouterr().out
    assert set(_texts(tmp_path)) == {
        "configmap-two.yaml",
        "kustomization.yaml",
        "mine.yaml",
        "other/configmap-one.yaml",
        "other/configmap-two.yaml",
    }


def test_files_of_another_stack_in_the_same_folder_stay(
    no_estimate: list[Resource], run: Run, tmp_path: Path
) -> None:
    assert run("render", "hybrid", "--output", str(tmp_path)) == 0
    no_estimate[:] = [_config("three")]
    assert run("render", STACK, "--output", str(tmp_path)) == 0
    assert len(_texts(tmp_path)) == 3


@pytest.mark.usefixtures("no_estimate")
def test_a_link_is_not_removed(run: Run, tmp_path: Path) -> None:
    assert run("render", STACK, "--output", str(tmp_path)) == 0
    link = tmp_path / "link.yaml"
    link.symlink_to(tmp_path / "configmap-one.yaml")
    assert run("render", STACK, "--output", str(tmp_path)) == 0
    assert link.is_symlink()


def test_each_cluster_has_a_folder_if_there_are_two(
    no_estimate: list[Resource], run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    no_estimate[0] = _config("one", context="fleet")
    assert run("render", STACK, "--output", str(tmp_path)) == 0
    found = _texts(tmp_path)
    assert set(found) == {"management/configmap-one.yaml", "workload/configmap-two.yaml"}
    comment = "# For the management cluster: kubeconfig context fleet\n"
    assert comment in found["management/configmap-one.yaml"]
    assert comment not in found["workload/configmap-two.yaml"]
    capsys.readouterr()
    assert run("render", STACK) == 0
    assert comment in capsys.readouterr().out


def test_machines_of_cluster_api_go_to_their_management_cluster() -> None:
    contexts = {
        resource.kind: resource.context for resource in render(stack_of("on-prem", **CLUSTER_API))
    }
    assert contexts["MachineDeployment"] == CLUSTER_API["pool.clusterApi.context"]
    assert set(contexts.values()) == {"", CLUSTER_API["pool.clusterApi.context"]}


@pytest.mark.usefixtures("no_estimate")
def test_a_folder_that_cannot_be_created_is_reported(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("here", "utf-8")
    assert run("render", STACK, "--output", str(file)) == 1
    assert f"cannot create {file}: File exists. Name another folder" in capsys.readouterr().err
    assert file.read_text("utf-8") == "here"


def test_an_unknown_stack_is_reported(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("render", "nope") == 1
    assert "nope" in capsys.readouterr().err
