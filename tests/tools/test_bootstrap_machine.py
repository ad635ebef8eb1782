"""What the bootstrap says on machines that lack something."""

from __future__ import annotations

import ast
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.checkouts import ROOT, Checkout

GO_THAT_WAITS = """
    import os, pathlib, signal, sys, time
    pathlib.Path(os.environ["HOME"], "build.pid").write_text(str(os.getpid()))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(1))
    time.sleep(60)
"""


def test_missing_go_is_named_with_the_version_to_install(checkout: Checkout) -> None:
    checkout.pretend_packages_are_installed()
    answer = checkout.bootstrap("setup")
    assert answer.code == 1
    assert "Go is missing" in answer.errors
    assert "install Go 1.26" in answer.errors
    assert not (checkout.cache / "engine").exists()


def test_go_older_than_the_modules_ask_for_is_named(checkout: Checkout) -> None:
    checkout.pretend_packages_are_installed()
    go = checkout.add_go("go1.20.3")
    answer = checkout.bootstrap("setup")
    assert answer.code == 1
    assert f"{go} is too old" in answer.errors
    assert "go1.20.3" in answer.errors
    assert "Go 1.26" in answer.errors


def test_a_failing_build_shows_the_end_of_its_log(checkout: Checkout) -> None:
    checkout.pretend_packages_are_installed()
    checkout.add_go(build="sys.exit('main.go:1: no space left on device')")
    answer = checkout.bootstrap("setup")
    assert answer.code == 1
    assert "no space left on device" in answer.errors
    assert str(checkout.cache / "logs" / "pulumi.log") in answer.errors
    assert not list(checkout.cache.glob("engine/*/bin/*"))


def _add_cost(checkout: Checkout) -> None:
    """A stand-in for the installed command: it says what it was called with."""
    command = checkout.root / ".venv" / "bin" / "breakeven"
    command.write_text('#!/bin/sh\necho "COST: $*"\n', encoding="utf-8")
    command.chmod(0o755)


def test_the_cost_of_a_stack_is_printed_before_pulumi_is_built(checkout: Checkout) -> None:
    """Without Go, too: the tables need the Python packages alone."""
    checkout.pretend_packages_are_installed()
    _add_cost(checkout)
    answer = checkout.bootstrap("pulumi", "preview", "-s", "dev")
    assert answer.output == "COST: estimate dev\n"
    told = answer.errors
    assert "This is the cost of stack dev" in told
    assert told.index("which is built now") < told.index("Go is missing")


def test_with_json_the_cost_is_not_on_standard_output(checkout: Checkout) -> None:
    checkout.pretend_packages_are_installed()
    _add_cost(checkout)
    answer = checkout.bootstrap("pulumi", "preview", "--json", "-s", "dev")
    assert answer.output == ""
    assert "COST: estimate dev" in answer.errors


@pytest.mark.parametrize(
    "arguments",
    [["up", "-s", "dev"], ["preview"], ["preview", "-s", "nope"], ["stack", "ls"]],
    ids=" ".join,
)
def test_no_cost_is_printed_of_what_is_no_preview_of_a_stack(
    checkout: Checkout, arguments: list[str]
) -> None:
    checkout.pretend_packages_are_installed()
    _add_cost(checkout)
    answer = checkout.bootstrap("pulumi", *arguments)
    assert answer.code == 1
    assert "COST" not in answer.output + answer.errors


def test_a_built_pulumi_prints_the_cost_itself(ready: Checkout) -> None:
    _add_cost(ready)
    answer = ready.bootstrap("pulumi", "preview", "-s", "dev")
    assert answer.code == 0, answer.errors
    assert "COST" not in answer.output + answer.errors


def test_an_official_pulumi_is_used_and_nothing_is_built(ready: Checkout) -> None:
    answer = ready.bootstrap("setup")
    assert answer.code == 0, answer.errors
    assert "3.300.0" in answer.errors
    assert "used as it is" in answer.errors
    assert not (ready.cache / "engine").exists()
    environ = ready.bootstrap("pulumi", "about").report()["environ"]
    assert isinstance(environ, dict)
    assert "PULUMI_HOME" not in environ
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in environ


def test_an_official_pulumi_that_is_replaced_is_asked_again(ready: Checkout) -> None:
    assert "3.300.0" in ready.bootstrap("setup").errors
    ready.add_official_pulumi("v3.301.10")
    assert "3.301.10" in ready.bootstrap("setup").errors


def test_an_old_official_pulumi_is_refused_with_its_version(checkout: Checkout) -> None:
    checkout.pretend_packages_are_installed()
    pulumi = checkout.add_official_pulumi("v3.100.0")
    answer = checkout.bootstrap("setup")
    assert answer.code == 1  # for want of Go
    assert f"not used: {pulumi} is 3.100.0, and 3.254.0 or newer is needed" in answer.errors


def test_a_pulumi_without_language_host_is_refused(checkout: Checkout) -> None:
    checkout.pretend_packages_are_installed()
    pulumi = checkout.add_official_pulumi()
    (checkout.programs / "pulumi-language-python").unlink()
    answer = checkout.bootstrap("setup")
    assert f"not used: {pulumi} has no pulumi-language-python" in answer.errors


def test_an_older_python_is_told_what_to_install() -> None:
    # Stands in for an older interpreter by its version number alone.
    pretend = (
        "import runpy, sys; sys.version_info = (3, 9, 18); "
        "runpy.run_path('tools/bootstrap', run_name='__main__')"
    )
    answer = subprocess.run(
        [sys.executable, "-c", pretend], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert "Python 3.11 or newer" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_entry_point_parses_on_older_pythons() -> None:
    source = (ROOT / "tools" / "bootstrap" / "__main__.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 7))


def test_a_cache_that_cannot_be_written_is_named(checkout: Checkout) -> None:
    blocked = checkout.root / "a-file"
    blocked.write_text("", encoding="utf-8")
    checkout.environ["BREAKEVEN_CACHE"] = str(blocked / "cache")
    answer = checkout.bootstrap("setup")
    assert answer.code == 1
    assert f"{blocked / 'cache'} cannot hold what is built" in answer.errors
    assert "BREAKEVEN_CACHE" in answer.errors


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "terminate"]
)
def test_stopping_a_setup_stops_its_build(
    checkout: Checkout, sent: signal.Signals, code: int
) -> None:
    checkout.pretend_packages_are_installed()
    checkout.add_go(build=GO_THAT_WAITS)
    pid_file = checkout.root.parent / "build.pid"
    with _started(checkout) as setup:
        _wait_for(pid_file)
        setup.send_signal(sent)
        _, errors = setup.communicate(timeout=20)
    assert setup.returncode == code
    assert "Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text(encoding="utf-8")), 0)


def test_a_second_setup_waits_for_the_first(checkout: Checkout) -> None:
    checkout.pretend_packages_are_installed()
    checkout.add_go(build="sys.exit('the build was reached')")
    checkout.cache.mkdir()
    with (checkout.cache / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with _started(checkout) as setup:
            assert setup.stderr is not None
            lines = iter(setup.stderr.readline, "")
            assert any("another setup is building; waiting" in line for line in lines)
            assert setup.poll() is None
            fcntl.flock(lock, fcntl.LOCK_UN)
            _, errors = setup.communicate(timeout=20)
    assert "the build was reached" in errors


@contextlib.contextmanager
def _started(checkout: Checkout) -> Iterator[subprocess.Popen[str]]:
    # Where the tests run in the background, Ctrl-C is ignored, and children would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        setup = subprocess.Popen(
            checkout.command("setup"),
            cwd=checkout.root,
            env=checkout.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with setup:
        yield setup


def _wait_for(file: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if file.read_text(encoding="utf-8"):
                return
        time.sleep(0.02)
    pytest.fail(f"{file} did not appear")
