"""The local state: made with a secret of its own, and never written over when it is damaged."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.tools.checkouts import Checkout


def test_the_passphrase_is_secret_and_is_kept(ready: Checkout) -> None:
    assert ready.bootstrap("setup").code == 0
    passphrase = ready.state / "passphrase"
    assert stat.S_IMODE(passphrase.stat().st_mode) == 0o600
    assert stat.S_IMODE(ready.state.stat().st_mode) == 0o700
    first = passphrase.read_text(encoding="utf-8")
    assert len(first) >= 43
    assert ready.bootstrap("setup").code == 0
    assert passphrase.read_text(encoding="utf-8") == first


def test_two_checkouts_have_different_passphrases(ready: Checkout, odd_ready: Checkout) -> None:
    for checkout in (ready, odd_ready):
        assert checkout.bootstrap("setup").code == 0
    one, other = (c.state / "passphrase" for c in (ready, odd_ready))
    assert one.read_text(encoding="utf-8") != other.read_text(encoding="utf-8")


def test_a_file_in_place_of_the_state_folder_is_named(ready: Checkout) -> None:
    ready.state.write_text("not a folder", encoding="utf-8")
    _assert_refused(ready, f"{ready.state} cannot hold Pulumi's state", "a file of 12 bytes")


def test_a_state_folder_below_a_file_is_named(ready: Checkout) -> None:
    ready.environ["BREAKEVEN_STATE"] = str(ready.stack_file / "state")
    _assert_refused(ready, f"{ready.stack_file / 'state'} cannot hold", "export BREAKEVEN_STATE=")


def test_a_broken_link_in_place_of_the_state_folder_is_named(ready: Checkout) -> None:
    ready.state.symlink_to(ready.root / "gone")
    _assert_refused(ready, f"{ready.state} cannot hold", str(ready.root / "gone"))


def test_a_truncated_stack_is_named_with_its_way_out(ready: Checkout) -> None:
    stack = ready.add_stack_state('{"version": 3, "checkpoint": {"stack": "dev"')
    (ready.state / "passphrase").write_text("kept", encoding="utf-8")
    _assert_refused(ready, f"{stack} is not a stack", "44 characters", f"rm {stack}")


def test_a_truncated_stack_with_a_good_copy_is_told_to_put_it_back(ready: Checkout) -> None:
    stack = ready.add_stack_state("")
    (ready.state / "passphrase").write_text("kept", encoding="utf-8")
    backup = stack.with_name("dev.json.bak")
    backup.write_text("{}", encoding="utf-8")
    _assert_refused(ready, f"cp {backup} {stack}")


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "missing"])
def test_stacks_without_their_passphrase_are_not_given_a_new_one(
    ready: Checkout, *, empty: bool
) -> None:
    ready.add_stack_state()
    passphrase = ready.state / "passphrase"
    if empty:
        passphrase.write_text("", encoding="utf-8")
    _assert_refused(ready, str(passphrase), "an empty file" if empty else "no file", "stacks dev")


def test_an_empty_passphrase_without_stacks_is_replaced(ready: Checkout) -> None:
    ready.state.mkdir()
    (ready.state / "passphrase").write_text("", encoding="utf-8")
    assert ready.bootstrap("setup").code == 0
    assert (ready.state / "passphrase").read_text(encoding="utf-8")


def test_a_backend_of_the_users_own_is_left_alone(ready: Checkout) -> None:
    ready.environ["PULUMI_BACKEND_URL"] = "s3://the-team"
    report = ready.bootstrap("pulumi", "preview", "-s", "dev").report()
    assert report["arguments"] == ["preview", "-s", "dev"]
    environ = report["environ"]
    assert isinstance(environ, dict)
    assert environ["PULUMI_BACKEND_URL"] == "s3://the-team"
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in environ
    assert not ready.state.exists()


def test_a_passphrase_of_the_users_own_is_left_alone(ready: Checkout) -> None:
    ready.add_stack_state()
    ready.environ["PULUMI_CONFIG_PASSPHRASE"] = "of the user"
    environ = ready.bootstrap("pulumi", "about").report()["environ"]
    assert isinstance(environ, dict)
    assert environ["PULUMI_CONFIG_PASSPHRASE"] == "of the user"
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in environ
    assert not (ready.state / "passphrase").exists()


def test_the_state_folder_can_lie_elsewhere(ready: Checkout, tmp_path: Path) -> None:
    ready.environ["BREAKEVEN_STATE"] = str(tmp_path / "elsewhere")
    environ = ready.bootstrap("pulumi", "about").report()["environ"]
    assert isinstance(environ, dict)
    assert environ["PULUMI_BACKEND_URL"] == f"file://{tmp_path / 'elsewhere'}?metadata=skip"
    assert not ready.state.exists()


def _assert_refused(checkout: Checkout, *said: str) -> None:
    """Every command refuses with the same message, and leaves every file as it was."""
    before = checkout.files()
    for command in (["setup"], ["env"], ["run", "true"], ["pulumi", "preview", "-s", "dev"]):
        answer = checkout.bootstrap(*command)
        assert answer.code == 1
        assert answer.output == ""
        assert answer.errors.count("error:") == 1
        for text in said:
            assert text in answer.errors
    assert checkout.files() == before
