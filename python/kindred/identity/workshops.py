"""Folders in which candidates are built: gone with their diff, also where it was killed.

They hold a copy of the working database, so none may be left behind. A folder is in use while the
lock of a file in it is held; the kernel frees that lock however the process ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "kindred-diff-"
IN_USE = "in-use"


@contextmanager
def workshop_folder() -> Iterator[Path]:
    """A folder among the temporary ones for the block; what killed diffs left there goes first."""
    clear_abandoned(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        place = Path(name)
        # Held before it has its name: nobody sees a lock that is free while it is being taken.
        descriptor = os.open(place / "claimed", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            (place / "claimed").rename(place / IN_USE)
            yield place
        finally:
            os.close(descriptor)


def clear_abandoned(folder: Path) -> list[Path]:
    """Remove our own workshops in `folder` that no process uses any more; returns their places.

    A dbt that outlived its diff still holds the lock of the database it writes, and its folder
    stays. Folders of other users, and any without our lock file, are left alone.
    """
    removed: list[Path] = []
    for place in sorted(folder.glob(f"{PREFIX}*")):
        if place.is_symlink() or not (place / IN_USE).is_file():
            continue
        if place.stat().st_uid != os.getuid():
            continue
        locks = [place / IN_USE, *sorted(place.glob("*.run-lock"))]
        if all(_is_free(lock) for lock in locks):
            shutil.rmtree(place, ignore_errors=True)
            removed.append(place)
    return removed


def _is_free(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
