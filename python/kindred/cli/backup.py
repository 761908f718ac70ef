"""`kindred backup`: what no build can make again, in a folder of files."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from kindred.cli._shared import console, plural, project_options
from kindred.errors import KindredError
from kindred.project import Profile, Project, load_profile, load_project

if TYPE_CHECKING:
    from kindred.warehouse.backup import StateTable


@click.command("backup")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@project_options
def command(folder: Path, project_dir: Path | None, target: str | None) -> None:
    """Write the state that cannot be built anew into the new folder DIR.

    State is what Kindred remembers from run to run: which id each record had and has, the history
    of runs, of checks and of matching, and who is suppressed. Parquet files and a manifest with
    their checksums, readable for you only. They hold keys of records and keyed hashes, no names
    and no contact points; the privacy key is not among them and needs a place of its own.

    Example: kindred backup backups/2026-06-30
    """
    from kindred.warehouse.backup import back_up
    from kindred.warehouse.target import locked, opened, refuse_missing

    project = load_project(project_dir)
    profile = load_profile(project, target)
    screen = console()
    refuse_missing(profile)
    with locked(profile, "kindred backup"), screen.status("Reading models") as status:
        tables = state_of(project, profile)
        status.update("Writing the backup")
        with opened(profile, read_only=True) as connection:
            done = back_up(connection, project, profile, tables, folder)
    rows = sum(table.rows for table in done.tables)
    screen.print(
        f"Backed up {plural(len(done.tables), 'table')} of state, {plural(rows, 'row')}, "
        f"as generation {done.generation} left them."
    )
    screen.print(f"Restore it: kindred restore {folder}", soft_wrap=True)


def state_of(project: Project, profile: Profile) -> list[StateTable]:
    """Tables that hold state, as the project's models say now.

    The manifest of the last run stays as it is: a killed one can still be gone on with.
    """
    from kindred.warehouse.backup import state_tables
    from kindred.warehouse.dbt_run import dbt_arguments, lend_parsed, run_dbt

    with TemporaryDirectory(prefix="kindred-") as folder:
        lend_parsed(project, Path(folder))
        aside = [f"--target-path={folder}"]
        outcome = run_dbt(dbt_arguments("parse", project, profile, {}, aside), project, {})
        if outcome.exit_code:
            raise KindredError(
                f"The models cannot be read: {outcome.message or 'dbt parse failed'}",
                f"the whole story is in {outcome.log_path}.",
            )
        return state_tables(Path(folder) / "manifest.json")
