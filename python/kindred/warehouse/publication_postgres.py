"""Publish a checked build on Postgres: tables of the run's own, then one transaction of views.

Every publication copies the marts into a schema of its own, `published_run_<run>`. People read
views: in `published` (masked, for BI) and in `published_restricted` (as they are). One transaction
points all views to the new tables: a reader sees the old run or the new one. Views keep their
grants.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kindred.errors import KindredError
from kindred.project import Profile
from kindred.quality.results import Generation
from kindred.warehouse.database import Connection, columns_of, literal, quoted, row_count
from kindred.warehouse.exposure import PublishedModel, masked_select
from kindred.warehouse.postgres import AskedLikeDuckDB

if TYPE_CHECKING:
    from psycopg2 import extensions

MASKED, RESTRICTED, RUN = "published", "published_restricted", "published_run"
_DONE = "A publication of Kindred."
# Shorter than the second after which the server would end a reader's query to solve a deadlock.
_PATIENCE = "400ms"
_TRIES = 100


@dataclass(frozen=True)
class View:
    """A view that people read: its place, what it selects, and what is to be said of it."""

    schema: str
    model: PublishedModel
    columns: tuple[str, ...]
    query: str
    is_masked: bool

    @property
    def place(self) -> str:
        """Its quoted name."""
        return quoted(self.schema, self.model.name)


def write_publication(
    connection: AskedLikeDuckDB,
    profile: Profile,
    models: list[PublishedModel],
    generation: Generation,
    keep: int,
    progress: Callable[[str], None],
    lock: extensions.connection | None = None,
) -> tuple[str, dict[str, int], list[str]]:
    """Publish `models`; the schema of the run, rows by table, and the schemas that were removed.

    The run lock and the verdict of the checks are the caller's. lock: the connection that holds the
    run lock. Over it the views are pointed to the new tables: they can be only while it is held.
    """
    for schema in _run_schemas(connection, profile):
        if not _is_done(connection, schema):
            connection.execute(f"drop schema {quoted(schema)} cascade")
    run = _free_name(connection, profile, generation)
    connection.execute(f"create schema {quoted(run)}")
    rows: dict[str, int] = {}
    for model in models:
        progress(f"{model.schema}.{model.name}")
        rows[model.name] = _copy(connection, model, run)
    views = _views(connection, profile, models, run)
    visibly = connection if lock is None else AskedLikeDuckDB(lock)
    _point(visibly, views, f"comment on schema {quoted(run)} is {literal(_DONE)}")
    for view in views:
        _describe(connection, view)
    return run, rows, _remove_old(connection, profile, keep)


def run_schema_pattern(profile: Profile) -> str:
    """A pattern of the names of publications' own schemas, which Python and Postgres both read."""
    start = re.escape(profile.schema_of(RUN))
    return f"^{start}_[0-9]{{6,}}_[0-9]{{8}}t[0-9]{{6}}(_[0-9]+){{0,1}}$"


def _run_schemas(connection: Connection, profile: Profile) -> list[str]:
    """Schemas of publications, oldest first."""
    found = connection.execute("select nspname from pg_namespace order by nspname").fetchall()
    name = re.compile(run_schema_pattern(profile))
    return [str(schema) for (schema,) in found if name.match(str(schema))]


def _is_done(connection: Connection, schema: str) -> bool:
    found = connection.execute(
        "select obj_description(oid) from pg_namespace where nspname = ?", [schema]
    ).fetchall()
    return bool(found) and found[0][0] == _DONE


def _free_name(connection: Connection, profile: Profile, generation: Generation) -> str:
    name = f"{profile.schema_of(RUN)}_{generation.number:06d}_{generation.as_of:%Y%m%dt%H%M%S}"
    taken = set(_run_schemas(connection, profile))
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def _copy(connection: Connection, model: PublishedModel, run: str) -> int:
    source, place = quoted(model.schema, model.name), quoted(run, model.name)
    query = f"select * from {source}"  # noqa: S608 - quoted names
    connection.execute(f"create table {place} as {query}")
    for column in columns_of(connection, run, model.name):
        if column in ("customer_id", "account_id"):
            connection.execute(f"create index on {place} ({quoted(column)})")
        elif column == "record_id":
            # A record may be named by a text that is longer than an entry of a sorted index.
            connection.execute(f"create index on {place} using hash ({quoted(column)})")
    connection.execute(f"analyze {place}")
    return row_count(connection, run, model.name)


def _views(
    connection: Connection, profile: Profile, models: list[PublishedModel], run: str
) -> list[View]:
    found: list[View] = []
    for name, is_masked in ((MASKED, True), (RESTRICTED, False)):
        schema = profile.schema_of(name)
        connection.execute(f"create schema if not exists {quoted(schema)}")
        for model in models:
            columns = columns_of(connection, run, model.name)
            table = quoted(run, model.name)
            query = (
                masked_select(model, columns, table)
                if is_masked
                else f"select {', '.join(map(quoted, columns))} from {table}"  # noqa: S608 - quoted
            )
            found.append(View(schema, model, tuple(columns), query, is_masked))
    return found


def _point(connection: AskedLikeDuckDB, views: list[View], and_then: str) -> None:
    """Point all views to the new tables in one transaction, giving way to readers."""
    import psycopg2

    is_dropping = False
    for _ in range(_TRIES):
        script = _script(connection, views, is_dropping)
        connection.begin()
        try:
            connection.execute(f"set local lock_timeout = '{_PATIENCE}'")
            connection.execute(";\n".join([*script, and_then]))
            connection.commit()
            return
        except (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected):
            connection.rollback()
            time.sleep(0.2)
        except (psycopg2.errors.InvalidTableDefinition, psycopg2.errors.DatatypeMismatch):
            connection.rollback()
            # A column has another type than before, so that its view cannot be replaced.
            is_dropping = True
        except psycopg2.errors.DependentObjectsStillExist as error:
            connection.rollback()
            raise KindredError(
                "A published view has other columns than before, and a view of somebody else "
                "reads it, so it cannot be made anew.",
                "drop that view (the log of the server names it), publish, and make it again.",
            ) from error
        except BaseException:
            connection.rollback()
            raise
    raise KindredError(
        "Readers held the published views all the time, so they could not be swapped.",
        "run `kindred publish --target ...` when they are done.",
    )


def _script(connection: Connection, views: list[View], is_dropping: bool) -> list[str]:
    script: list[str] = []
    for schema in dict.fromkeys(view.schema for view in views):
        wanted = {view.model.name for view in views if view.schema == schema}
        gone = sorted(set(_views_in(connection, schema)) - wanted)
        script += [f"drop view {quoted(schema, name)}" for name in gone]
    for view in views:
        before = tuple(columns_of(connection, view.schema, view.model.name))
        grants: list[str] = []
        if before and (is_dropping or before != view.columns[: len(before)]):
            grants = _grants(connection, view)
            script.append(f"drop view {view.place}")
        script.append(f"create or replace view {view.place} as {view.query}")
        script += grants
    return script


def _views_in(connection: Connection, schema: str) -> list[str]:
    found = connection.execute(
        "select relname from pg_class where relkind = 'v'"
        " and relnamespace = (select oid from pg_namespace where nspname = ?)",
        [schema],
    ).fetchall()
    return [str(name) for (name,) in found]


def _grants(connection: Connection, view: View) -> list[str]:
    """The statements that give a view the grants it has."""
    found = connection.execute(
        """
        select
            lower(given.privilege_type),
            given.grantee,
            quote_ident(pg_get_userbyid(given.grantee))
        from pg_class as views
        cross join lateral aclexplode(views.relacl) as given
        where views.oid = to_regclass(?) and given.grantee <> views.relowner
        order by 1, 3
        """,
        [view.place],
    ).fetchall()
    return [
        f"grant {privilege} on table {view.place} to {'public' if not number else name}"
        for privilege, number, name in found
    ]


def _describe(connection: Connection, view: View) -> None:
    script = []
    if view.model.description:
        script.append(f"comment on view {view.place} is {literal(view.model.description)}")
    for column in view.columns:
        text = view.model.column_description.get(column, "")
        exposure = view.model.exposure_of(column)
        if view.is_masked and exposure != "open":
            text = f"{text} ({exposure} here)".strip()
        if text:
            name = f"{view.place}.{quoted(column)}"
            script.append(f"comment on column {name} is {literal(text)}")
    if script:
        connection.execute(";\n".join(script))


def _remove_old(connection: Connection, profile: Profile, keep: int) -> list[str]:
    removed: list[str] = []
    for schema in _run_schemas(connection, profile)[: -max(keep, 1)]:
        connection.execute(f"drop schema {quoted(schema)} cascade")
        removed.append(schema)
    return removed
