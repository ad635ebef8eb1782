"""A bundle of a stack, packed outside and installed inside a sealed network namespace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from bootstrap import cluster as rig_parts
from bootstrap.layout import CACHE_VARIABLE, STATE_VARIABLE, Layout
from breakeven.bundle.origins import program_files
from breakeven.bundle.registry.model_image import model_image, read_model_file
from breakeven.bundle.registry.references import ImageReference
from breakeven.bundle.weights import check_model_folder
from breakeven.settings.files import ROOT
from tests.airgap.sealed import Ran, Sealed, sealed_namespace
from tests.first_time_commands import first_time_commands
from tests.registry.conftest import Registry, free_port, running
from tests.unit.bundle.builders import REVISION, finish_layout, make_image, make_model

STACK = "sealed"


@dataclass(frozen=True)
class Outside:
    """A checkout with a stack of its own on a machine that reaches registries."""

    folder: Path

    @property
    def checkout(self) -> Path:
        """The program."""
        return self.folder / "checkout"

    def breakeven(self, *arguments: str) -> str:
        """Runs the command of the checkout."""
        start = "from breakeven.cli.start import main; main()"
        result = subprocess.run(
            [sys.executable, "-c", start, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.checkout / "components")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        return result.stdout


@dataclass(frozen=True)
class Inside:
    """What the bundle brought, in the sealed namespace."""

    sealed: Sealed
    folder: Path
    home: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """Nothing of this machine's own but its programs."""
        path = [folder for folder in os.defpath.split(os.pathsep) if folder]
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).resolve().parent), *path]),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
        }

    def run(self, command: str, **further: str) -> Ran:
        """Runs a line of shell where the runbook says: in the program's folder, sourced."""
        return self.sealed.run(
            *("sh", "-ec", f". tools/offline/environment.sh; {command}"),
            cwd=self.folder / "program",
            environment={**self.environment, **further},
        )


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    """The namespace."""
    with sealed_namespace(tmp_path_factory.mktemp("traces")) as namespace:
        yield namespace


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry outside, that images come from."""
    with running(tmp_path_factory.mktemp("upstream")) as registry:
        yield registry


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory, sealed: Sealed) -> Iterator[Registry]:
    """The empty registry inside."""
    address = f"127.0.0.1:{free_port()}"
    with running(tmp_path_factory.mktemp("registry"), address, sealed.enter) as started:
        yield started


@pytest.fixture(scope="session")
def outside(
    tmp_path_factory: pytest.TempPathFactory, upstream: Registry, registry: Registry
) -> Outside:
    """A checkout with a stack whose engine's image and model the test makes."""
    folder = tmp_path_factory.mktemp("outside")
    for origin in program_files(ROOT, "air-gapped"):
        target = folder / "checkout" / origin.path.removeprefix("program/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(origin.file, target)
    layout = folder / "made"
    reference = make_image(layout, "vllm-openai", host=upstream.address)
    finish_layout(layout, reference)
    subprocess.run(
        [
            *("oras", "copy", "--no-tty", "--to-plain-http", "--from-oci-layout"),
            f"{layout}@{reference.digest}",
            f"{reference.host}/{reference.path}:v0.24.0",
        ],
        check=True,
        capture_output=True,
    )
    model = make_model(folder)
    stacks = folder / "checkout" / "stacks"
    values = yaml.safe_load((stacks / "Pulumi.air-gapped.yaml").read_text(encoding="utf-8"))
    image = f"{reference.host}/{reference.path}:v0.24.0@{reference.digest}"
    config = values["config"]
    weights = _model_image(model, config["breakeven:model"]["name"])
    config["breakeven:weights"] = {**config["breakeven:weights"], "image": str(weights)}
    del config["breakeven:weights"]["claim"]
    config["breakeven:network"]["registry"] = registry.address
    config["breakeven:engine"] = {**config.get("breakeven:engine", {}), "image": image}
    (stacks / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return Outside(folder)


def _model_image(model: Path, name: str) -> ImageReference:
    files = tuple(read_model_file(path, REVISION) for path in check_model_folder(model, REVISION))
    return model_image(name, REVISION, files).reference


@pytest.fixture(scope="session")
def cluster(
    outside: Outside, sealed: Sealed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The rig in the namespace: a real control plane over simulated nodes; its kubeconfig."""
    state = tmp_path_factory.mktemp("rig")
    environment = {
        **os.environ,
        CACHE_VARIABLE: str(Layout.of(ROOT, os.environ).cache),
        STATE_VARIABLE: str(state),
    }

    def rig(command: str) -> None:
        result = subprocess.run(
            sealed.enter(sys.executable, "tools/rig", command),
            cwd=outside.checkout,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout

    # The API server looks for a default route while it starts, to learn an address to advertise.
    start_with = [
        ["ip", "address", "add", "10.255.255.1/32", "dev", "lo"],
        ["ip", "route", "add", "default", "dev", "lo"],
    ]
    for command in start_with:
        subprocess.run(sealed.enter(*command), check=True)
    rig("start")
    for command in reversed(start_with):
        undone = [word if word != "add" else "del" for word in command]
        subprocess.run(sealed.enter(*undone), check=True)
    try:
        yield state / "rig" / "kubeconfig"
    finally:
        rig("stop")


@pytest.fixture(scope="session")
def inside(outside: Outside, sealed: Sealed, tmp_path_factory: pytest.TempPathFactory) -> Inside:
    """The bundle, verified and unpacked by tools of the operating system, and installed."""
    outside.breakeven("bundle", "keygen", "release")
    # Definitions as their owners publish them: those of the rig, which the stack needs a few of.
    _, definitions = rig_parts.find(Layout.of(ROOT, os.environ))
    what = ("--model", REVISION, "--crds", str(definitions))
    # The model is 40 kB, made here, under the name of one of 141 GB.
    outside.breakeven("bundle", "plan", STACK, *what, "--accept-size")
    packing = ("--sign", "release.key", "--output", "bundle", "--part-size", "256")
    outside.breakeven("bundle", "pack", f"{STACK}.lock.json", *what, *packing)
    folder = tmp_path_factory.mktemp("inside")
    shutil.move(outside.folder / "bundle", folder / "bundle")
    shutil.copy(outside.folder / "release.pub", folder)
    (folder / "home").mkdir()
    installed = Inside(sealed, folder / "installed", folder / "home")
    commands = first_time_commands(folder / "bundle", folder / "release.pub", 1, installed.folder)
    unpacked = sealed.run("sh", "-ec", commands, cwd=folder, environment=installed.environment)
    assert unpacked.code == 0, unpacked.output
    assert unpacked.outside == []
    setup = installed.run("python3 tools/bootstrap setup")
    assert setup.code == 0, setup.output
    assert setup.outside == []
    return installed
