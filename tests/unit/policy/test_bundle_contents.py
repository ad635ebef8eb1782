"""What a bundle carries is read from the lock that this program writes, and from nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.policy.bundle_contents import LockError, carried_here, read_carried
from tests.unit.bundle.builders import REVISION, Site, make_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path / "site")


def test_images_and_model_are_those_of_the_lock(site: Site, tmp_path: Path) -> None:
    lock = tmp_path / "lock.json"
    lock.write_bytes(site.lock.as_bytes())
    carried = read_carried(lock)
    assert carried.image_digests == {image.reference.digest for image in site.lock.images}
    assert carried.model_revision == REVISION


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"images": [], "model": "a"}'])
def test_what_is_no_lock_is_refused_by_its_name(tmp_path: Path, content: str | None) -> None:
    lock = tmp_path / "lock.json"
    if content is not None:
        lock.write_text(content, encoding="utf-8")
    with pytest.raises(LockError, match=r"lock\.json: not a bundle lock .*bundle plan"):
        read_carried(lock)


def test_a_program_from_a_bundle_has_its_lock_and_a_checkout_has_none(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / "lock.json").write_bytes(site.lock.as_bytes())
    for name in ("program", "checkout"):
        (tmp_path / name).mkdir()
    found = carried_here(tmp_path / "program")
    assert found is not None
    assert found.model_revision == REVISION
    assert carried_here(tmp_path / "checkout") is None
