"""Raw files of JSON lines: one object a line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kindred.errors import shown
from kindred.warehouse.database import literal, path_literal, quoted
from kindred.warehouse.raw_problem import BrokenFileError, bad_character, refuse_twins

if TYPE_CHECKING:
    import duckdb

_SCALARS = frozenset({"BOOLEAN", "BIGINT", "UBIGINT", "INTEGER", "HUGEINT", "UHUGEINT", "DOUBLE"})
# What the engine reads of one object, and how deep: a deeper one would end the whole process.
LONGEST_OBJECT = 16 * 1024 * 1024
DEEPEST = 500
_BRACKETS = re.compile(rb"[][{}]")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
# Digits that a floating-point number cannot be trusted to keep.
_EXACT_DIGITS = 15


def json_query(connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    """The query that reads a file: numbers and booleans kept, everything else as text.

    Numbers of a column with more digits than a floating-point number holds stay text, so that no
    digit of a long id is lost. Raises BrokenFileError.
    """
    _refuse_deep(path)
    reader = f"read_json({path_literal(path)}, format = 'newline_delimited', records = true"
    reader += f", hive_partitioning = false, maximum_object_size = {LONGEST_OBJECT}, "
    found = connection.execute(
        f"describe select * from {reader} sample_size = -1, maximum_depth = 2,"  # noqa: S608
        " map_inference_threshold = -1)"
    ).fetchall()
    kinds = {str(row[0]): str(row[1]) for row in found}
    names = {name: name.strip() or name for name in kinds}
    if any("\0" in name for name in names):
        raise BrokenFileError("a key holds the character with code 0")
    refuse_twins(list(names.values()))
    _refuse_renamed(path, list(kinds))
    inexact = _inexact(
        connection, reader, [name for name, kind in kinds.items() if kind == "DOUBLE"]
    )
    # Text that looks like a date stays text: which day 03/04 is, staging decides.
    columns = _columns(
        {
            name: kind if kind in _SCALARS and name not in inexact else "VARCHAR"
            for name, kind in kinds.items()
        }
    )
    selected = ", ".join(f"{quoted(name)} as {quoted(plain)}" for name, plain in names.items())
    return f"select {selected} from {reader} columns = {columns})"  # noqa: S608 - quoted names


def _columns(kinds: dict[str, str]) -> str:
    listed = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in kinds.items())
    return f"{{{listed}}}"


def _refuse_deep(path: Path) -> None:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            # Nearly no line has so many brackets, and then it need not be looked at closely.
            if line.count(b"[") + line.count(b"{") > DEEPEST and _depth(line) > DEEPEST:
                raise BrokenFileError(f"line {number}: nested deeper than {DEEPEST} levels")


def _depth(line: bytes) -> int:
    """How deep the brackets of a line of JSON are nested."""
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_STRING.sub(b"", line)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _refuse_renamed(path: Path, names: list[str]) -> None:
    """Refuse keys that the engine gives names of its own: `ID` beside `id`, and the empty key.

    It would find no value under such a name.
    """
    lowered = {name.lower() for name in names}
    doubtful = [
        name
        for name in names
        if re.fullmatch(r"C\d+", name)
        or (re.search(r"_\d+$", name) and name.rpartition("_")[0].lower() in lowered)
    ]
    if not doubtful:
        return
    with path.open(encoding="utf-8") as stream:
        keys = [set(json.loads(line)) for line in stream if line.strip()]
    found = set().union(*keys)
    if "" in found:
        raise BrokenFileError("a key is empty, so that its column has no name")
    renamed = [name for name in doubtful if name not in found]
    if renamed:
        base = renamed[0].rpartition("_")[0]
        raise BrokenFileError(
            f"keys differ by upper and lower case only: '{shown(base)}' is written in two ways"
        )


def _inexact(connection: duckdb.DuckDBPyConnection, reader: str, names: list[str]) -> set[str]:
    """Those of the columns in which a number has more digits than floating point keeps."""
    if not names:
        return set()
    listed = _columns(dict.fromkeys(names, "VARCHAR"))
    counts = ", ".join(
        f"coalesce(bool_or(length(regexp_replace({quoted(name)}, '[^0-9]', '', 'g'))"
        f" > {_EXACT_DIGITS} or {quoted(name)} ilike '%e%'), false)"
        for name in names
    )
    found = connection.execute(
        f"select {counts} from {reader} columns = {listed})"  # noqa: S608 - quoted names
    ).fetchall()[0]
    return {name for name, is_inexact in zip(names, found, strict=True) if is_inexact}


def json_problem(path: Path, _message: str) -> str:
    """Where a JSONL file breaks: the engine's line is off by one, so the file is read again."""
    rows = 0
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                if number == 1 and line.startswith("\ufeff"):
                    return "line 1: starts with a byte-order mark, which JSON lines must not have"
                if not line.strip():
                    continue
                rows += 1
                problem = _line_problem(line)
                if problem:
                    return f"line {number}{problem}"
    except UnicodeDecodeError:
        return bad_character(path)
    if rows == 0:
        return "the file holds no row, so its columns are unknown"
    return "the file is not valid JSON lines"


def _line_problem(line: str) -> str | None:
    if len(line.encode()) > LONGEST_OBJECT:
        return f": longer than the engine reads ({LONGEST_OBJECT // 2**20} MB)"

    def keys_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({key.lower() for key, _ in pairs}) < len(pairs):
            raise KeyError
        return dict(pairs)

    try:
        value = json.loads(line, object_pairs_hook=keys_once)
    except json.JSONDecodeError as error:
        return f", column {error.colno}: not valid JSON"
    except KeyError:
        return ": two keys of one object have the same name"
    if not isinstance(value, dict):
        return ": not a JSON object"
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return ": half of a character (a lone surrogate), as \\ud83d without what belongs to it"
    return None
