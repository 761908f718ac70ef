"""The tables of a Postgres target in DuckDB, for what is asked of DuckDB alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kindred.errors import KindredError
from kindred.project import Profile, Project, configured_schemas, source_schema
from kindred.warehouse import postgres
from kindred.warehouse.database import (
    Connection,
    arrow_rows,
    has_relation,
    quoted,
    relations,
)

if TYPE_CHECKING:
    import duckdb

STAGING = "staging"
_SUPPRESSIONS = "privacy"


def copied_profile(profile: Profile, path: Path) -> Profile:
    """The target as one of DuckDB in the file `path`: same name, same schemas.

    Opened as profiles.example.yml opens one.
    """
    memory = os.environ.get("KINDRED_MEMORY_LIMIT", "3GB")
    settings = {
        "type": "duckdb",
        "path": str(path),
        "schema": profile.schema,
        "threads": 2,
        "settings": {
            "TimeZone": "UTC",
            "memory_limit": memory,
            "preserve_insertion_order": False,
        },
    }
    return replace(profile, type="duckdb", database_path=path, settings=settings)


def copy_target(project: Project, profile: Profile, path: Path, *, with_raw: bool) -> None:
    """Copy the working tables of a Postgres target into the new DuckDB file `path`.

    All are of one moment; a run at work is refused (exit code 3). Without `with_raw`, the raw
    tables stay behind; what staging makes always does. Each table is held in memory on its way.
    Raises KindredError where a table may not be read.
    """
    import duckdb
    from psycopg2.errors import InsufficientPrivilege

    with (
        postgres.connected(profile) as given,
        postgres.run_lock(given),
        duckdb.connect(str(path)) as into,
    ):
        path.chmod(0o600)
        asked = postgres.AskedLikeDuckDB(given)
        asked.begin()
        try:
            asked.execute("set transaction isolation level repeatable read read only")
            copy_tables(asked, _working_tables(asked, project, profile, with_raw), into)
        except InsufficientPrivilege as error:
            raise KindredError(
                f"The working tables of the target '{profile.target}' cannot be read.",
                "ask as the login that builds; see docs/postgres.md.",
            ) from error
        finally:
            asked.rollback()


def copy_tables(
    given: Connection, tables: Iterable[tuple[str, str]], into: duckdb.DuckDBPyConnection
) -> None:
    """Copy tables (schema and name), under their names; those that do not exist are left out."""
    for schema, name in tables:
        if not has_relation(given, schema, name):
            continue
        place = quoted(schema, name)
        rows = arrow_rows(given, f"select * from {place}")  # noqa: S608 - quoted names
        into.execute(f"create schema if not exists {quoted(schema)}")
        into.register("copied", rows)
        into.execute(f"create table {place} as from copied")
        into.unregister("copied")


def _working_tables(
    given: Connection, project: Project, profile: Profile, with_raw: bool
) -> list[tuple[str, str]]:
    """Tables (no views) of the models' and seeds' schemas but staging's, and of the sources."""
    schemas = {profile.schema, _SUPPRESSIONS}
    schemas |= {profile.schema_of(s) for s in configured_schemas(project) if s != STAGING}
    if with_raw:
        schemas |= {source_schema(project, source) for source in project.sources}
    found = relations(given, only_tables=True)
    return [(schema, name) for schema in sorted(schemas) for name in found.get(schema, [])]
