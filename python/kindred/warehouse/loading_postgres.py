"""Load raw files into the raw schemas of a Postgres database.

DuckDB reads the files in memory, with the same eyes and the same complaints as when it keeps them;
the rows go on to Postgres by COPY.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa

from kindred.errors import shown
from kindred.warehouse.database import quoted
from kindred.warehouse.loading import LoadedTable, Outcome
from kindred.warehouse.postgres import columns_of, has_relation
from kindred.warehouse.postgres_copy import column_type, create_table, write_rows
from kindred.warehouse.raw_files import RawFile, ReadFile, fingerprint
from kindred.warehouse.raw_files import create_table as read_file
from kindred.warehouse.raw_problem import BrokenFileError

if TYPE_CHECKING:
    import duckdb
    from psycopg2 import extensions

LEDGER = "kindred_load.loaded_files"
_ROWS_A_BATCH = 50_000
# What both engines write alike as text; staging reads text.
_KEPT = ("VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT")
_MOST_COLUMNS = 1_600
_LONGEST_NAME = 63


def load_files(
    connection: extensions.connection,
    files: tuple[RawFile, ...],
    schema_of: Callable[[str], str],
    progress: Callable[[RawFile], None] = lambda file: None,
) -> list[LoadedTable]:
    """Load each file into `<schema_of(source)>.<table>`, one transaction a file.

    As `kindred.warehouse.loading.load_files` does on DuckDB. Table and column names are written in
    lower case, as Postgres takes them unquoted. Columns of a type that the two engines would write
    differently (fractions, lists, moments with time zone) come as text.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "create schema if not exists kindred_load;"
            f" create table if not exists {LEDGER} (source text, table_name text, file_name text,"
            " sha256 text, row_count bigint, schema_name text)"
        )
    connection.commit()
    done: list[LoadedTable] = []
    for file in files:
        progress(file)
        done.append(_load_file(connection, file, schema_of(file.source)))
    return done


def _load_file(connection: extensions.connection, file: RawFile, schema: str) -> LoadedTable:
    table = file.table.lower()
    relation = f"{schema}.{table}"
    content = fingerprint(file.path)
    is_there = has_relation(connection, schema, table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"select sha256, row_count from {LEDGER}"  # noqa: S608 - a constant
            " where schema_name = %s and table_name = %s",
            [schema, table],
        )
        known = cursor.fetchall()
    if is_there and known and known[0][0] == content:
        return LoadedTable(file, relation, "unchanged", int(known[0][1]))
    import psycopg2

    try:
        read = _replace(connection, file, schema, table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"delete from {LEDGER}"  # noqa: S608 - a constant
                " where schema_name = %s and table_name = %s",
                [schema, table],
            )
            cursor.execute(
                f"insert into {LEDGER} values (%s, %s, %s, %s, %s, %s)",  # noqa: S608 - a constant
                [file.source, table, file.path.name, content, read.rows, schema],
            )
        connection.commit()
    except BrokenFileError as error:
        connection.rollback()
        return LoadedTable(file, relation, "broken", 0, str(error))
    except psycopg2.DataError as error:
        connection.rollback()
        # The server's own words may hold a value.
        problem = f"Postgres cannot hold a value of it (code {error.pgcode})"
        return LoadedTable(file, relation, "broken", 0, problem)
    except BaseException:
        connection.rollback()
        raise
    outcome: Outcome = "replaced" if is_there else "loaded"
    return LoadedTable(file, relation, outcome, read.rows, notes=read.notes)


def _replace(connection: extensions.connection, file: RawFile, schema: str, table: str) -> ReadFile:
    import duckdb

    with duckdb.connect() as reader:
        reader.execute("set enable_progress_bar = false; set timezone = 'UTC'")
        read = read_file(reader, file, "raw_file")
        found = {str(row[0]): str(row[1]) for row in reader.execute("describe raw_file").fetchall()}
        if len(found) > _MOST_COLUMNS:
            raise BrokenFileError(
                f"it has {len(found):,} columns, and a table in Postgres {_MOST_COLUMNS:,} at most"
            )
        names = short_names(list(found))
        columns = ", ".join(
            f"{_as_kept(reader, name, kind)} as {quoted(names[name])}"
            for name, kind in found.items()
        )
        query = f"select {columns} from raw_file"  # noqa: S608 - quoted names
        rows = reader.execute(query).to_arrow_reader(_ROWS_A_BATCH)
        _make_room(connection, schema, table, rows.schema)
        written = write_rows(connection, quoted(schema, table), rows)
        # A build plans by what the server knows of the rows, and may come before it looks itself.
        with connection.cursor() as cursor:
            cursor.execute(f"analyze {quoted(schema, table)}")
    if written != read.rows:
        raise BrokenFileError(f"Postgres took {written:,} of its {read.rows:,} rows")
    notes = tuple(
        f"the column '{shown(name)}' is called {short}, as Postgres keeps 63 bytes of a name"
        for name, short in names.items()
        if short != name.lower()
    )
    return ReadFile(read.rows, (*read.notes, *notes))


def short_names(names: list[str]) -> dict[str, str]:
    """Each name in small letters; one of more than 63 bytes ends in a hash of the whole."""
    short = {name: _short_name(name.lower()) for name in names}
    if len(set(short.values())) < len(short):
        raise BrokenFileError("two column names differ by upper and lower case only")
    return short


def _short_name(name: str) -> str:
    content = name.encode()
    if len(content) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(content).hexdigest()[:8]
    return content[: _LONGEST_NAME - 9].decode(errors="ignore") + "_" + digest


def _as_kept(reader: duckdb.DuckDBPyConnection, name: str, kind: str) -> str:
    """How a column is read, so that both engines write its values alike as text."""
    column = quoted(name)
    if kind in ("DATE", "TIMESTAMP"):
        # Infinity and years that the other engine writes in another way.
        unlike = reader.execute(
            f"select count(*) from raw_file where {column} < '0001-01-01'"  # noqa: S608
            f" or {column} >= '9999-12-31'"
        ).fetchall()[0][0]
        return column if not unlike else f"cast({column} as text)"
    is_kept = kind in _KEPT or kind.startswith("DECIMAL")
    return column if is_kept else f"cast({column} as text)"


def _make_room(
    connection: extensions.connection, schema: str, table: str, columns: pa.Schema
) -> None:
    """An empty table with these columns. One that has them is emptied, so that views on it stay."""
    wanted = {field.name: column_type(field).replace(", ", ",") for field in columns}
    is_fitting = columns_of(connection, schema, table) == {
        name: kind.replace("timestamp", "timestamp without time zone")
        for name, kind in wanted.items()
    }
    place = quoted(schema, table)
    with connection.cursor() as cursor:
        if is_fitting:
            cursor.execute(f"truncate table {place}")
            return
        cursor.execute(f"create schema if not exists {quoted(schema)}")
        # Views of staging hang on it; the next build makes them anew.
        cursor.execute(f"drop table if exists {place} cascade")
    create_table(connection, place, columns)
