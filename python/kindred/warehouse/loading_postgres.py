"""Load raw files into the raw schemas of a Postgres database.

DuckDB reads the files in memory, with the same eyes and the same complaints as when it keeps them;
the rows go on to Postgres by COPY.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa

from kindred.warehouse.database import quoted
from kindred.warehouse.loading import LoadedTable
from kindred.warehouse.postgres import columns_of, has_relation
from kindred.warehouse.postgres_copy import column_type, create_table, write_rows
from kindred.warehouse.raw_files import BrokenFileError, RawFile, fingerprint
from kindred.warehouse.raw_files import create_table as read_file

if TYPE_CHECKING:
    from psycopg2 import extensions

LEDGER = "kindred_load.loaded_files"
_ROWS_A_BATCH = 50_000
# What both engines write alike as text; staging reads text.
_KEPT = ("VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DATE", "TIMESTAMP")


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
    try:
        rows = _replace(connection, file, schema, table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"delete from {LEDGER}"  # noqa: S608 - a constant
                " where schema_name = %s and table_name = %s",
                [schema, table],
            )
            cursor.execute(
                f"insert into {LEDGER} values (%s, %s, %s, %s, %s, %s)",  # noqa: S608 - a constant
                [file.source, table, file.path.name, content, rows, schema],
            )
        connection.commit()
    except BrokenFileError as error:
        connection.rollback()
        return LoadedTable(file, relation, "broken", 0, str(error))
    except BaseException:
        connection.rollback()
        raise
    return LoadedTable(file, relation, "replaced" if is_there else "loaded", rows)


def _replace(connection: extensions.connection, file: RawFile, schema: str, table: str) -> int:
    import duckdb

    with duckdb.connect() as reader:
        reader.execute("set enable_progress_bar = false; set timezone = 'UTC'")
        read_file(reader, file, "raw_file")
        found = reader.execute("describe raw_file").fetchall()
        names = _lower_names([str(row[0]) for row in found])
        columns = ", ".join(
            f"{_as_kept(str(row[0]), str(row[1]))} as {quoted(name)}"
            for row, name in zip(found, names, strict=True)
        )
        query = f"select {columns} from raw_file"  # noqa: S608 - quoted names
        rows = reader.execute(query).to_arrow_reader(_ROWS_A_BATCH)
        place = quoted(schema, table)
        _make_room(connection, schema, table, rows.schema)
        return write_rows(connection, place, rows)


def _lower_names(names: list[str]) -> list[str]:
    lowered = [name.lower() for name in names]
    for name in lowered:
        if len(name.encode()) > 63:
            raise BrokenFileError(
                f"the column name '{name}' is longer than the 63 bytes of Postgres"
            )
    if len(set(lowered)) < len(lowered):
        raise BrokenFileError("two column names differ by upper and lower case only")
    return lowered


def _as_kept(name: str, kind: str) -> str:
    if kind in _KEPT or kind.startswith("DECIMAL"):
        column = quoted(name)
        # Postgres cannot hold the character with code 0.
        return f"replace({column}, chr(0), '')" if kind == "VARCHAR" else column
    return f"cast({quoted(name)} as text)"


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
