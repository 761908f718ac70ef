"""What the raw tables hold: a fingerprint of a run's input, and what was lost since the last run.

The state of the last finished run is kept in `kindred_load.raw_tables_of_last_run`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kindred.project import Project, RawTable, raw_tables, source_schema
from kindred.warehouse.database import (
    Connection,
    columns_of,
    has_relation,
    is_postgres,
    quoted,
    row_count,
)
from kindred.warehouse.preflight import Problem

PLACE = ("kindred_load", "raw_tables_of_last_run")
# The suppressions of the privacy office: as much an input as what sources say.
_PRIVACY = "privacy"
# Of a smaller table nothing is concluded; of a larger one, at least this share must still be there.
_LEAST_ROWS, _LEAST_SHARE = 10, 0.5


@dataclass(frozen=True)
class RawState:
    """The columns that staging reads of a raw table, in lower case, and its number of rows."""

    source: str
    table: str
    rows: int
    columns: tuple[str, ...]


def input_fingerprint(connection: Connection, project: Project) -> str | None:
    """A text that changes whenever a row of a raw table changes, in whatever order the rows lie.

    None where a source lies in another database, which this connection does not see.
    """
    sources = list(project.sources)
    if any(project.variables.get(f"{source}_database") for source in sources):
        return None
    told = [
        [schema, table.name, *_digest(connection, schema, table.name)]
        for source in sorted({*sources, _PRIVACY})
        for schema in [source_schema(project, source)]
        for table in raw_tables(project, source)
        if has_relation(connection, schema, table.name)
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def _digest(connection: Connection, schema: str, table: str) -> list[str]:
    """Columns, rows and two sums over the hashes of the rows."""
    columns = columns_of(connection, schema, table)
    row_hash = "hashtextextended(cast(t as text), {})" if is_postgres(connection) else "hash(t, {})"
    sums = ", ".join(f"sum({row_hash.format(seed)})" for seed in (0, 1))
    sql = f"select count(*), {sums} from {quoted(schema, table)} as t"  # noqa: S608 - quoted
    found = connection.execute(sql).fetchall()[0]
    return [f"{name} {kind}" for name, kind in columns.items()] + [str(value) for value in found]


def raw_states(connection: Connection, project: Project) -> list[RawState]:
    """The state of every raw table that is there, of the sources that are on."""
    return [
        RawState(
            source,
            table.name,
            row_count(connection, schema, table.name),
            tuple(sorted(_columns_read(connection, schema, table))),
        )
        for source in project.sources
        for schema in [source_schema(project, source)]
        for table in raw_tables(project, source)
        if has_relation(connection, schema, table.name)
    ]


def _columns_read(connection: Connection, schema: str, table: RawTable) -> set[str]:
    declared = {column.name.lower() for column in table.columns}
    return declared & {name.strip().lower() for name in columns_of(connection, schema, table.name)}


def keep(connection: Connection, states: Sequence[RawState]) -> None:
    """Take the states down as those of the last finished run."""
    place = quoted(*PLACE)
    connection.execute(f"create schema if not exists {quoted(PLACE[0])}")
    connection.execute(
        f"create table if not exists {place}"
        " (source text, table_name text, row_count bigint, columns text)"
    )
    connection.begin()
    try:
        connection.execute(f"delete from {place}")  # noqa: S608 - a constant
        connection.executemany(
            f"insert into {place} values (?, ?, ?, ?)",  # noqa: S608 - a constant
            [[one.source, one.table, one.rows, " ".join(one.columns)] for one in states],
        )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def keep_of_plain_dbt(
    connection: Connection, project: Project, history: tuple[str, str], generation: int
) -> bool:
    """Take down what a run was built from that `dbt build` made by itself.

    `kindred build` does it when dbt has ended. Here the raw tables may have been loaded anew since,
    so that they are taken down only where they hold as many rows as the run says it read.
    history: schema and name of run_history. False where they hold others. What lies in another
    database is not seen, and nothing is taken down.
    """
    if any(project.variables.get(f"{source}_database") for source in project.sources):
        return True
    if not {"input_fingerprint", "raw_row_count"} <= set(columns_of(connection, *history)):
        return True
    rows = connection.execute(
        f"select raw_row_count from {quoted(*history)}"  # noqa: S608 - quoted names
        " where generation = ? and input_fingerprint is null",
        [generation],
    ).fetchall()
    if not rows:
        return True
    states = raw_states(connection, project)
    if sum(one.rows for one in states) != rows[0][0]:
        return False
    keep(connection, states)
    return True


def kept(connection: Connection) -> list[RawState]:
    """The states of the last finished run; empty before the first."""
    if not has_relation(connection, *PLACE):
        return []
    rows = connection.execute(
        "select source, table_name, row_count, columns"  # noqa: S608 - a constant
        f" from {quoted(*PLACE)} order by source, table_name"
    ).fetchall()
    return [RawState(str(row[0]), str(row[1]), int(row[2]), tuple(row[3].split())) for row in rows]


def losses(
    before: Sequence[RawState], now: Sequence[RawState], accepted: Sequence[str] = ()
) -> list[Problem]:
    """What a build would take for people who are gone, and is more likely a broken load.

    One problem for each source that was on before and is now, and has lost most rows of a table, or
    a column that staging reads. Sources that are `accepted` are left out.
    """
    found = lost_by_source(before, now)
    return [one for source, problems in found.items() if source not in accepted for one in problems]


def lost_by_source(before: Sequence[RawState], now: Sequence[RawState]) -> dict[str, list[Problem]]:
    """What each source has lost since the last finished run; who lost nothing is not in it."""
    there = {(one.source, one.table): one for one in now}
    sources = {one.source for one in now}
    found: dict[str, list[str]] = {}
    for one in before:
        if one.source in sources:
            lost = _lost(one, there)
            if lost:
                found.setdefault(one.source, []).append(lost)
    return {
        source: [
            Problem(
                f"Source '{source}' has lost much since the last build: {'; '.join(lost)}. Whoever "
                "is missing there would be retired.",
                "load it again; if this is right, run "
                f"`kindred build --accept-loss {source}` once.",
            )
        ]
        for source, lost in found.items()
    }


def _lost(one: RawState, there: Mapping[tuple[str, str], RawState]) -> str:
    left = there.get((one.source, one.table))
    rows = left.rows if left else 0
    name = f"{one.source}.{one.table}"
    if one.rows >= _LEAST_ROWS and rows < one.rows * _LEAST_SHARE:
        return f"{name} holds {rows:,} of {one.rows:,} rows"
    gone = sorted(set(one.columns) - set(left.columns)) if left else []
    return f"{name} is without {', '.join(gone)}" if gone else ""
