"""One run at a time: a lock file beside the working database."""

from __future__ import annotations

import fcntl
import json
import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kindred.errors import KindredError
from kindred.warehouse.trouble import lost_connection

LOCK_HELD = 3


@dataclass(frozen=True)
class LockHolder:
    """Who holds the lock, as that run wrote it down."""

    pid: int
    command: str
    since: str


def lock_path(database: Path) -> Path:
    """The lock file of a working database."""
    return database.with_name(database.name + ".run-lock")


@contextmanager
def run_lock(database: Path, command: str) -> Iterator[int]:
    """Hold the lock of `database` for the block; yields the lock's file descriptor.

    A second run is refused at once (exit code 3). The kernel frees the lock when the process
    ends, however it ends; a child that was given the descriptor keeps it until it ends too, so
    a killed run whose dbt still writes is not overtaken.
    """
    path = lock_path(database)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _held(path) from error
        note = {
            "pid": os.getpid(),
            "command": command,
            "since": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(note).encode(), 0)
        yield descriptor
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def refuse_lost(descriptor: int) -> None:
    """Raise KindredError where the server has closed the connection that holds the run lock.

    descriptor: what the lock gave. A file's lock is never lost.
    """
    closed = getattr(select, "POLLRDHUP", 0)
    looked_at = select.poll()
    looked_at.register(descriptor, closed)
    if any(event & (closed | select.POLLHUP | select.POLLERR) for _, event in looked_at.poll(0)):
        raise lost_connection()


def lock_holder(database: Path) -> LockHolder | None:
    """Who holds the lock now, or None."""
    path = lock_path(database)
    if not path.exists():
        return None
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _note(path) or LockHolder(0, "a run", "an unknown time")
    finally:
        os.close(descriptor)
    return None


def _note(path: Path) -> LockHolder | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return LockHolder(int(content["pid"]), str(content["command"]), str(content["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _held(path: Path) -> KindredError:
    holder = _note(path)
    who = (
        f"`{holder.command}` (process {holder.pid}, since {holder.since})"
        if holder
        else "another run"
    )
    return KindredError(
        f"The working database is in use by {who}.",
        "wait until it has ended, then run the command again.",
        exit_code=LOCK_HELD,
    )
