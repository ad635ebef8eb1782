"""How many of other projects' bad fixtures the policy packs catch, and which good ones they flag.

    python -m bench.policy_recall FOLDER

FOLDER holds checkouts of polaris, gatekeeper-library, kyverno's policies, regolibrary and
kube-linter, under those names; those that are missing are left out. Nothing of theirs is in this
project. policy_recall.yaml says which rules stand for which of their checks.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from breakeven.policy.config_maps import with_config_maps
from breakeven.policy.loading import ManifestError, read_manifests
from breakeven.policy.manifest import Resource, Scope
from breakeven.policy.registry import RULES

_SHARED = ("restrict-annotations",)
_RULES = {rule.id: rule for rule in RULES}
_GROUPS = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True, slots=True)
class Fixture:
    """Manifests of another project that its own check calls good or bad.

    Attributes:
        check: Name of the check.
        name: Of the fixture, for the listing.
        is_bad: Whether the check refuses it.
        resources: The manifests.
    """

    check: str
    name: str
    is_bad: bool
    resources: tuple[Resource, ...]


def manifests(path: Path) -> tuple[Resource, ...]:
    """Returns the manifests of a file; none where it cannot be read as such."""
    try:
        return read_manifests(path)
    except ManifestError:
        return ()


def of_polaris(folder: Path) -> Iterator[Fixture]:
    """Files are named success*.yaml and failure*.yaml."""
    for path in sorted((folder / "test" / "checks").glob("*/*.yaml")):
        if path.name.startswith(("success", "failure")):
            is_bad = path.name.startswith("failure")
            yield Fixture(path.parent.name, path.name, is_bad, manifests(path))


def of_gatekeeper(folder: Path) -> Iterator[Fixture]:
    """A suite names objects and whether they are to be refused."""
    for path in sorted((folder / "library").glob("*/*/suite.yaml")):
        for test in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("tests", ()):
            for case in test.get("cases", ()):
                allowed = [str(each.get("violations")) for each in case.get("assertions", ())]
                is_bad = not any(each in ("no", "False", "0") for each in allowed)
                found = manifests(path.parent / case["object"])
                yield Fixture(path.parent.name, case["name"], is_bad, found)


def of_kyverno(folder: Path) -> Iterator[Fixture]:
    """Files named good* or bad*, and results that name resources."""
    for path in sorted(folder.glob("*/*/.chainsaw-test/*.yaml")):
        if path.name.startswith(("good", "bad")):
            for resource in manifests(path):
                name = f"{path.name} {resource.name}"
                check = _kyverno_check(path)
                yield Fixture(check, name, path.name.startswith("bad"), (resource,))
    for path in sorted(folder.glob("*/*/.kyverno-test/kyverno-test.yaml")):
        test = yaml.safe_load(path.read_text(encoding="utf-8"))
        resources = [
            each for file in test.get("resources", ()) for each in manifests(path.parent / file)
        ]
        for result in test.get("results", ()):
            for resource in resources:
                named = resource.name in [
                    str(each).rpartition("/")[2] for each in result.get("resources") or ()
                ]
                if (
                    named
                    and resource.kind == result.get("kind")
                    and result["result"] in ("pass", "fail")
                ):
                    is_bad = result["result"] == "fail"
                    yield Fixture(_kyverno_check(path), resource.name, is_bad, (resource,))


def _kyverno_check(path: Path) -> str:
    """Returns the name of a policy; with its folder where two of different sense share it."""
    folder, name = path.parts[-4:-2]
    return f"{folder}/{name}" if folder.startswith("nginx-ingress") and name in _SHARED else name


def of_kubescape(folder: Path) -> Iterator[Fixture]:
    """A case has input files and what is expected of them together: nothing where they are good."""
    for path in sorted((folder / "rules").glob("*/test/*/expected.json")):
        files = sorted((path.parent / "input").rglob("*"))
        found = tuple(each for file in files if file.is_file() for each in manifests(file))
        is_bad = bool(json.loads(path.read_text(encoding="utf-8")))
        yield Fixture(path.parts[-4], path.parent.name, is_bad, found)


def of_kube_linter(folder: Path) -> Iterator[Fixture]:
    """Resources are named "dont-fire" where they are good; the others are bad by their check."""
    for path in sorted((folder / "tests" / "checks").glob("*.y*ml")):
        for resource in manifests(path):
            if resource.name.startswith("dont-fire"):
                yield Fixture(path.stem, resource.name, is_bad=False, resources=(resource,))


COLUMNS = ("bad", "caught", "not claimed", "good", "flagged")
SUITES: Mapping[str, Callable[[Path], Iterator[Fixture]]] = {
    "polaris": of_polaris,
    "gatekeeper-library": of_gatekeeper,
    "policies": of_kyverno,
    "regolibrary": of_kubescape,
    "kube-linter": of_kube_linter,
}


def flagged_by(fixture: Fixture, rules: list[str]) -> set[str]:
    """Returns which of some rules find anything in a fixture."""
    scope = Scope(with_config_maps(fixture.resources))
    return {
        name
        for name in rules
        for resource in scope.resources
        if any(True for _ in _RULES[name].check(resource, scope))
    }


@dataclass(slots=True)
class Tally:
    """What became of the fixtures of one suite.

    Attributes:
        counts: Fixtures by outcome: bad, caught, not claimed, good, flagged.
        missed: Bad ones that no rule found.
        flags: Good ones that a rule flagged, by rule.
    """

    counts: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    flags: Counter[str] = field(default_factory=Counter)

    def add(
        self, suite: str, fixture: Fixture, rules: list[str], reasons: Mapping[str, str]
    ) -> None:
        """Counts one fixture."""
        found = flagged_by(fixture, rules)
        name = f"{suite} {fixture.check} {fixture.name.rpartition(' ')[2]}"
        if not fixture.is_bad:
            self.counts["good"] += 1
            self.counts["flagged"] += bool(found)
            self.flags.update(found)
        elif name in reasons and not found:
            self.counts["not claimed"] += 1
        else:
            self.counts["bad"] += 1
            self.counts["caught"] += bool(found)
            self.missed += [] if found else [name]

    def row(self, title: str) -> str:
        """Returns the counts as a line of the table."""
        return f"{title:20}" + "".join(f"{self.counts[column]:13}" for column in COLUMNS)


def tally(suite: str, folder: Path, groups: Mapping[str, Any]) -> Tally:
    """Runs the rules over all fixtures of a suite that they stand for."""
    found = Tally()
    for fixture in SUITES[suite](folder / suite):
        rules = groups[suite].get(fixture.check)
        if rules and fixture.resources:
            found.add(suite, fixture, rules, groups["not claimed"])
    return found


def unnamed(suite: str, folder: Path, groups: Mapping[str, Any]) -> list[str]:
    """Returns the checks of a suite for which no rule stands and no reason is given."""
    patterns = [
        pattern
        for lists in groups["out of scope"].values()
        for name, *names in lists
        if name == suite
        for pattern in names
    ]
    checks = {fixture.check for fixture in SUITES[suite](folder / suite)} - groups[suite].keys()
    return sorted(
        f"{suite} {check}"
        for check in checks
        if not any(fnmatch.fnmatchcase(check, pattern) for pattern in patterns)
    )


def main() -> None:
    """Prints the table, what was missed, and the choices by which good fixtures are flagged."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder with the checkouts")
    folder: Path = parser.parse_args().folder
    groups = yaml.safe_load(_GROUPS.read_text(encoding="utf-8"))
    print(f"{'':20}" + "".join(f"{column:>13}" for column in COLUMNS))
    total = Tally()
    for suite in SUITES:
        found = tally(suite, folder, groups)
        print(found.row(suite))
        total.counts += found.counts
        total.missed += found.missed
        total.flags += found.flags
    print(total.row("together"))
    bad, caught = total.counts["bad"], total.counts["caught"]
    left = total.counts["not claimed"]
    print(f"caught {caught} of {bad} that a rule claims to catch; {left} more are not claimed")
    for suite in SUITES:
        print(*(f"no rule and no reason: {each}" for each in unnamed(suite, folder, groups)))
    print(*(f"missed: {each}" for each in total.missed), sep="\n")
    for rule, number in total.flags.most_common():
        print(f"flags {number} good ones: {rule}: {groups['choices'].get(rule, 'NOT DOCUMENTED')}")


if __name__ == "__main__":
    main()
