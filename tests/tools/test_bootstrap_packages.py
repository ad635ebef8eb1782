"""What is installed once stays, and what it was made from decides when it is redone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bootstrap import engine
from bootstrap.layout import Layout
from tests.tools.checkouts import ROOT, Checkout

UP_TO_DATE = "packages: up to date"
INSTALLING = "packages: installing the {} packages"


def test_packages_are_installed_once_and_dev_ones_stay(checkout: Checkout) -> None:
    first = checkout.bootstrap("setup", "--dev", "--packages")
    assert first.code == 0, first.errors
    assert INSTALLING.format("dev") in first.errors
    for again in (["--dev"], []):
        assert UP_TO_DATE in checkout.bootstrap("setup", "--packages", *again).errors

    (checkout.root / "requirements-dev.txt").write_text("# changed\n", encoding="utf-8")
    assert INSTALLING.format("dev") in checkout.bootstrap("setup", "--packages").errors
    assert UP_TO_DATE in checkout.bootstrap("setup", "--packages").errors

    (checkout.root / ".venv" / "bin" / "python").unlink()
    assert INSTALLING.format("dev") in checkout.bootstrap("setup", "--packages").errors
    assert (checkout.root / ".venv" / "bin" / "python").exists()


def test_an_unfinished_environment_is_repaired(checkout: Checkout) -> None:
    (checkout.root / ".venv" / "lib").mkdir(parents=True)
    answer = checkout.bootstrap("setup", "--packages")
    assert answer.code == 0, answer.errors
    assert INSTALLING.format("runtime") in answer.errors
    assert (checkout.root / ".venv" / "bin" / "pip").exists()


def test_another_python_makes_the_environment_again(checkout: Checkout) -> None:
    checkout.pretend_packages_are_installed()
    stamp = checkout.root / ".venv" / "breakeven.json"
    made = json.loads(stamp.read_text(encoding="utf-8"))
    stamp.write_text(json.dumps({**made, "python": "3.2"}), encoding="utf-8")
    answer = checkout.bootstrap("setup", "--packages")
    assert answer.code == 0, answer.errors
    assert INSTALLING.format("runtime") in answer.errors
    assert json.loads(stamp.read_text(encoding="utf-8")) == made


def test_a_package_without_a_hash_is_not_installed(checkout: Checkout) -> None:
    (checkout.root / "requirements.txt").write_text("unpinned-package\n", encoding="utf-8")
    answer = checkout.bootstrap("setup", "--packages")
    assert answer.code == 1
    assert "--require-hashes" in answer.errors
    assert not (checkout.root / ".venv" / "breakeven.json").exists()


def test_a_missing_requirements_file_is_named(checkout: Checkout) -> None:
    file = checkout.root / "requirements.txt"
    file.unlink()
    answer = checkout.bootstrap("setup", "--packages")
    assert answer.code == 1
    assert f"{file} is missing" in answer.errors


def _pretend_engine_is_built(checkout: Checkout, go_version: str) -> Path:
    """Leave a finished engine (stand-ins for its programs) for the checkout's sources."""
    layout = Layout.of(checkout.root, {})
    folder = checkout.cache / "engine" / engine._key(layout, go_version)
    (folder / "bin").mkdir(parents=True)
    programs = checkout.programs
    checkout.add_official_pulumi()
    (programs / "pulumi").rename(folder / "bin" / "pulumi")
    (programs / "pulumi-language-python").rename(folder / "bin" / "pulumi-language-python")
    (folder / engine.COMPLETE).write_text("{}", encoding="utf-8")
    return folder


def test_a_built_engine_is_used_with_a_home_of_its_own(checkout: Checkout) -> None:
    checkout.pretend_packages_are_installed()
    checkout.add_go("go1.99.0", build="sys.exit('nothing is to be built')")
    folder = _pretend_engine_is_built(checkout, "go1.99.0")
    environ = checkout.bootstrap("pulumi", "about").report()["environ"]
    assert isinstance(environ, dict)
    assert environ["PULUMI_HOME"] == str(folder / "home")
    assert environ["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert str(folder / "bin") in environ["PATH"].split(":")


def test_a_built_engine_on_path_is_not_taken_for_an_official_one(checkout: Checkout) -> None:
    checkout.pretend_packages_are_installed()
    folder = _pretend_engine_is_built(checkout, "go1.99.0")
    checkout.environ["PATH"] = f"{folder / 'bin'}:{checkout.programs}"
    environ = checkout.bootstrap("pulumi", "about").report()["environ"]
    assert isinstance(environ, dict)
    assert environ["PULUMI_HOME"] == str(folder / "home")


def test_a_cache_made_elsewhere_works_without_go(checkout: Checkout) -> None:
    checkout.pretend_packages_are_installed()
    _pretend_engine_is_built(checkout, "go1.42.0")
    assert checkout.bootstrap("pulumi", "about").code == 0


@pytest.mark.parametrize("program", [program.name for program in engine.PROGRAMS])
def test_a_changed_checksum_file_asks_for_a_new_build(checkout: Checkout, program: str) -> None:
    checkout.pretend_packages_are_installed()
    checkout.add_go("go1.99.0", build="sys.exit('built again')")
    _pretend_engine_is_built(checkout, "go1.99.0")
    assert checkout.bootstrap("pulumi", "about").code == 0
    with (checkout.root / "tools" / program / "go.sum").open("a", encoding="utf-8") as sums:
        sums.write("\n")
    assert "built again" in checkout.bootstrap("pulumi", "about").errors


def test_another_go_asks_for_a_new_build(checkout: Checkout) -> None:
    checkout.pretend_packages_are_installed()
    checkout.add_go("go1.99.1", build="sys.exit('built again')")
    _pretend_engine_is_built(checkout, "go1.99.0")
    assert "built again" in checkout.bootstrap("pulumi", "about").errors


def test_an_engine_without_its_last_mark_is_not_used(checkout: Checkout) -> None:
    checkout.pretend_packages_are_installed()
    checkout.add_go("go1.99.0", build="sys.exit('build goes on')")
    folder = _pretend_engine_is_built(checkout, "go1.99.0")
    (folder / engine.COMPLETE).unlink()
    answer = checkout.bootstrap("pulumi", "about")
    assert "build goes on" in answer.errors
    assert "building pulumi " not in answer.errors  # it was there already


def test_provider_and_python_package_have_one_version() -> None:
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert f"pulumi-kubernetes=={engine.PROVIDER_VERSION} " in pins
