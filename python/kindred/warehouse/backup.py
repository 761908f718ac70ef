"""Back up the state that no build can make again, and restore it, on either engine.

State is what models remember from run to run: those that even `--full-refresh` leaves alone
(`full_refresh: false`), snapshots, the list of suppressed people, and what the raw tables held at
the last run, by which a source that comes half empty is told. All else is made anew from raw
tables, seeds and code. A backup is a folder of Parquet files with a manifest, `backup.json`;
one of DuckDB can be restored on Postgres and the other way round.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from kindred import __version__
from kindred.errors import KindredError
from kindred.project import Profile, Project, source_schema
from kindred.warehouse import raw_state
from kindred.warehouse.database import (
    Connection,
    arrow_rows,
    columns_of,
    columns_of_query,
    engine_errors,
    has_relation,
    is_postgres,
    quoted,
    row_count,
)

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MANIFEST = "backup.json"
FORMAT = 1
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_ANOTHER = "restore another backup."
_GIVEN = "kindred_restored_rows"


@dataclass(frozen=True, order=True)
class StateTable:
    """A table of state. schema: the folder's, as in dbt_project.yml; empty: the target's own."""

    schema: str
    name: str

    def place(self, project: Project, profile: Profile) -> tuple[str, str]:
        """Schema and name of the table in a target."""
        if self.schema == SUPPRESSION.schema:
            return source_schema(project, self.schema), self.name
        if self.schema == LAST_RAW.schema:
            return self.schema, self.name
        return (profile.schema_of(self.schema) if self.schema else profile.schema), self.name

    @property
    def key(self) -> tuple[str, ...]:
        """What tells its rows apart, where a restore adds to what is there instead of replacing it.

        Nobody who was suppressed since the backup may come back by it.
        """
        return ("identifier_type", "identifier_hash") if self == SUPPRESSION else ()


SUPPRESSION = StateTable("privacy", "suppression")
LAST_RAW = StateTable(*raw_state.PLACE)
# Tables that grow with the state they tell; where they are empty, a build makes them anew from it.
GROWING = (StateTable("", "customer_id_changes"), StateTable("", "account_id_changes"))


@dataclass(frozen=True)
class SavedTable:
    """A table of a backup. required: columns that are never null. sha256: of its file."""

    schema: str
    name: str
    rows: int
    columns: dict[str, str]
    required: tuple[str, ...]
    sha256: str

    @property
    def state(self) -> StateTable:
        """The table it was taken from."""
        return StateTable(self.schema, self.name)

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"{self.name}.parquet"


@dataclass(frozen=True)
class Backup:
    """A backup: the last finished run in it, and its tables."""

    generation: int
    engine: str
    version: str
    tables: tuple[SavedTable, ...]


def state_tables(manifest: Path) -> list[StateTable]:
    """Tables that hold state, by dbt's manifest and by what commands write."""
    content = json.loads(manifest.read_text(encoding="utf-8"))
    found = [
        StateTable(str(node["config"].get("schema") or ""), str(node.get("alias") or node["name"]))
        for node in content["nodes"].values()
        if node["resource_type"] == "snapshot"
        or (node["resource_type"] == "model" and node["config"].get("full_refresh") is False)
    ]
    return sorted([*found, SUPPRESSION, LAST_RAW])


def back_up(
    connection: Connection,
    project: Project,
    profile: Profile,
    tables: Sequence[StateTable],
    folder: Path,
) -> Backup:
    """Write a backup into the new folder `folder`, readable for this user only.

    The run lock is the caller's. Raises KindredError where the folder is in use, where there is no
    state yet, or where it cannot be written. What is not finished is never under its name.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise KindredError(
            f"{folder} holds something already.", "name a new folder for each backup."
        )
    there = [table for table in tables if has_relation(connection, *table.place(project, profile))]
    if not there:
        raise KindredError(
            "There is no state to back up yet.", "run `kindred build` first; it makes it."
        )
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished.mkdir(mode=0o700)
        done = _write(connection, project, profile, there, unfinished)
        if folder.is_dir():
            folder.rmdir()
        unfinished.rename(folder)
        _sync(folder.parent)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        why = str(error.strerror)
        if isinstance(error, FileExistsError | NotADirectoryError):
            why = "a part of the path is a file"
        raise KindredError(
            f"The backup {folder} cannot be written: {why}.",
            "free some room, or name another folder.",
        ) from error
    return done


def _write(
    connection: Connection,
    project: Project,
    profile: Profile,
    tables: Sequence[StateTable],
    folder: Path,
) -> Backup:
    connection.begin()
    try:
        if is_postgres(connection):
            connection.execute("set transaction isolation level repeatable read read only")
        saved = tuple(
            _save(connection, table, table.place(project, profile), folder) for table in tables
        )
        generation = _last_run(connection, profile)
    finally:
        connection.rollback()
    engine = "postgres" if is_postgres(connection) else "duckdb"
    done = Backup(generation, engine, __version__, saved)
    told = {
        "format": FORMAT,
        "kindred": done.version,
        "engine": done.engine,
        "generation": done.generation,
        "tables": [asdict(table) for table in saved],
    }
    (folder / MANIFEST).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        path.chmod(0o600)
        _sync(path)
    _sync(folder)
    return done


def _save(
    connection: Connection, table: StateTable, place: tuple[str, str], folder: Path
) -> SavedTable:
    from pyarrow import parquet

    rows = arrow_rows(connection, f"select * from {quoted(*place)}")  # noqa: S608 - quoted names
    file = folder / f"{table.name}.parquet"
    parquet.write_table(rows, file, compression="zstd")
    return SavedTable(
        schema=table.schema,
        name=table.name,
        rows=rows.num_rows,
        columns=_types(rows),
        required=tuple(_required(connection, *place)),
        sha256=_digest(file),
    )


def _types(rows: pa.Table) -> dict[str, str]:
    return {field.name: str(field.type) for field in rows.schema}


def _required(connection: Connection, schema: str, name: str) -> list[str]:
    """Columns that may not be null."""
    found = connection.execute(
        "select column_name from information_schema.columns"
        " where table_catalog = current_database() and table_schema = ? and table_name = ?"
        " and is_nullable = 'NO' order by ordinal_position",
        [schema, name],
    ).fetchall()
    return [str(column) for (column,) in found]


def _last_run(connection: Connection, profile: Profile) -> int:
    if not has_relation(connection, profile.schema, "run_history"):
        return 0
    place = quoted(profile.schema, "run_history")
    latest = f"select max(generation) from {place}"  # noqa: S608 - quoted name
    rows = connection.execute(latest).fetchall()
    return int(rows[0][0] or 0)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_backup(folder: Path) -> Backup:
    """The backup in `folder`, by its manifest; KindredError where that cannot be used."""
    path = folder / MANIFEST
    if not path.is_file():
        raise KindredError(
            f"There is no backup in {folder}.", f"name a folder with a {MANIFEST} in it."
        )
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if int(told["format"]) > FORMAT:
            raise KindredError(
                f"The backup {folder} was made by a newer Kindred ({told['kindred']}).",
                "restore it with that version.",
            )
        tables = tuple(_saved(table) for table in told["tables"])
        return Backup(int(told["generation"]), str(told["engine"]), str(told["kindred"]), tables)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise KindredError(f"{path} is damaged.", _ANOTHER) from error


def _saved(told: dict[str, Any]) -> SavedTable:
    found = SavedTable(
        schema=str(told["schema"]),
        name=str(told["name"]),
        rows=int(told["rows"]),
        columns={str(name): str(kind) for name, kind in told["columns"].items()},
        required=tuple(str(name) for name in told["required"]),
        sha256=str(told["sha256"]),
    )
    names = [found.name, *([found.schema] if found.schema else [])]
    if not all(_PLAIN_NAME.fullmatch(name) for name in names):
        raise ValueError("not a name")
    return found


def restore(
    connection: Connection,
    project: Project,
    profile: Profile,
    folder: Path,
    *,
    is_replacing: bool = False,
) -> Backup:
    """Put the state of a backup into the target, in one transaction; the run lock is the caller's.

    Everything is looked at before anything is touched. State that is there is replaced only with
    `is_replacing`; suppressions are always added to those there are. What grew with the state that
    was there is emptied: the next build fills it. Raises KindredError where the backup is damaged
    or the target holds state.
    """
    backup = read_backup(folder)
    given = [(table, _rows(folder, table)) for table in backup.tables]
    places = {table.name: table.state.place(project, profile) for table in backup.tables}
    taken = [
        ".".join(places[table.name])
        for table in backup.tables
        if not table.state.key
        and has_relation(connection, *places[table.name])
        and row_count(connection, *places[table.name])
    ]
    if taken and not is_replacing:
        raise KindredError(
            f"The target holds state already: {', '.join(taken)}.",
            "restore into an empty warehouse, or say --replace to put the backup in its place "
            "(`kindred backup` it first).",
        )
    connection.begin()
    try:
        for table, rows in given:
            _put(connection, table, places[table.name], rows)
        for growing in GROWING:
            place = growing.place(project, profile)
            if has_relation(connection, *place):
                _empty(connection, place)
        connection.commit()
    except engine_errors() as error:
        connection.rollback()
        raise KindredError(
            f"The backup does not fit the target ({type(error).__name__}); nothing was restored.",
            "restore into an empty warehouse.",
        ) from error
    except BaseException:
        connection.rollback()
        raise
    return backup


def _rows(folder: Path, table: SavedTable) -> pa.Table:
    """Rows of a table of the backup, after holding them against the manifest."""
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / table.file
    if not path.is_file():
        raise KindredError(f"{path} is missing.", _ANOTHER)
    try:
        rows = parquet.read_table(path) if _digest(path) == table.sha256 else None
    except (OSError, pa.ArrowException) as error:
        raise KindredError(f"{path} cannot be read.", _ANOTHER) from error
    if rows is None or rows.num_rows != table.rows or _types(rows) != table.columns:
        raise KindredError(f"{path} is not the file that was backed up.", _ANOTHER)
    return rows


def _empty(connection: Connection, place: tuple[str, str]) -> None:
    connection.execute(f"delete from {quoted(*place)}")  # noqa: S608 - quoted name


def _put(connection: Connection, table: SavedTable, place: tuple[str, str], rows: pa.Table) -> None:
    given = _offer(connection, rows)
    names = ", ".join(quoted(name) for name in rows.column_names)
    target = quoted(*place)
    _make_fit(connection, table, place, given)
    insert = f"insert into {target} ({names}) select {names} from {given}"  # noqa: S608 - quoted
    if table.state.key:
        same = " and ".join(f"held.{quoted(n)} = {given}.{quoted(n)}" for n in table.state.key)
        known = f"select 1 from {target} as held where {same}"  # noqa: S608 - quoted names
        insert += f" where not exists ({known})"
    else:
        _empty(connection, place)
    connection.execute(insert)
    _withdraw(connection)


def _make_fit(
    connection: Connection, table: SavedTable, place: tuple[str, str], given: str
) -> None:
    """Make the table where it is not there, else add what columns it lacks; drop nothing."""
    target = quoted(*place)
    held = columns_of(connection, *place)
    if not held:
        connection.execute(f"create schema if not exists {quoted(place[0])}")
        empty = f"select * from {given} where 1 = 0"  # noqa: S608 - a name of our own
        connection.execute(f"create table {target} as {empty}")
        for name in table.required:
            connection.execute(f"alter table {target} alter column {quoted(name)} set not null")
        return
    rows = f"select * from {given}"  # noqa: S608 - a name of our own
    for name, kind in columns_of_query(connection, rows).items():
        if name.lower() not in {column.lower() for column in held}:
            connection.execute(f"alter table {target} add column {quoted(name)} {kind}")


def _offer(connection: Connection, rows: pa.Table) -> str:
    """Rows as a temporary relation of the session; its name."""
    if is_postgres(connection):
        from kindred.warehouse.postgres_copy import create_table, write_rows

        create_table(connection.raw, f"pg_temp.{quoted(_GIVEN)}", rows.schema)
        write_rows(connection.raw, f"pg_temp.{quoted(_GIVEN)}", rows)
    else:
        cast("duckdb.DuckDBPyConnection", connection).register(_GIVEN, rows)
    return _GIVEN


def _withdraw(connection: Connection) -> None:
    if is_postgres(connection):
        connection.execute(f"drop table pg_temp.{quoted(_GIVEN)}")
    else:
        cast("duckdb.DuckDBPyConnection", connection).unregister(_GIVEN)
