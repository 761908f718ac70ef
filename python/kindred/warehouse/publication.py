"""Publish a checked build: two new files in a directory of their own, then one rename.

`published/<run>/kindred.duckdb` is for everybody (masked, marts in schema main) and
`kindred_restricted.duckdb` for the few who may see values (schemas as in the working file): it is
readable for the user who publishes only.
Both are written anew, never copied: a DuckDB file keeps the bytes of deleted rows. The symlink
`published/current` is replaced in one rename, so a reader sees the old pair or the new one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kindred.errors import KindredError
from kindred.project import Profile
from kindred.quality.results import Generation, current_generation
from kindred.warehouse import postgres, publication_postgres
from kindred.warehouse.database import Connection, columns_of, has_relation, literal, quoted
from kindred.warehouse.exposure import PublishedModel, masked_select, published_models

if TYPE_CHECKING:
    import duckdb
    from psycopg2 import extensions

MASKED_FILE = "kindred.duckdb"
RESTRICTED_FILE = "kindred_restricted.duckdb"
CURRENT = "current"
_RUN_NAME = re.compile(r"^\d{6,}-\d{8}T\d{6}(-\d+)?$")
_UNFINISHED = ".unfinished-"
_CHECK_FAILED = 1
_FAILED = "not is_success and severity = 'critical'"


@dataclass(frozen=True)
class Publication:
    """What was published: under which name, and where people and the few read it."""

    name: str
    for_everybody: str
    restricted: str
    generation: Generation
    rows: dict[str, int]
    removed: tuple[str, ...]


def published_directory(database: Path) -> Path:
    """Where publications lie: beside the working database."""
    return database.parent / "published"


def require_passed_check(connection: Connection, schema: str, generation: Generation) -> None:
    """Refuse a generation that was not checked, or whose check failed critically."""
    counted: list[tuple[int, int]] = []
    if has_relation(connection, schema, "data_quality_results"):
        results = quoted(schema, "data_quality_results")
        counted = connection.execute(
            f"select count(*), count(*) filter (where {_FAILED}) from {results}"  # noqa: S608
            " where generation = ?",
            [generation.number],
        ).fetchall()
    if not counted or not counted[0][0]:
        raise KindredError(
            f"Generation {generation.number} was not checked yet.", "run `kindred check` first."
        )
    if counted[0][1]:
        count = counted[0][1]
        raise KindredError(
            f"{count} critical check{'s' if count != 1 else ''} of generation {generation.number} "
            "failed, so it is not published.",
            "see reports/report.html; mend the data or the model and run `kindred build` again.",
            exit_code=_CHECK_FAILED,
        )


def publish(
    profile: Profile,
    manifest: Path,
    keep: int = 3,
    progress: Callable[[str], None] = lambda table: None,
    lock: extensions.connection | None = None,
) -> Publication:
    """Publish the working database's generation and keep the last `keep` publications.

    The run lock is the caller's; lock: on Postgres, the connection that holds it. Raises
    KindredError where the generation was not checked, failed a critical check, or lacks a mart.
    """
    models = published_models(manifest)
    if postgres.is_postgres(profile):
        return _publish_on_postgres(profile, models, keep, progress, lock)
    database = profile.duckdb_path()
    home = published_directory(database)
    home.mkdir(parents=True, exist_ok=True)
    for left in home.glob(_UNFINISHED + "*"):
        shutil.rmtree(left)
    with _working(profile, database) as connection:
        generation = current_generation(connection, profile.schema_of("identity"), profile.schema)
        require_passed_check(connection, profile.schema, generation)
        models = _existing(connection, models)
        run = _free_name(home, generation)
        unfinished = home / (_UNFINISHED + run)
        unfinished.mkdir(mode=0o700)
        rows = _write_file(connection, unfinished / MASKED_FILE, models, True, progress)
        _write_file(connection, unfinished / RESTRICTED_FILE, models, False, progress)
    _describe(unfinished, generation, models, rows)
    for path in unfinished.iterdir():
        path.chmod(0o600 if path.name == RESTRICTED_FILE else 0o644)
        _sync(path)
    # Until now nobody else could look inside.
    unfinished.chmod(0o755)
    _sync(unfinished)
    unfinished.rename(home / run)
    _point_current(home, run)
    current = home / CURRENT
    return Publication(
        name=run,
        for_everybody=str(current / MASKED_FILE),
        restricted=str(current / RESTRICTED_FILE),
        generation=generation,
        rows=rows,
        removed=tuple(_remove_old(home, keep)),
    )


def _publish_on_postgres(
    profile: Profile,
    models: list[PublishedModel],
    keep: int,
    progress: Callable[[str], None],
    lock: extensions.connection | None,
) -> Publication:
    with postgres.connected(profile) as server:
        connection = postgres.AskedLikeDuckDB(server)
        generation = current_generation(connection, profile.schema_of("identity"), profile.schema)
        require_passed_check(connection, profile.schema, generation)
        models = _existing(connection, models)
        run, rows, removed = publication_postgres.write_publication(
            connection, profile, models, generation, keep, progress, lock
        )
    return Publication(
        name=run,
        for_everybody=f"schema {profile.schema_of(publication_postgres.MASKED)}",
        restricted=f"schema {profile.schema_of(publication_postgres.RESTRICTED)}",
        generation=generation,
        rows=rows,
        removed=tuple(removed),
    )


@contextmanager
def _working(profile: Profile, database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory with the working file attached, read only, under its own name.

    Views name the catalog they were made in, so the file keeps its name; nothing is written to it.
    """
    import duckdb

    if not database.exists():
        raise KindredError(f"There is no database {database} yet.", "run `kindred build` first.")
    connection = duckdb.connect()
    try:
        connection.execute("set enable_progress_bar = false; set timezone = 'UTC'")
        settings = profile.settings.get("settings") or {}
        for name in ("memory_limit", "preserve_insertion_order"):
            if name in settings:
                connection.execute(f"set {name} = {literal(str(settings[name]))}")
        name = quoted(database.stem)
        try:
            connection.execute(f"attach {literal(str(database))} as {name} (read_only); use {name}")
        except duckdb.Error as error:
            raise KindredError(
                f"The database {database.name} cannot be opened.",
                "close other programs that hold it open.",
            ) from error
        yield connection
    finally:
        connection.close()


def _existing(connection: Connection, models: list[PublishedModel]) -> list[PublishedModel]:
    missing = [
        f"{model.schema}.{model.name}"
        for model in models
        if not has_relation(connection, model.schema, model.name)
    ]
    if missing:
        raise KindredError(
            f"The build lacks {', '.join(missing)}.", "run `kindred build` without --select."
        )
    return models


def _free_name(home: Path, generation: Generation) -> str:
    name = f"{generation.number:06d}-{generation.as_of:%Y%m%dT%H%M%S}"
    number = 1
    candidate = name
    while (home / candidate).exists():
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def _write_file(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    models: list[PublishedModel],
    is_masked: bool,
    progress: Callable[[str], None],
) -> dict[str, int]:
    rows: dict[str, int] = {}
    connection.execute(f"attach {literal(str(path))} as published_file")
    for model in models:
        schema = "main" if is_masked and model.room == "marts" else model.schema
        place = quoted("published_file", schema, model.name)
        source = quoted(model.schema, model.name)
        progress(f"{model.schema}.{model.name}")
        columns = columns_of(connection, model.schema, model.name)
        query = masked_select(model, columns, source) if is_masked else f"from {source}"
        connection.execute(f"create schema if not exists {quoted('published_file', schema)}")
        # One commit a table: each comment alone would wait for the disk.
        connection.execute("begin")
        written = connection.execute(f"create table {place} as {query}").fetchall()
        rows[model.name] = int(written[0][0])
        _comment(connection, model, place, columns, is_masked)
        connection.execute("commit")
    connection.execute("detach published_file")
    return rows


def _comment(
    connection: duckdb.DuckDBPyConnection,
    model: PublishedModel,
    place: str,
    columns: dict[str, str],
    is_masked: bool,
) -> None:
    if model.description:
        connection.execute(f"comment on table {place} is {literal(model.description)}")
    for column in columns:
        text = model.column_description.get(column.lower(), "")
        exposure = model.exposure_of(column)
        if is_masked and exposure != "open":
            text = f"{text} ({exposure} here)".strip()
        if text:
            connection.execute(f"comment on column {place}.{quoted(column)} is {literal(text)}")


def _describe(
    directory: Path, generation: Generation, models: list[PublishedModel], rows: dict[str, int]
) -> None:
    content = {
        "generation": generation.number,
        "run_id": generation.run_id,
        "as_of": generation.as_of.isoformat(),
        "tables": [
            {"name": model.name, "room": model.room, "rows": rows[model.name]} for model in models
        ],
    }
    (directory / "publication.json").write_text(
        json.dumps(content, indent=2) + "\n", encoding="utf-8"
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _point_current(home: Path, run: str) -> None:
    new = home / (CURRENT + ".new")
    new.unlink(missing_ok=True)
    new.symlink_to(run, target_is_directory=True)
    new.replace(home / CURRENT)
    _sync(home)


def _remove_old(home: Path, keep: int) -> list[str]:
    """Remove publications but the last `keep`; who has a file of them open keeps reading it."""
    current = current_run(home)
    runs = sorted(
        (path for path in home.iterdir() if path.is_dir() and _RUN_NAME.match(path.name)),
        key=_run_order,
    )
    removed: list[str] = []
    for path in runs[: -max(keep, 1)]:
        if path.name != current:
            shutil.rmtree(path)
            removed.append(path.name)
    return removed


def _run_order(path: Path) -> tuple[int, int]:
    parts = path.name.split("-")
    return int(parts[0]), int(parts[2]) if len(parts) > 2 else 1


def current_run(home: Path) -> str | None:
    """Name of the publication that `current` points to."""
    link = home / CURRENT
    return str(link.readlink()) if link.is_symlink() else None
