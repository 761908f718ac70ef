"""The working DuckDB file: opening it, naming things in it, small questions to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kindred.errors import KindredError

if TYPE_CHECKING:
    import duckdb

_HOLDER = re.compile(r"PID (\d+)")


def quoted(*parts: str) -> str:
    """A quoted SQL name of one or more parts."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(value: str) -> str:
    """A SQL text literal."""
    return "'" + value.replace("'", "''") + "'"


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
    """A connection to the DuckDB file `path`; KindredError where it cannot be had."""
    import duckdb

    if read_only and not path.exists():
        raise KindredError(
            f"There is no database {path} yet.", "load data with `kindred load DIR`."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(str(path), read_only=read_only)
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


def has_relation(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    """Whether a table or view of that name exists."""
    found = connection.execute(
        "select count(*) from information_schema.tables"
        " where table_catalog = current_database() and lower(table_schema) = lower(?)"
        " and lower(table_name) = lower(?)",
        [schema, name],
    ).fetchall()
    return bool(found[0][0])


def relations(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Tables and views by schema, both in lower case and sorted."""
    rows = connection.execute(
        "select lower(table_schema), lower(table_name) from information_schema.tables"
        " where table_catalog = current_database() order by 1, 2"
    ).fetchall()
    found: dict[str, list[str]] = {}
    for schema, name in rows:
        found.setdefault(schema, []).append(name)
    return found


def columns_of(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> dict[str, str]:
    """Columns of a relation with their types, in order; empty where it does not exist."""
    rows = connection.execute(
        "select column_name, data_type from information_schema.columns"
        " where table_catalog = current_database() and lower(table_schema) = lower(?)"
        " and lower(table_name) = lower(?) order by ordinal_position",
        [schema, name],
    ).fetchall()
    return {str(column): str(kind) for column, kind in rows}


def row_count(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> int:
    """Number of rows of a relation."""
    sql = f"select count(*) from {quoted(schema, name)}"  # noqa: S608 - quoted names
    return int(connection.execute(sql).fetchall()[0][0])
