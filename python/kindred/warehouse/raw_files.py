"""Raw files of a folder, and reading one into a table with the engine's own readers.

Nothing here ever puts a value of a row into a message: only file, line, column and what is wrong.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING

from kindred.errors import KindredError, shown
from kindred.warehouse.database import literal, path_literal, quoted
from kindred.warehouse.raw_json import json_problem, json_query
from kindred.warehouse.raw_problem import BrokenFileError, bad_character, refuse_twins

if TYPE_CHECKING:
    import duckdb

SUFFIXES = (".csv", ".parquet", ".jsonl")
# What a sample folder holds beside the raw tables; see `kindred sample`.
NOT_RAW = frozenset({"truth"})
# 63 letters are the longest name that Postgres keeps whole.
_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_CSV_LINE = re.compile(r"CSV Error on Line: (\d+)")
_CSV_COUNT = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_QUOTED_PART = re.compile(r'"[^"]*"')
_LONGEST_HEADER = 16 * 1024 * 1024
_LONGEST_LINE = 32 * 1024 * 1024
# Types whose text has no character of its own.
_PLAIN = re.compile(
    "BOOLEAN|.*INT.*|FLOAT|DOUBLE|DECIMAL.*|DATE|TIME.*|INTERVAL|UUID|BLOB|BIT|NULL"
)


@dataclass(frozen=True)
class RawFile:
    """One file that holds one raw table of a source."""

    source: str
    table: str
    path: Path

    @property
    def label(self) -> str:
        """`<source>/<file>`, as messages name it."""
        return f"{self.source}/{shown(self.path.name)}"


@dataclass(frozen=True)
class RawFolder:
    """What a folder of raw files holds; names that are not taken are fit to be shown."""

    files: tuple[RawFile, ...]
    unknown_sources: tuple[str, ...]
    other_files: tuple[str, ...]


def find_raw_files(folder: Path, known: list[str], only: list[str] | None = None) -> RawFolder:
    """The raw files `folder/<source>/<table>.{csv,parquet,jsonl}` of known sources.

    `only` leaves out the other sources. Raises KindredError where the folder is missing or holds
    no raw file, a table has two files, or a file's name cannot name a table.
    """
    _check_folder(folder)
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
            unknown.append(shown(source.name))
            continue
        if only is not None and source.name not in only:
            continue
        for path in sorted(source.iterdir()):
            if path.name.startswith("."):
                continue
            if path.is_file() and path.suffix.lower() in SUFFIXES:
                files.append(RawFile(source.name, path.stem, path))
            else:
                others.append(f"{source.name}/{shown(path.name)}")
    _check_names(files)
    if not files:
        found = f" (unknown: {', '.join(unknown)})" if unknown else ""
        raise KindredError(
            f"{folder} holds no raw table of a known source{found}.",
            "lay the files out as DIR/<source>/<table>.csv (or .parquet, .jsonl); "
            f"known sources: {', '.join(known) or 'none'}.",
        )
    return RawFolder(tuple(files), tuple(unknown), tuple(others))


def _check_folder(folder: Path) -> None:
    try:
        str(folder.resolve()).encode("utf-8")
    except UnicodeEncodeError:
        raise KindredError(
            f"The folder's name {shown(str(folder))} is not UTF-8 text.", "give it another name."
        ) from None


def _check_names(files: list[RawFile]) -> None:
    first: dict[tuple[str, str], RawFile] = {}
    for file in files:
        if not _TABLE_NAME.fullmatch(file.table):
            raise KindredError(
                f"{file.label} cannot name a table.",
                "use letters, digits and underscores in the file name only, 63 at most.",
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


@dataclass(frozen=True)
class ReadFile:
    """How a file was read: its rows, and what was changed on the way, in words."""

    rows: int
    notes: tuple[str, ...] = ()


def create_table(connection: duckdb.DuckDBPyConnection, file: RawFile, relation: str) -> ReadFile:
    """Read `file` into the new table `relation` (a quoted name).

    CSV: every column as text, exactly as written. Parquet: types kept. JSONL: numbers and
    booleans kept, everything else as text. The character with code 0, which Postgres cannot hold
    and no name or address has, is left out on every engine; the notes say of how many values.
    Raises BrokenFileError.
    """
    import duckdb

    if file.path.stat().st_size == 0:
        raise BrokenFileError("the file is empty")
    suffix = file.path.suffix.lower()
    describe = {".csv": _csv_problem, ".jsonl": json_problem, ".parquet": _parquet_problem}
    make_query = {".csv": _csv_query, ".jsonl": json_query, ".parquet": _parquet_query}
    try:
        query = make_query[suffix](connection, file.path)
        connection.execute(f"create or replace table {relation} as {query}")
        cleaned = _leave_out_nul(connection, relation) if _may_hold_nul(file.path) else 0
        counted = connection.execute(f"select count(*) from {relation}").fetchall()  # noqa: S608
    except (duckdb.Error, UnicodeDecodeError) as error:
        # The engine's message may be cut within a character, and then be no text.
        told = "" if isinstance(error, UnicodeDecodeError) else str(error)
        raise BrokenFileError(describe[suffix](file.path, told)) from None
    notes = [_nul_note(cleaned)] if cleaned else []
    return ReadFile(int(counted[0][0]), tuple(notes))


def _nul_note(count: int) -> str:
    if count == 1:
        return "the character with code 0 was left out of 1 value"
    return f"the character with code 0 was left out of {count:,} values"


def _may_hold_nul(path: Path) -> bool:
    """Whether the character with code 0 can be in a text of the file; told by its bytes."""
    sign = {".csv": b"\0", ".jsonl": b"\\u0000"}.get(path.suffix.lower())
    if sign is None:
        return True
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
        return content.find(sign) >= 0


def _leave_out_nul(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    """Take the character with code 0 out of every text; in how many values it stood."""
    columns = {
        str(row[0]): str(row[1])
        for row in connection.execute(f"describe {relation}").fetchall()
        if not _PLAIN.fullmatch(str(row[1]))
    }
    if not columns:
        return 0
    counts = ", ".join(
        f"count(*) filter (where contains(cast({quoted(name)} as text), chr(0)))"
        for name in columns
    )
    found = connection.execute(f"select {counts} from {relation}").fetchall()[0]  # noqa: S608
    for (name, kind), count in zip(columns.items(), found, strict=True):
        if not count:
            continue
        column = quoted(name)
        cleaned = f"replace(cast({column} as text), chr(0), '')"
        if kind != "VARCHAR":
            # A list or structure with such a text in it: its text is kept, as staging reads it.
            connection.execute(f"alter table {relation} alter {column} type text")
        connection.execute(
            f"update {relation} set {column} = nullif({cleaned}, '')"  # noqa: S608 - quoted names
            f" where contains({column}, chr(0))"
        )
    return sum(int(count) for count in found)


def _csv_query(_connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    delimiter, names = csv_header(path)
    if len(names) == 1:
        _refuse_blank_line_with_two_ends(path)
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
        "hive_partitioning": "false",
        "max_line_size": str(_LONGEST_LINE),
        "buffer_size": str(2 * _LONGEST_LINE),
        "columns": f"{{{columns}}}",
    }
    settings = ", ".join(f"{name} = {value}" for name, value in options.items())
    return f"select * from read_csv({path_literal(path)}, {settings})"  # noqa: S608 - literals


def _refuse_blank_line_with_two_ends(path: Path) -> None:
    """Where a blank line is a row, one that ends unlike the others is read as two of them.

    Every other mixture of line ends the engine refuses by itself.
    """
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
        if content.readline().endswith(b"\r\n"):
            return
        start, quotes, at = 0, 0, content.find(b"\n\r\n", 0)
        while at >= 0:
            quotes += content[start:at].count(b'"')
            if quotes % 2 == 0:
                line = content[:at].count(b"\n") + 2
                raise BrokenFileError(_ends_unlike_others(line))
            start = at
            at = content.find(b"\n\r\n", start + 1)


def _ends_unlike_others(line: int) -> str:
    return f"line {line}: ends unlike the lines before it (mixed line endings)"


def csv_header(path: Path) -> tuple[str, list[str]]:
    """Delimiter and column names of a CSV file, by its first row. Raises BrokenFileError."""
    first = _first_row(path)
    unquoted = _QUOTED_PART.sub("", first)
    delimiter = max(",;\t|", key=lambda sign: (unquoted.count(sign), sign == ","))
    # A name may be longer than the 128 KB that the reader takes by itself.
    earlier_limit = csv.field_size_limit(_LONGEST_HEADER)
    try:
        rows = list(csv.reader(io.StringIO(first, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        raise BrokenFileError("line 1: the header is not valid CSV") from None
    finally:
        csv.field_size_limit(earlier_limit)
    names = [name.strip() for name in rows[0]] if rows else []
    if not any(names):
        raise BrokenFileError("line 1: there is no header")
    names = [name or f"column{number}" for number, name in enumerate(names, 1)]
    if any("\r" in name or "\n" in name for name in rows[0]):
        # The engine would take it for the file's own line end, and find no row.
        raise BrokenFileError("line 1: a column name has a line break; write it on one line")
    refuse_twins(names, "line 1: ")
    return delimiter, names


def _first_row(path: Path) -> str:
    """The first row of a CSV file as text; it has several lines where a line end is quoted."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        first = ""
        while len(first) < _LONGEST_HEADER:
            line = stream.readline(_LONGEST_HEADER)
            first += line
            if not line or first.count('"') % 2 == 0:
                break
        else:
            raise BrokenFileError(
                "line 1: the header is longer than 16 MB, or a quote is not closed"
            )
    if any("\ud800" <= sign <= "\udfff" for sign in first):
        raise BrokenFileError("line 1: the header is not UTF-8 text (save the file as UTF-8)")
    if "\0" in first:
        raise BrokenFileError(
            "line 1: the header holds the character with code 0 (save the file as UTF-8)"
        )
    return first


def _csv_problem(path: Path, message: str) -> str:
    found = _CSV_LINE.search(message)
    if found is None:
        torn = "a value with a line end has no quotes" if "state machine" in message else ""
        found_by_eye = bad_character(path) or _mixed_line_ending(path)
        return found_by_eye or f"the file is not valid CSV{torn and ': '}{torn}"
    line = int(found.group(1))
    count = _CSV_COUNT.search(message)
    if count:
        wanted, given = int(count.group(1)), int(count.group(2))
        names = csv_header(path)[1]
        place = f", the line ends in column '{shown(names[given - 1])}'" if given < wanted else ""
        where = place if given else ""
        return f"line {line}: {given} values where the header has {wanted} columns{where}"
    if "unterminated quote" in message:
        return f"line {line}: a quoted value is not closed, or goes on after its closing quote"
    if "unicode" in message.lower():
        return bad_character(path) or f"line {line}: not UTF-8 text (save the file as UTF-8)"
    if "maximum line size" in message.lower():
        return f"line {line}: longer than the engine reads (32 MB)"
    return f"line {line}: not valid CSV"


def _mixed_line_ending(path: Path) -> str | None:
    with path.open("rb") as stream:
        first = stream.readline().endswith(b"\r\n")
        for number, content in enumerate(stream, 2):
            if content.endswith(b"\n") and content.endswith(b"\r\n") != first:
                return _ends_unlike_others(number)
    return None


def _parquet_query(_connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        names = list(parquet.read_schema(path).names)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        names = []
    refuse_twins(names)
    source = f"read_parquet({path_literal(path)}, hive_partitioning = false)"
    return f"select * from {source}"  # noqa: S608 - a literal


def _parquet_problem(_path: Path, message: str) -> str:
    if "magic bytes" in message or "too small" in message:
        return "the file is cut off, or is not Parquet"
    if "utf8" in message.lower() or "utf-8" in message.lower() or "unicode" in message.lower():
        return "a text in the file is not UTF-8"
    return "the file is damaged: its Parquet pages cannot be read"
