"""Runs pack, unpack and fill in processes that are killed, or cannot write, at many points.

Started by test_killed.py as a program of its own, because it forks and sets limits.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from breakeven.bundle.archive.opening import open_bundle
from breakeven.bundle.archive.parts import Count
from breakeven.bundle.archive.unpack import check_unpacked, unpack
from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import sha256_of
from breakeven.bundle.fill import fill
from breakeven.bundle.pack import Order, pack
from tests.unit.bundle.builders import KEY, PART_SIZE, REVISION, Site, make_site

POINTS = range(0, 400_000, 9_973)
"""After how many bytes a process ends; some of them lie behind the end of the work."""

NO_ROOM = 3
"""Exit code of a process that could not write."""

Work = Callable[[Count], object]


def main(folder: Path) -> None:
    """Prints how many processes ended early, by what they did and how."""
    site = make_site(folder / "site")
    whole = site.pack("whole")
    unpack(whole, None, folder / "unpacked")

    def packing(count: Count) -> None:
        pack(site.lock, site.contents(), Order(folder / "bundle", KEY, PART_SIZE), count)

    def unpacking(count: Count) -> None:
        unpack(whole, None, folder / "target", count)

    volume = folder / "volume"
    volume.mkdir()

    def filling(count: Count) -> None:
        fill(site.lock.model, folder / "unpacked", volume, count)

    report("pack", packing, lambda: packed_whole_or_not_at_all(folder), folder / "bundle")
    report("unpack", unpacking, lambda: unpacked_whole_or_not_at_all(folder), folder / "target")
    report("fill", filling, lambda: only_whole_files(site, volume), volume / REVISION)


def report(name: str, work: Work, require_sound: Callable[[], None], result: Path) -> None:
    """Ends a work at every point, and looks after each; then does it once to its end."""
    endings = {
        "killed": (POINTS, _killed),
        "out of room": ((500, 5_000, 30_000), _out_of_room),
    }
    for how, (points, ends) in endings.items():
        times = 0
        for point in points:
            ended = ends(work, point)
            require_sound()
            if not ended:
                break
            times += 1
        if name != "unpack" or not result.exists():  # what is unpacked is never written over
            assert _in_child(lambda: work(_ignore)) == 0, name
        require_sound()
        assert result.is_dir()
        shutil.rmtree(result)
        print(f"{name}: {how} {times} times")  # noqa: T201  # what the test reads


def packed_whole_or_not_at_all(folder: Path) -> None:
    """A bundle that can be opened is the same, byte by byte, as one that nothing stopped."""
    try:
        open_bundle(folder / "bundle", KEY.public_key())
    except BundleError:
        return
    for path in (folder / "site" / "whole").iterdir():
        assert sha256_of(folder / "bundle" / path.name) == sha256_of(path), path.name


def unpacked_whole_or_not_at_all(folder: Path) -> None:
    """The folder is not there before every file of it is."""
    if (folder / "target").exists():
        check_unpacked(folder / "target", open_bundle(folder / "site" / "whole", KEY.public_key()))


def only_whole_files(site: Site, volume: Path) -> None:
    """A file of the model that has its name is whole."""
    for file in site.lock.model.files:
        path = volume / REVISION / file.name
        assert not path.exists() or sha256_of(path) == file.sha256, path.name


def _killed(work: Work, point: int) -> bool:
    seen = 0

    def count(size: int) -> None:
        nonlocal seen
        seen += size
        if seen > point:
            os.kill(os.getpid(), signal.SIGKILL)

    status = _in_child(lambda: work(count))
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _out_of_room(work: Work, size: int) -> bool:
    """No file may grow beyond some bytes: a write fails, as on a disk that is full."""

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        work(_ignore)

    return os.waitstatus_to_exitcode(_in_child(limited)) == NO_ROOM


def _ignore(_size: int) -> None:
    pass


def _in_child(work: Callable[[], object]) -> int:
    """Returns the status of a process that did the work, or was refused room for it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BundleError as error:
            code = NO_ROOM if "Free some space" in str(error) else 1
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
