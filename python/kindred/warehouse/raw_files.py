"""Raw files of a folder, and reading one into a table with the engine's own readers.

Nothing here ever puts a value of a row into a message: only file, line, column and what is wrong.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kindred.errors import KindredError
from kindred.warehouse.database import literal, quoted

if TYPE_CHECKING:
    import duckdb

SUFFIXES = (".csv", ".parquet", ".jsonl")
# What a sample folder holds beside the raw tables; see `kindred sample`.
NOT_RAW = frozenset({"truth"})
_TABLE_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_CSV_LINE = re.compile(r"CSV Error on Line: (\d+)")
_CSV_COUNT = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_JSON_SCALARS = frozenset(
    {"BOOLEAN", "BIGINT", "UBIGINT", "INTEGER", "HUGEINT", "UHUGEINT", "DOUBLE"}
)
_LONGEST_LINE = 64 * 1024 * 1024


@dataclass(frozen=True)
class RawFile:
    """One file that holds one raw table of a source."""

    source: str
    table: str
    path: Path

    @property
    def label(self) -> str:
        """`<source>/<file>`, as messages name it."""
        return f"{self.source}/{self.path.name}"


@dataclass(frozen=True)
class RawFolder:
    """What a folder of raw files holds."""

    files: tuple[RawFile, ...]
    unknown_sources: tuple[str, ...]
    other_files: tuple[str, ...]


class BrokenFileError(Exception):
    """A raw file cannot be read; the text says where and why, without any value of it."""


def find_raw_files(folder: Path, known: list[str], only: list[str] | None = None) -> RawFolder:
    """The raw files `folder/<source>/<table>.{csv,parquet,jsonl}` of known sources.

    `only` leaves out the other sources. Raises KindredError where the folder is missing or holds
    no raw file, a table has two files, or a file's name cannot name a table.
    """
    if not folder.is_dir():
        raise KindredError(
            f"There is no folder {folder}.",
            "check the path, or make data with `kindred sample --out DIR`.",
        )
    files: list[RawFile] = []
    unknown: list[str] = []
    others: list[str] = []
    for source in sorted(path for path in folder.iterdir() if path.is_dir()):
        if source.name in NOT_RAW or source.name.startswith((".", "_")):
            continue
        if source.name not in known:
            unknown.append(source.name)
            continue
        if only is not None and source.name not in only:
            continue
        for path in sorted(source.iterdir()):
            if path.name.startswith(".") or not path.is_file():
                continue
            if path.suffix.lower() in SUFFIXES:
                files.append(RawFile(source.name, path.stem, path))
            else:
                others.append(f"{source.name}/{path.name}")
    _check_names(files)
    if not files:
        found = f" (unknown: {', '.join(unknown)})" if unknown else ""
        raise KindredError(
            f"{folder} holds no raw table of a known source{found}.",
            "lay the files out as DIR/<source>/<table>.csv (or .parquet, .jsonl); "
            f"known sources: {', '.join(known) or 'none'}.",
        )
    return RawFolder(tuple(files), tuple(unknown), tuple(others))


def _check_names(files: list[RawFile]) -> None:
    first: dict[tuple[str, str], RawFile] = {}
    for file in files:
        if not _TABLE_NAME.match(file.table):
            raise KindredError(
                f"{file.label} cannot name a table.",
                "use letters, digits and underscores in the file name only.",
            )
        twin = first.setdefault((file.source, file.table.lower()), file)
        if twin is not file:
            raise KindredError(
                f"{twin.label} and {file.label} both hold the table {file.source}.{file.table}.",
                "keep one of them.",
            )


def fingerprint(path: Path) -> str:
    """SHA-256 of a file's bytes, as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def create_table(connection: duckdb.DuckDBPyConnection, file: RawFile, relation: str) -> int:
    """Read `file` into the new table `relation` (a quoted name) and return its number of rows.

    CSV: every column as text, exactly as written. Parquet: types kept. JSONL: numbers and
    booleans kept, everything else as text. Raises BrokenFileError.
    """
    import duckdb

    if file.path.stat().st_size == 0:
        raise BrokenFileError("the file is empty")
    suffix = file.path.suffix.lower()
    describe = {".csv": _csv_problem, ".jsonl": _json_problem, ".parquet": _parquet_problem}
    try:
        query = {".csv": _csv_query, ".jsonl": _json_query, ".parquet": _parquet_query}[suffix](
            connection, file.path
        )
        sql = f"create or replace table {relation} as {query}"
        connection.execute(sql)
        counted = connection.execute(f"select count(*) from {relation}").fetchall()  # noqa: S608
    except duckdb.Error as error:
        raise BrokenFileError(describe[suffix](file.path, str(error))) from None
    return int(counted[0][0])


def _csv_query(_connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    delimiter, names = _csv_header(path)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    options = {
        "auto_detect": "false",
        "header": "true",
        "delim": literal(delimiter),
        "quote": "'\"'",
        "escape": "'\"'",
        "strict_mode": "true",
        "null_padding": "false",
        "ignore_errors": "false",
        "columns": f"{{{columns}}}",
    }
    settings = ", ".join(f"{name} = {value}" for name, value in options.items())
    return f"select * from read_csv({literal(str(path))}, {settings})"  # noqa: S608 - literals


def _csv_header(path: Path) -> tuple[str, list[str]]:
    """Delimiter and column names of a CSV file's first line."""
    try:
        with path.open("rb") as stream:
            first = stream.readline(_LONGEST_LINE).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BrokenFileError(
            "line 1: the header is not UTF-8 text (save the file as UTF-8)"
        ) from None
    delimiter = max(",;\t|", key=lambda sign: (first.count(sign), sign == ","))
    rows = list(csv.reader([first], delimiter=delimiter))
    names = [name.strip() for name in rows[0]] if rows else []
    if not any(names):
        raise BrokenFileError("line 1: there is no header")
    names = [name or f"column{number}" for number, name in enumerate(names, 1)]
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        earlier = seen.setdefault(name.lower(), number)
        if earlier != number:
            raise BrokenFileError(
                f"line 1: columns {earlier} and {number} have the same name '{name}'"
            )
    return delimiter, names


def _csv_problem(path: Path, message: str) -> str:
    found = _CSV_LINE.search(message)
    if found is None:
        mixed = _mixed_line_ending(path)
        return mixed or "the file is not valid CSV"
    line = int(found.group(1))
    count = _CSV_COUNT.search(message)
    if count:
        wanted, given = int(count.group(1)), int(count.group(2))
        names = _csv_header(path)[1]
        where = f", the line ends in column '{names[given - 1]}'" if 0 < given < wanted else ""
        return f"line {line}: {given} values where the header has {wanted} columns{where}"
    if "unterminated quote" in message:
        return f"line {line}: a quoted value is not closed, or goes on after its closing quote"
    if "unicode" in message.lower():
        return f"line {line}{_bad_byte(path, line)}: not UTF-8 text (save the file as UTF-8)"
    if "maximum line size" in message.lower():
        return f"line {line}: longer than the engine reads (2 MB)"
    return f"line {line}: not valid CSV"


def _bad_byte(path: Path, line: int) -> str:
    """`, column n` of the first byte in `line` that is not UTF-8."""
    with path.open("rb") as stream:
        for number, content in enumerate(stream, 1):
            if number == line:
                try:
                    content.decode("utf-8")
                except UnicodeDecodeError as error:
                    return f", column {len(content[: error.start].decode('utf-8')) + 1}"
    return ""


def _mixed_line_ending(path: Path) -> str | None:
    with path.open("rb") as stream:
        first = stream.readline().endswith(b"\r\n")
        for number, content in enumerate(stream, 2):
            if content.endswith(b"\n") and content.endswith(b"\r\n") != first:
                return f"line {number}: ends unlike the lines before it (mixed line endings)"
    return None


def _parquet_query(_connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    return f"select * from read_parquet({literal(str(path))})"  # noqa: S608 - a literal


def _parquet_problem(_path: Path, message: str) -> str:
    if "magic bytes" in message or "too small" in message:
        return "the file is cut off, or is not Parquet"
    return "the file is damaged: its Parquet pages cannot be read"


def _json_query(connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    reader = f"read_json({literal(str(path))}, format = 'newline_delimited', "
    found = connection.execute(
        f"describe select * from {reader} sample_size = -1, maximum_depth = 2)"  # noqa: S608
    ).fetchall()
    kinds = {str(row[0]): str(row[1]) for row in found}
    if set(kinds) == {"json"}:
        raise BrokenFileError(_json_problem(path, ""))
    # Text that looks like a date stays text: which day 03/04 is, staging decides.
    columns = ", ".join(
        f"{literal(name)}: {literal(kind if kind in _JSON_SCALARS else 'VARCHAR')}"
        for name, kind in kinds.items()
    )
    names = ", ".join(f"{quoted(name)} as {quoted(name.strip())}" for name in kinds)
    return f"select {names} from {reader} columns = {{{columns}}})"  # noqa: S608 - quoted names


def _json_problem(path: Path, _message: str) -> str:
    """Where a JSONL file breaks: the engine's line is off by one, so the file is read again."""
    try:
        with path.open(encoding="utf-8") as stream:
            rows = 0
            for number, line in enumerate(stream, 1):
                if number == 1 and line.startswith("\ufeff"):
                    return "line 1: starts with a byte-order mark, which JSON lines must not have"
                if not line.strip():
                    continue
                rows += 1
                problem = _json_line_problem(line)
                if problem:
                    return f"line {number}{problem}"
    except UnicodeDecodeError:
        return "the file is not UTF-8 text" + _first_bad_line(path)
    if rows == 0:
        return "the file holds no row, so its columns are unknown"
    return "the file is not valid JSON lines"


def _json_line_problem(line: str) -> str | None:
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
    return None if isinstance(value, dict) else ": not a JSON object"


def _first_bad_line(path: Path) -> str:
    with path.open("rb") as stream:
        for number, content in enumerate(stream, 1):
            try:
                content.decode("utf-8")
            except UnicodeDecodeError as error:
                column = len(content[: error.start].decode("utf-8")) + 1
                return f" (line {number}, column {column})"
    return ""
