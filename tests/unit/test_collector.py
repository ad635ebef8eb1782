"""The garbage collector is off for imports alone."""

from __future__ import annotations

import gc

import pytest

from breakeven.collector import collector_off


def test_the_collector_works_again_after_the_imports() -> None:
    with collector_off():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_import_that_fails_leaves_the_collector_on() -> None:
    with pytest.raises(ImportError), collector_off():
        raise ImportError
    assert gc.isenabled()
