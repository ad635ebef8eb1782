"""Numbers of catalogues that rules name are numbers of these catalogues.

The lists were read on 2026-11-25 from kube-bench (cfg/cis-1.12/policies.yaml) and from Kubescape's
framework "NSA"; tests/third_party looks up Checkov's in the program itself.
"""

from __future__ import annotations

from breakeven.policy.registry import RULES

CIS = {
    *(f"5.1.{number}" for number in range(1, 14)),
    *(f"5.2.{number}" for number in range(1, 13)),
    *("5.3.1", "5.3.2", "5.4.1", "5.4.2", "5.5.1", "5.6.1", "5.6.2", "5.6.3", "5.6.4"),
}
NSA = {
    f"C-{number:04}"
    for number in (
        *(2, 5, 12, 13, 16, 17, 30, 34, 35, 38, 41, 44, 46, 54, 55, 57, 58, 59),
        *(66, 67, 68, 69, 70, 270, 271),
    )
}


def named(catalogue: str) -> set[str]:
    return {number for rule in RULES for number in rule.controls.get(catalogue, ())}


def test_no_rule_names_a_catalogue_that_the_reference_does_not_explain() -> None:
    catalogues = {catalogue for rule in RULES for catalogue in rule.controls}
    assert catalogues == {"PSS", "CIS", "NSA", "Kubescape", "Checkov"}


def test_every_number_is_one_of_its_catalogue() -> None:
    assert named("PSS") == {"baseline", "restricted"}
    assert named("CIS") <= CIS
    assert named("NSA") <= NSA


def test_what_is_no_control_of_the_nsa_is_not_called_one() -> None:
    assert not named("Kubescape") & NSA
