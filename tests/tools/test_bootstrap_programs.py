"""Programs that the tests call are built once, from pinned sources, and found by `run`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap import engine, programs
from bootstrap.console import SetupError
from bootstrap.golang import Patch, Program, Workbench, key
from bootstrap.layout import Layout
from tests.tools.checkouts import ROOT, Checkout

NAMES = [program.name for program in programs.PROGRAMS]
STEPS = ["state", "packages", "engine", "language host", "Kubernetes provider"]

GO_THAT_BUILDS = """
    import os
    file = sys.argv[sys.argv.index("-o") + 1]
    with open(file, "w") as program:
        program.write("#!/bin/sh\\necho the pinned one\\n")
    os.chmod(file, 0o755)
"""


@pytest.fixture
def developing(checkout: Checkout) -> Checkout:
    """A checkout with the development packages and an official Pulumi, but no test programs."""
    checkout.pretend_packages_are_installed("dev")
    checkout.add_official_pulumi()
    return checkout


def _setup(checkout: Checkout) -> str:
    answer = checkout.bootstrap("setup", "--dev")
    assert answer.code == 0, answer.errors
    return answer.errors


def _built(checkout: Checkout) -> list[str]:
    return sorted(file.name for file in checkout.cache.glob("programs/*/bin/*"))


def test_setup_for_development_builds_each_program_once(developing: Checkout) -> None:
    developing.add_go(build=GO_THAT_BUILDS)
    errors = _setup(developing)
    for program in programs.PROGRAMS:
        version = program.version(Layout.of(developing.root, {}))
        assert f"{program.name}: building {program.name} v{version} from source (" in errors
    assert _built(developing) == sorted(NAMES)

    developing.add_go(build="sys.exit('nothing is to be built')")
    errors = _setup(developing)
    for folder in developing.cache.glob("programs/*"):
        assert [path.name for path in folder.iterdir()] == ["bin"]
        assert f"up to date in {folder / 'bin'}" in errors


@pytest.mark.parametrize(
    ("options", "names"),
    [([], STEPS), (["--dev"], [*STEPS, *NAMES]), (["--dev", "--packages"], ["packages"])],
    ids=["setup", "dev", "packages"],
)
def test_steps_are_counted(developing: Checkout, options: list[str], names: list[str]) -> None:
    developing.add_go(build=GO_THAT_BUILDS)
    steps = [f"[{number}/{len(names)}] {name}" for number, name in enumerate(names, start=1)]
    for _ in ("building", "up to date"):
        errors = developing.bootstrap("setup", *options).errors
        found = re.findall(r"^(\[.+?):", errors, re.MULTILINE)
        assert list(dict.fromkeys(found)) == steps


def test_without_development_no_program_is_built(developing: Checkout) -> None:
    for command in (["setup"], ["setup", "--dev", "--packages"], ["run", "python", "-c", ""]):
        assert developing.bootstrap(*command).code == 0
    assert not (developing.cache / "programs").exists()


def test_with_an_official_pulumi_go_is_asked_for_by_the_programs(developing: Checkout) -> None:
    answer = developing.bootstrap("setup", "--dev")
    assert answer.code == 1
    assert f"Go is missing, and {NAMES[0]} (for the tests) has to be built" in answer.errors
    assert "install Go 1.26" in answer.errors
    assert "tools/prometheus/go.mod" in answer.errors
    assert "leave --dev out" in answer.errors
    assert not (developing.cache / "programs").exists()


@pytest.mark.parametrize("name", NAMES)
def test_run_prefers_the_pinned_program_to_an_installed_one(
    developing: Checkout, name: str
) -> None:
    developing.add_go(build=GO_THAT_BUILDS)
    developing.add_program(name, "print('the installed one')")
    assert developing.bootstrap("run", name).output == "the installed one\n"
    _setup(developing)
    assert developing.bootstrap("run", name).output == "the pinned one\n"


def test_run_inside_run_does_not_grow_the_path_by_programs(developing: Checkout) -> None:
    developing.add_go(build=GO_THAT_BUILDS)
    _setup(developing)
    script = "import os; print(os.environ['PATH'])"
    once = developing.bootstrap("run", "python", "-c", script).output
    assert once.count("/programs/") == len(NAMES)
    developing.environ["PATH"] = once.strip()
    assert developing.bootstrap("run", "python", "-c", script).output == once


def test_programs_made_elsewhere_work_without_go(developing: Checkout) -> None:
    go = developing.add_go(build=GO_THAT_BUILDS)
    _setup(developing)
    go.unlink()
    assert "up to date in" in _setup(developing)
    assert developing.bootstrap("run", NAMES[0]).output == "the pinned one\n"


@pytest.mark.parametrize("program", programs.PROGRAMS, ids=NAMES)
def test_changed_sources_or_another_go_ask_for_a_new_program(
    developing: Checkout, program: Program
) -> None:
    developing.add_go(build=GO_THAT_BUILDS)
    _setup(developing)
    folder = program.home(Layout.of(developing.root, {}))
    with (folder / "go.sum").open("a", encoding="utf-8") as sums:
        sums.write("\n")
    assert f"building {program.name}" in _setup(developing)
    developing.add_go("go1.99.1", build=GO_THAT_BUILDS)
    assert f"building {program.name}" in _setup(developing)
    assert _built(developing).count(program.name) == 3


def test_a_failed_build_leaves_nothing_that_counts_as_built(developing: Checkout) -> None:
    half_done = f"{GO_THAT_BUILDS}\n    sys.exit('no space left on device')\n"
    developing.add_go(build=half_done)
    answer = developing.bootstrap("setup", "--dev")
    assert answer.code == 1
    assert "no space left on device" in answer.errors
    assert str(developing.cache / "logs" / f"{NAMES[0]}.log") in answer.errors
    assert developing.bootstrap("run", NAMES[0]).code == 1

    developing.add_go(build=GO_THAT_BUILDS)
    _setup(developing)
    assert not list(developing.cache.glob("programs/*unfinished"))
    assert developing.bootstrap("run", NAMES[0]).output == "the pinned one\n"


def test_a_program_that_was_deleted_is_built_again(developing: Checkout) -> None:
    developing.add_go(build=GO_THAT_BUILDS)
    _setup(developing)
    [program] = developing.cache.glob(f"programs/{NAMES[0]}-*/bin/*")
    program.unlink()
    assert f"building {NAMES[0]}" in _setup(developing)
    assert program.is_file()


def test_sources_are_built_in_the_cache_and_not_in_the_checkout(developing: Checkout) -> None:
    before = developing.files()
    developing.add_go(build=f"{GO_THAT_BUILDS}\n    open('go.sum', 'a').write('touched by go')\n")
    _setup(developing)
    after = developing.files()
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("program", [*programs.PROGRAMS, engine.ENGINE], ids=lambda it: it.name)
def test_the_version_is_the_one_that_the_module_folder_pins(program: Program) -> None:
    layout = Layout.of(ROOT, {})
    text = program.sources(layout)[0].read_text(encoding="utf-8")
    assert f"\t{program.module} v{program.version(layout)} " in text
    assert f"tool {program.package}\n" in text


def test_a_version_variable_is_set_when_a_program_has_one(
    developing: Checkout, tmp_path: Path
) -> None:
    go = developing.add_go(build="print(sys.argv)")
    bench = Workbench(Layout.of(developing.root, {}), tmp_path / "src", str(go))
    for program in (programs.PROMTOOL, engine.ENGINE):
        bench.sources(program)
        bench.compile(program, "v1.2.3", tmp_path / "out")
    assert "-X" not in bench.log(programs.PROMTOOL).read_text(encoding="utf-8")
    log = bench.log(engine.ENGINE).read_text(encoding="utf-8")
    assert f"-X {engine.ENGINE.version_variable}=v1.2.3" in log


GO_WITH_A_MODULE = """
    if "download" in sys.argv:
        print()
        print('{{"Dir": "{module}"}}')
    else:
        print(sys.argv)
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module as it lies in Go's cache, where nothing can be written."""
    folder = tmp_path / "module"
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg" / "serve.go").write_text('listen(":80")\nlisten(":81")\n', encoding="utf-8")
    (folder / "pkg").chmod(0o555)
    return folder


def _patched(old: str) -> Program:
    patch = Patch("example.com/module", "pkg/serve.go", old, 'listen("127.0.0.1:81")')
    return replace(programs.PROMTOOL, patches=(patch,))


def test_a_patched_program_is_built_from_a_changed_copy_of_the_module(
    developing: Checkout, tmp_path: Path, module: Path
) -> None:
    go = developing.add_go(build=GO_WITH_A_MODULE.format(module=module))
    bench = Workbench(Layout.of(developing.root, {}), tmp_path / "src", str(go))
    program = _patched('listen(":81")')
    bench.sources(program)
    bench.compile(program, "v1.2.3", tmp_path / "out")
    [copy] = (tmp_path / "src").rglob("serve.go")
    assert copy.read_text(encoding="utf-8") == 'listen(":80")\nlisten("127.0.0.1:81")\n'
    log = bench.log(program).read_text(encoding="utf-8")
    assert f"-replace=example.com/module={copy.parents[1]}" in log
    layout = Layout.of(developing.root, {})
    assert key(layout, [program], "go1") != key(layout, [programs.PROMTOOL], "go1")


@pytest.mark.parametrize("old", ["listen(", "nowhere"])
def test_a_patch_that_does_not_fit_exactly_once_is_refused(
    developing: Checkout, tmp_path: Path, module: Path, old: str
) -> None:
    go = developing.add_go(build=GO_WITH_A_MODULE.format(module=module))
    bench = Workbench(Layout.of(developing.root, {}), tmp_path / "src", str(go))
    program = _patched(old)
    bench.sources(program)
    with pytest.raises(SetupError, match="exactly once"):
        bench.compile(program, "v1.2.3", tmp_path / "out")
