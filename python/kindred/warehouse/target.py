"""The target of the profile on whichever engine: open it, lock it, and where its files lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kindred.errors import KindredError
from kindred.project import Profile, Project
from kindred.warehouse import database, lock, postgres
from kindred.warehouse.database import Connection, has_relation
from kindred.warehouse.duckdb_copy import copy_tables

if TYPE_CHECKING:
    import duckdb
    from psycopg2 import extensions

_REPORT_MARTS = ("data_quality_results", "run_history", "identity_health")
_REPORT_IDENTITY = ("generation", "int_person_model", "int_account_model")


@dataclass(frozen=True)
class Held:
    """The run lock while it is held.

    descriptor: what a child must keep open. server: on Postgres, the connection that the lock lives
    and dies with; what must not happen without the lock is done over it.
    """

    descriptor: int
    server: extensions.connection | None = None

    def refuse_lost(self) -> None:
        """Raise KindredError where the lock is lost, so that another run may have begun."""
        lock.refuse_lost(self.descriptor)


@contextmanager
def opened(profile: Profile, *, read_only: bool = False) -> Iterator[Connection]:
    """A connection to the working database that questions can be asked of."""
    if postgres.is_postgres(profile):
        with postgres.connected(profile) as connection:
            yield postgres.AskedLikeDuckDB(connection)
        return
    with database.connected(profile.duckdb_path(), read_only=read_only) as connection:
        yield connection


@contextmanager
def read(place: Path | Profile) -> Iterator[Connection]:
    """A connection to ask questions of a working database: a DuckDB file, or a profile's target.

    KindredError where it does not exist, or a run is at work in a DuckDB file (exit code 3).
    """
    if isinstance(place, Path):
        if not place.is_file():
            raise KindredError(
                f"There is no database {place}.", "run `kindred build`, or name --database."
            )
        with database.connected(place, read_only=True) as connection:
            yield connection
        return
    refuse_missing(place)
    with opened(place, read_only=True) as connection:
        yield connection


def refuse_unbuilt(
    connection: Connection, place: Path | Profile, schema: str, tables: Iterable[str], what: str
) -> None:
    """Refuse a working database that lacks one of `tables`; what: what these hold, in a word."""
    if all(has_relation(connection, schema, name) for name in tables):
        return
    if isinstance(place, Path):
        raise KindredError(f"{place.name} holds no {what} yet.", "run `kindred build` first.")
    mend = "run `kindred build` first"
    if postgres.is_postgres(place):
        # A login without the right to read a table does not see it either.
        mend += "; if it was run, ask as the login that builds"
    raise KindredError(f"{name_of(place)} holds no {what} yet.", f"{mend}.")


@contextmanager
def for_the_report(connection: Connection, profile: Profile) -> Iterator[duckdb.DuckDBPyConnection]:
    """What the report reads, in DuckDB: the working file itself, or a copy in memory of its tables.

    They hold counts, weights and models, and a few thousand rows.
    """
    import duckdb

    if isinstance(connection, duckdb.DuckDBPyConnection):
        yield connection
        return
    identity = profile.schema_of("identity")
    tables = [(profile.schema, name) for name in _REPORT_MARTS]
    tables += [(identity, name) for name in _REPORT_IDENTITY]
    with duckdb.connect() as copy:
        copy.execute("set timezone = 'UTC'")
        copy_tables(connection, tables, copy)
        yield copy


@contextmanager
def locked(profile: Profile, command: str) -> Iterator[Held]:
    """Hold the run lock for the block.

    A second run is refused at once (exit code 3). On Postgres the lock is the server's and lasts as
    long as the connection, which a child that has its descriptor keeps open.
    """
    if postgres.is_postgres(profile):
        with postgres.connected(profile) as connection, postgres.run_lock(connection):
            yield Held(connection.fileno(), connection)
        return
    with lock.run_lock(profile.duckdb_path(), command) as descriptor:
        yield Held(descriptor)


def umask_for(profile: Profile) -> int:
    """The umask for what builds in a target: see `database.private_umask`."""
    if postgres.is_postgres(profile):
        return -1
    return database.private_umask(profile.duckdb_path())


def home_of(project: Project, profile: Profile) -> Path:
    """The folder that reports are written to: beside a DuckDB file, else the project's."""
    return project.root if postgres.is_postgres(profile) else profile.duckdb_path().parent


def name_of(profile: Profile) -> str:
    """The working database, as messages name it."""
    if postgres.is_postgres(profile):
        return f"the database {profile.settings.get('dbname') or profile.settings.get('database')}"
    return profile.duckdb_path().name


def refuse_missing(profile: Profile) -> None:
    """Refuse a DuckDB target whose file does not exist yet."""
    if not postgres.is_postgres(profile) and not profile.duckdb_path().exists():
        raise KindredError(
            f"There is no database {profile.duckdb_path()} yet.",
            "run `kindred load DIR`, then `kindred build`.",
        )
