"""What the machine or the server did to a run, told in words: a full disk, a lost connection."""

from __future__ import annotations

import errno
import sys

from kindred.errors import KindredError

_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_FULL_WORDS = ("no space left", "file too large", "disk quota", "disk is full")
_THEN = "then run `kindred build --resume`. What is published is as it was."


def as_told(error: BaseException) -> KindredError | None:
    """The error in words, where it is not a defect of Kindred; None otherwise."""
    text = str(error).lower()
    if isinstance(error, OSError) and error.errno in _FULL:
        return _full()
    if _is_of("duckdb", "Error", error) and any(words in text for words in _FULL_WORDS):
        return _full()
    if _is_of("psycopg2", "errors.DiskFull", error):
        return _full()
    if _is_of_a_lost_server(error):
        return lost_connection()
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return KindredError(
            f"{error.filename}: {error.strerror.lower()}.",
            "check the path, and who may read and write there.",
        )
    return None


def lost_connection() -> KindredError:
    """The error of a run that lost the server, or the lock that the server held for it."""
    return KindredError(
        "The connection to the database was lost.", f"see that the server is up, {_THEN}"
    )


def _is_of_a_lost_server(error: BaseException) -> bool:
    """Whether psycopg2 lost the server; an error of no kind and no code was not told by it."""
    is_plain = getattr(error, "pgcode", "") is None and _is_of("psycopg2", "DatabaseError", error)
    return (
        _is_of("psycopg2", "OperationalError", error)
        or _is_of("psycopg2", "InterfaceError", error)
        or (is_plain and type(error).__name__ == "DatabaseError")
    )


def _full() -> KindredError:
    return KindredError("The disk is full.", f"make room, {_THEN}")


def _is_of(module: str, name: str, error: BaseException) -> bool:
    """Whether the error is of a class of a library that is loaded."""
    found = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return isinstance(found, type) and isinstance(error, found)
