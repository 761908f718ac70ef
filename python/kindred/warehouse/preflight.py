"""What can be known to go wrong before dbt starts, told in words that say how to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kindred.errors import KindredError
from kindred.project import (
    Profile,
    Project,
    RawTable,
    known_sources,
    known_streams,
    raw_tables,
    segment_files,
    source_schema,
)
from kindred.warehouse.database import Connection, columns_of, quoted

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?Z?", re.ASCII)


@dataclass(frozen=True)
class Problem:
    """Something that keeps a build from running, and its mend."""

    message: str
    hint: str


@dataclass(frozen=True)
class SourceState:
    """What lies in the raw schema of a source, compared with what staging reads."""

    source: str
    schema: str
    present: tuple[str, ...]
    missing_required: tuple[str, ...]
    missing_optional: tuple[str, ...]
    missing_required_columns: tuple[str, ...]
    missing_optional_columns: tuple[str, ...]
    has_rows: bool
    is_elsewhere: bool


def naming_problems(project: Project) -> list[Problem]:
    """Problems of `vars`: unknown sources and streams, segments without file or registration."""
    return _source_problems(project) + _segment_problems(project)


def _source_problems(project: Project) -> list[Problem]:
    known = known_sources(project)
    streams = known_streams(project)
    if not project.sources:
        return [
            Problem(
                "No source is on: vars.sources in dbt_project.yml is empty.",
                "list at least one, as `stripe: [person_records]`.",
            )
        ]
    found: list[Problem] = []
    for source, feeds in project.sources.items():
        if source not in known:
            found.append(
                Problem(
                    f"Unknown source '{source}' in vars.sources.",
                    f"choose from: {', '.join(known) or 'none'}; or add models/staging/{source}.",
                )
            )
        for stream in feeds:
            if streams and stream not in streams:
                found.append(
                    Problem(
                        f"vars.sources: '{source}' feeds the unknown stream '{stream}'.",
                        f"choose from: {', '.join(streams)}.",
                    )
                )
        if not feeds:
            found.append(
                Problem(
                    f"vars.sources: '{source}' feeds no stream.",
                    f"name its streams, as `{source}: [person_records]`, or take the line out.",
                )
            )
    return found


def _segment_problems(project: Project) -> list[Problem]:
    files = segment_files(project)
    listed = project.segments
    found = [
        Problem(
            f"The segment '{name}' has a file but is not registered.",
            f"add the line `- {name}` under vars.segments in dbt_project.yml.",
        )
        for name in files
        if name not in listed
    ]
    found += [
        Problem(
            f"The segment '{name}' is registered but has no file.",
            f"write models/segments/seg_{name}.sql, or take `- {name}` out of vars.segments.",
        )
        for name in listed
        if name not in files
    ]
    doubled = sorted({name for name in listed if listed.count(name) > 1})
    found += [
        Problem(f"The segment '{name}' is registered twice.", "take one line out of vars.segments.")
        for name in doubled
    ]
    return found


def source_states(
    connection: Connection, project: Project, sources: Sequence[str]
) -> list[SourceState]:
    """The state of the raw tables of each source."""
    return [_source_state(connection, project, source) for source in sources]


def _source_state(connection: Connection, project: Project, source: str) -> SourceState:
    schema = source_schema(project, source)
    present: list[str] = []
    missing: dict[bool, list[str]] = {True: [], False: []}
    lacking: dict[bool, list[str]] = {True: [], False: []}
    has_rows = False
    for table in raw_tables(project, source):
        columns = {
            name.strip().lstrip("\ufeff").strip().lower()
            for name in columns_of(connection, schema, table.name)
        }
        if not columns:
            missing[table.is_required].append(table.name)
            continue
        present.append(table.name)
        _note_columns(table, columns, lacking)
        has_rows = has_rows or _has_a_row(connection, schema, table.name)
    return SourceState(
        source=source,
        schema=schema,
        present=tuple(present),
        missing_required=tuple(missing[True]),
        missing_optional=tuple(missing[False]),
        missing_required_columns=tuple(lacking[True]),
        missing_optional_columns=tuple(lacking[False]),
        has_rows=has_rows,
        is_elsewhere=bool(project.variables.get(f"{source}_database")),
    )


def _note_columns(table: RawTable, columns: set[str], lacking: dict[bool, list[str]]) -> None:
    for column in table.columns:
        if column.name.lower() not in columns:
            lacking[column.is_required].append(f"{table.name}.{column.name}")


def _has_a_row(connection: Connection, schema: str, table: str) -> bool:
    sql = f"select 1 from {quoted(schema, table)} limit 1"  # noqa: S608 - quoted names
    return bool(connection.execute(sql).fetchall())


def raw_problems(states: Sequence[SourceState]) -> list[Problem]:
    """What is missing among the raw tables of the sources that are on."""
    found: list[Problem] = []
    for state in states:
        declared = bool(state.present or state.missing_required or state.missing_optional)
        if state.is_elsewhere or not declared:
            continue
        load = (
            f"load it (`kindred load DIR`, files DIR/{state.source}/<table>.csv), name its schema "
            f"in vars.{state.source}_schema, or take '{state.source}' out of vars.sources."
        )
        if not state.present:
            expected = ", ".join((*state.missing_required, *state.missing_optional))
            found.append(
                Problem(
                    f"Source '{state.source}' is on, but the schema {state.schema} holds none of "
                    f"its tables ({expected}).",
                    load,
                )
            )
            continue
        found += [
            Problem(
                f"Source '{state.source}': the required table {state.schema}.{table} is missing.",
                load,
            )
            for table in state.missing_required
        ]
        found += [
            Problem(
                f"Source '{state.source}': the required column {state.schema}.{column} is missing.",
                f"add the column, or take '{state.source}' out of vars.sources.",
            )
            for column in state.missing_required_columns
        ]
        if not state.has_rows:
            found.append(
                Problem(
                    f"Source '{state.source}' is on, but its tables hold no row.",
                    f"load its data, or take '{state.source}' out of vars.sources.",
                )
            )
    return found


def identity_problems(project: Project, as_of: datetime) -> list[Problem]:
    """Problems of the stewards' decisions in force at `as_of` (UTC), and of vars.identity_*."""
    from kindred.identity import deduplicated, guard, review, stewardship

    variables = project.variables

    def decisions() -> None:
        held = stewardship.read_seed(project.root / stewardship.SEED)
        stewardship.refuse_contradictions(stewardship.in_force(held, as_of))

    checks: list[Callable[[], object]] = [
        decisions,
        lambda: deduplicated.sources_of(variables.get("identity_deduplicated_sources"), "person"),
        lambda: guard.largest_of(variables.get("identity_largest_cluster"), "person"),
        lambda: review.limit_of(variables.get("identity_review_limit")),
    ]
    found: list[Problem] = []
    for check in checks:
        try:
            check()
        except KindredError as error:
            found.append(Problem(error.message, error.hint))
    return found


def moment_problems(variables: Mapping[str, Any]) -> list[Problem]:
    """The problem of a var as_of that is no moment, in the form that the macro as_of reads."""
    given = variables.get("as_of")
    if given is None or given == "":
        return []
    text = str(given).strip()
    try:
        datetime.fromisoformat(text.replace("Z", "").replace("T", " "))
        is_read = _MOMENT.fullmatch(text) is not None
    except ValueError:
        is_read = False
    if is_read:
        return []
    return [
        Problem(
            f"as_of is no moment: {text}.",
            "write it as 2026-06-30 or 2026-06-30T12:00:00 (UTC).",
        )
    ]


def moment_of(variables: Mapping[str, Any]) -> datetime:
    """The moment a build speaks of (UTC): the var as_of, else now."""
    given = variables.get("as_of")
    try:
        found = datetime.fromisoformat(str(given)) if given else datetime.now(UTC)
    except ValueError:
        # The build itself refuses such a moment, in its own words.
        found = datetime.now(UTC)
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def refuse(problems: Sequence[Problem]) -> None:
    """Raise the problems as one error; nothing where there is none."""
    if not problems:
        return
    if len(problems) == 1:
        raise KindredError(problems[0].message, problems[0].hint)
    lines = "\n".join(f"  - {item.message}\n    {item.hint}" for item in problems)
    raise KindredError(f"{len(problems)} things keep the build from running:\n{lines}")


def check_profile(profile: Profile) -> None:
    """Refuse a profile that the build cannot work on."""
    from kindred.warehouse.database import refuse_ambiguous_name
    from kindred.warehouse.postgres import is_postgres

    if not is_postgres(profile):
        refuse_ambiguous_name(profile.duckdb_path(), profile.schema)
