"""Replicas find in their caches what reaches them again before its place is taken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.capacity.prefix_cache import PrefixCache

LARGE = PrefixCache(
    reusable=0.6,
    common=0.2,
    replicas=4,
    affinity=False,
    free_tokens=1e12,
    tokens_per_second=1000,
    reuse_seconds=370,
)


def test_a_plain_service_finds_the_common_part_and_one_in_n_of_the_rest() -> None:
    assert LARGE.share == pytest.approx(0.2 + 0.4 / 4)
    assert replace(LARGE, replicas=1).share == pytest.approx(0.6)
    assert replace(LARGE, affinity=True).share == pytest.approx(0.6)


def test_a_full_cache_keeps_only_what_all_requests_have_in_common() -> None:
    assert replace(LARGE, free_tokens=0, affinity=True).share == pytest.approx(0.2)
    assert replace(LARGE, free_tokens=0, tokens_per_second=0).kept == 1


def test_a_prefix_stays_as_long_as_the_free_tokens_last() -> None:
    mean = replace(LARGE, free_tokens=370_000)
    assert mean.kept == pytest.approx(1 - 0.36788, rel=1e-4)


@given(
    st.builds(
        PrefixCache,
        reusable=st.floats(0.5, 0.95),
        common=st.floats(0, 0.5),
        replicas=st.integers(1, 64),
        affinity=st.booleans(),
        free_tokens=st.floats(0, 1e9),
        tokens_per_second=st.floats(0, 1e6),
        reuse_seconds=st.floats(1, 1e4),
    )
)
def test_the_share_is_between_the_common_and_all_and_affinity_never_costs(
    cache: PrefixCache,
) -> None:
    assert cache.common <= cache.share + 1e-12
    assert cache.share <= cache.reusable + 1e-12
    assert replace(cache, affinity=True).share >= cache.share - 1e-12
    assert replace(cache, replicas=cache.replicas + 1).share <= cache.share + 1e-12
