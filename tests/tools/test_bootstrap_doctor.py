"""`doctor` says what is missing and the command that gets it, and changes nothing."""

from __future__ import annotations

import json

from tests.tools.checkouts import Answer, Checkout


def states(answer: Answer) -> dict[str, str]:
    return {one["what"]: one["state"] for one in json.loads(answer.output)["findings"]}


def test_a_bare_checkout_lacks_packages_and_engine_and_is_told_how_to_get_them(
    checkout: Checkout,
) -> None:
    answer = checkout.bootstrap("doctor")
    assert answer.code == 1
    assert "missing   packages: not installed" in answer.output
    assert "next: make setup" in answer.output
    assert "Not ready for a preview" in answer.output
    found = states(checkout.bootstrap("doctor", "--format", "json"))
    assert {found[part] for part in ("Go", "engine", "Kubernetes provider")} == {"missing"}
    assert found["Python"] == "ok"


def test_a_ready_checkout_is_ready_whatever_tests_would_need(ready: Checkout) -> None:
    answer = ready.bootstrap("doctor", "--format", "json")
    assert answer.code == 0
    assert json.loads(answer.output)["ready"]
    found = states(answer)
    assert found["engine"] == "ok"
    assert found["tests"] == found["rig"] == found["kubeconfig"] == "optional"


def test_it_changes_nothing(checkout: Checkout) -> None:
    before = checkout.files()
    checkout.bootstrap("doctor")
    assert checkout.files() == before
    assert not checkout.state.exists()


def test_a_go_that_is_there_is_named(checkout: Checkout) -> None:
    checkout.add_go()
    found = states(checkout.bootstrap("doctor", "--format", "json"))
    assert found["Go"] == "ok"
    assert found["engine"] == "missing"


def test_a_damaged_state_is_told(ready: Checkout) -> None:
    ready.add_stack_state("{")
    answer = ready.bootstrap("doctor")
    assert answer.code == 1
    assert "is not a stack that Pulumi can read" in answer.output


def test_a_kubeconfig_is_found_where_kubectl_finds_it(ready: Checkout) -> None:
    file = ready.root / "kubeconfig"
    file.touch()
    ready.environ["KUBECONFIG"] = f"{file}:/nowhere"
    assert states(ready.bootstrap("doctor", "--format", "json"))["kubeconfig"] == "ok"


def test_a_backend_of_one_s_own_is_not_looked_into(ready: Checkout) -> None:
    ready.add_stack_state("{")
    ready.environ["PULUMI_BACKEND_URL"] = "s3://bucket"
    assert ready.bootstrap("doctor").code == 0


def test_output_that_is_no_terminal_has_no_colour(checkout: Checkout) -> None:
    assert "\x1b" not in checkout.bootstrap("doctor").output
