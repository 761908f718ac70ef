"""Load raw files into the raw schemas of the working database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kindred.warehouse.database import has_relation, quoted
from kindred.warehouse.raw_files import RawFile, create_table, fingerprint
from kindred.warehouse.raw_problem import BrokenFileError

if TYPE_CHECKING:
    import duckdb

LEDGER = '"kindred_load"."loaded_files"'
Outcome = Literal["loaded", "replaced", "unchanged", "broken"]


@dataclass(frozen=True)
class LoadedTable:
    """What became of one raw file."""

    file: RawFile
    relation: str
    outcome: Outcome
    rows: int
    problem: str = ""
    notes: tuple[str, ...] = ()


def load_files(
    connection: duckdb.DuckDBPyConnection,
    files: tuple[RawFile, ...],
    schema_of: Callable[[str], str],
    progress: Callable[[RawFile], None] = lambda file: None,
) -> list[LoadedTable]:
    """Load each file into `<schema_of(source)>.<table>`, one transaction a file.

    A file whose content is in its table already is left alone; a changed one replaces the whole
    table; of a broken one nothing is loaded and the table stays as it was.
    """
    connection.execute(
        "create schema if not exists kindred_load;"
        f" create table if not exists {LEDGER} (source text, table_name text, file_name text,"
        " sha256 text, row_count bigint, schema_name text)"
    )
    done: list[LoadedTable] = []
    for file in files:
        progress(file)
        done.append(_load_file(connection, file, schema_of(file.source)))
    return done


def _load_file(connection: duckdb.DuckDBPyConnection, file: RawFile, schema: str) -> LoadedTable:
    relation = f"{schema}.{file.table}"
    content = fingerprint(file.path)
    is_there = has_relation(connection, schema, file.table)
    known = connection.execute(
        f"select sha256, row_count from {LEDGER}"  # noqa: S608 - a constant
        " where schema_name = ? and lower(table_name) = lower(?)",
        [schema, file.table],
    ).fetchall()
    if is_there and known and known[0][0] == content:
        return LoadedTable(file, relation, "unchanged", int(known[0][1]))
    connection.execute(f"create schema if not exists {quoted(schema)}")
    connection.begin()
    try:
        read = create_table(connection, file, quoted(schema, file.table))
        connection.execute(
            f"delete from {LEDGER}"  # noqa: S608 - a constant
            " where schema_name = ? and lower(table_name) = lower(?)",
            [schema, file.table],
        )
        connection.execute(
            f"insert into {LEDGER} values (?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
            [file.source, file.table, file.path.name, content, read.rows, schema],
        )
        connection.commit()
    except BrokenFileError as error:
        connection.rollback()
        return LoadedTable(file, relation, "broken", 0, str(error))
    except BaseException:
        connection.rollback()
        raise
    outcome: Outcome = "replaced" if is_there else "loaded"
    return LoadedTable(file, relation, outcome, read.rows, notes=read.notes)
