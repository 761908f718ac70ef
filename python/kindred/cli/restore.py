"""`kindred restore`: state from a backup, before the next build."""

from __future__ import annotations

from pathlib import Path

import click

from kindred.cli._shared import console, plural, project_options
from kindred.project import load_profile, load_project


@click.command("restore")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Put the backup in the place of state that is there.")
@project_options
def command(folder: Path, replace: bool, project_dir: Path | None, target: str | None) -> None:
    """Bring the state of the backup DIR into the target; then load and build.

    The backup may come from the other engine: so one moves from DuckDB to Postgres and back. A
    damaged backup changes nothing, and state that is there is replaced only with --replace.
    Suppressions are always added to those there are, never taken back.

    Example: kindred restore backups/2026-06-30 --target postgres
    """
    from kindred.warehouse import backup, database, journal, postgres, resuming
    from kindred.warehouse.target import locked, name_of, opened

    project = load_project(project_dir)
    profile = load_profile(project, target)
    screen = console()
    if not postgres.is_postgres(profile):
        database.refuse_ambiguous_name(profile.duckdb_path(), profile.schema)
    backup.read_backup(folder)
    with locked(profile, "kindred restore"), opened(profile) as connection:
        done = backup.restore(connection, project, profile, folder, is_replacing=replace)
        # A killed run that was going on from other state cannot be gone on with.
        journal.end(resuming.journal_path(project, profile))
    rows = sum(table.rows for table in done.tables)
    screen.print(
        f"Restored {plural(len(done.tables), 'table')} of state, {plural(rows, 'row')}, "
        f"to {name_of(profile)}."
    )
    screen.print(
        f"Load the raw tables if they are not there, then `kindred build`: it will be generation "
        f"{done.generation + 1}."
    )
