"""The working database: opening a DuckDB file, naming things, small questions.

A question takes a DuckDB connection or a Postgres one (`AskedLikeDuckDB`) and is written in SQL
that both read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from kindred.errors import KindredError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from kindred.warehouse.postgres import AskedLikeDuckDB

_HOLDER = re.compile(r"PID (\d+)")


# How Postgres calls types, and the names that both engines read.
_TYPES = {
    "text": "VARCHAR",
    "character varying": "VARCHAR",
    "timestamp without time zone": "TIMESTAMP",
    "numeric": "DECIMAL(38, 6)",
}


class Connection(Protocol):
    """What questions need of a connection."""

    def execute(self, query: Any, parameters: Any = ..., /) -> Any:
        """Run a statement and give something with `fetchall`."""

    def executemany(self, query: Any, parameters: Any = ..., /) -> Any:
        """Run a statement once for each row of values."""

    def begin(self) -> Any:
        """Open a transaction."""

    def commit(self) -> Any:
        """Commit the open transaction."""

    def rollback(self) -> Any:
        """Roll the open transaction back."""


def is_postgres(connection: Connection) -> TypeGuard[AskedLikeDuckDB]:
    """Whether a connection leads to Postgres."""
    return getattr(connection, "engine", "duckdb") == "postgres"


def engine_errors() -> tuple[type[Exception], ...]:
    """What the engines raise."""
    import duckdb
    import psycopg2

    return (duckdb.Error, psycopg2.Error)


def quoted(*parts: str) -> str:
    """A quoted SQL name of one or more parts."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(value: str) -> str:
    """A SQL text literal."""
    return "'" + value.replace("'", "''") + "'"


def values_of(texts: Iterable[str]) -> str:
    """A list of texts to stand after `in`; nothing is in an empty one."""
    return "(" + (", ".join(map(literal, texts)) or "null") + ")"


def path_literal(path: Path) -> str:
    """A path as a literal that DuckDB reads as this file, and not as a pattern of many."""
    return literal(re.sub(r"[*?\[]", lambda sign: f"[{sign.group()}]", str(path)))


def refuse_ambiguous_name(path: Path, schema: str) -> None:
    """Refuse a working file whose stem is the schema's name.

    DuckDB names the catalog after the file, and a catalog and a schema of one name are
    ambiguous in every query.
    """
    if path.stem == schema:
        raise KindredError(
            f"The working database {path.name} has the name of the schema '{schema}', "
            "which DuckDB cannot tell apart.",
            f"name it {schema}_build.duckdb (KINDRED_DATABASE, or `path` in profiles.yml).",
        )


@contextmanager
def connected(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the DuckDB file `path`; KindredError where it cannot be had.

    A file that is made here can be read by its owner only: it will hold every name.
    """
    import duckdb

    if read_only and not path.exists():
        raise KindredError(
            f"There is no database {path} yet.", "load data with `kindred load DIR`."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    try:
        connection = duckdb.connect(str(path), read_only=read_only)
        if is_new:
            path.chmod(0o600)
    except duckdb.IOException as error:
        text = str(error)
        if "lock" in text.lower():
            holder = _HOLDER.search(text)
            who = f" (process {holder.group(1)})" if holder else ""
            raise KindredError(
                f"Another program has the database {path.name} open{who}.",
                "close it there, or read from published/current/kindred.duckdb instead.",
                exit_code=3,
            ) from error
        raise KindredError(
            f"The database {path} cannot be opened.",
            "check that it is a DuckDB file of version 1.x and that you may write it.",
        ) from error
    except duckdb.Error as error:
        raise KindredError(f"The database {path} cannot be opened.") from error
    try:
        connection.execute("set enable_progress_bar = false; set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()


def private_umask(path: Path) -> int:
    """The umask under which what DuckDB makes beside a file is as private as the file: its
    write-ahead log, and what it lays aside while it works, hold the same names.

    -1, which leaves the umask as it is, where the file is shared with others on purpose.
    """
    is_private = not path.exists() or not path.stat().st_mode & 0o077
    return 0o077 if is_private else -1


@contextmanager
def as_private_as(path: Path) -> Iterator[None]:
    """What this process makes meanwhile is as private as a DuckDB file."""
    umask = private_umask(path)
    if umask < 0:
        yield
        return
    before = os.umask(umask)
    try:
        yield
    finally:
        os.umask(before)


def has_relation(connection: Connection, schema: str, name: str) -> bool:
    """Whether a table or view of that name exists."""
    found = connection.execute(
        "select count(*) from information_schema.tables"
        " where table_catalog = current_database() and lower(table_schema) = lower(?)"
        " and lower(table_name) = lower(?)",
        [schema, name],
    ).fetchall()
    return bool(found[0][0])


def relations(connection: Connection, *, only_tables: bool = False) -> dict[str, list[str]]:
    """Tables and views, or tables alone, by schema, both in lower case and sorted."""
    rows = connection.execute(
        "select lower(table_schema), lower(table_name) from information_schema.tables"
        " where table_catalog = current_database() and (table_type = 'BASE TABLE' or not ?)"
        " order by 1, 2",
        [only_tables],
    ).fetchall()
    found: dict[str, list[str]] = {}
    for schema, name in rows:
        found.setdefault(schema, []).append(name)
    return found


def columns_of(connection: Connection, schema: str, name: str) -> dict[str, str]:
    """Columns of a relation with their types, in order; empty where it does not exist."""
    rows = connection.execute(
        "select column_name, data_type from information_schema.columns"
        " where table_catalog = current_database() and lower(table_schema) = lower(?)"
        " and lower(table_name) = lower(?) order by ordinal_position",
        [schema, name],
    ).fetchall()
    return {str(column): _TYPES.get(str(kind), str(kind).upper()) for column, kind in rows}


def columns_of_query(connection: Connection, query: str) -> dict[str, str]:
    """Columns of a query with their types, in order."""
    if is_postgres(connection):
        connection.execute(f"create temporary view described_query as {query}")
        found = connection.execute(
            "select attname, format_type(atttypid, null) from pg_attribute"
            " where attrelid = 'pg_temp.described_query'::regclass and attnum > 0 order by attnum"
        ).fetchall()
        connection.execute("drop view pg_temp.described_query")
    else:
        found = connection.execute(f"describe {query}").fetchall()
    return {str(row[0]): _TYPES.get(str(row[1]), str(row[1]).upper()) for row in found}


def arrow_rows(connection: Connection, query: str) -> pa.Table:
    """The rows of a query as an Arrow table."""
    if is_postgres(connection):
        from kindred.warehouse.postgres_copy import read_query

        return read_query(connection.raw, query)
    return connection.execute(query).to_arrow_table()


def row_count(connection: Connection, schema: str, name: str) -> int:
    """Number of rows of a relation."""
    sql = f"select count(*) from {quoted(schema, name)}"  # noqa: S608 - quoted names
    return int(connection.execute(sql).fetchall()[0][0])
