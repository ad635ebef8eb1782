"""Fixtures: checkouts in several states of readiness."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.checkouts import Checkout, make_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout on which nothing was installed yet."""
    return make_checkout(tmp_path / "checkout")


@pytest.fixture
def ready(checkout: Checkout) -> Checkout:
    """A checkout with its packages, on a machine with an official Pulumi (a stand-in)."""
    checkout.pretend_packages_are_installed()
    checkout.add_official_pulumi()
    return checkout


@pytest.fixture
def odd_ready(tmp_path: Path) -> Checkout:
    """As `ready`, in a folder whose name a shell would take apart."""
    checkout = make_checkout(tmp_path / "it's a $HOME checkout")
    checkout.pretend_packages_are_installed()
    checkout.add_official_pulumi()
    return checkout
