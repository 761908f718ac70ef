"""`kindred publish`: what the last check passed, for everybody to read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kindred.cli._shared import console, plural, project_options
from kindred.project import Profile, Project, load_profile, load_project

if TYPE_CHECKING:
    from rich.console import Console

    from kindred.warehouse.publication import Publication
    from kindred.warehouse.target import Held


@click.command("publish")
@project_options
@click.option("--keep", default=3, show_default=True, type=click.IntRange(1), help="Runs to keep.")
def command(project_dir: Path | None, target: str | None, keep: int) -> None:
    """Publish the last build, if its check passed.

    Writes published/<run>/kindred.duckdb (masked, for BI) and kindred_restricted.duckdb, then
    swaps published/current to it in one step: readers see the old pair or the new one, never a
    mixture, and are never locked out. On Postgres the views of the schemas published and
    published_restricted are pointed to the run's tables, in one transaction.

    Example: kindred publish --keep 5
    """
    from kindred.cli.check import refuse_broken_off
    from kindred.warehouse.target import locked

    project = load_project(project_dir)
    profile = load_profile(project, target)
    screen = console()
    with locked(profile, "kindred publish") as lock:
        refuse_broken_off(project, profile)
        done = publish(screen, project, profile, lock, keep)
        _note_raw_tables(screen, project, profile, done.generation.number)
    screen.print(
        f"Published {plural(len(done.rows), 'table')} of generation "
        f"{done.generation.number} as {done.name}."
    )
    screen.print(f"Read it: {done.for_everybody}", soft_wrap=True)


def _note_raw_tables(screen: Console, project: Project, profile: Profile, generation: int) -> None:
    """Note what a run of plain `dbt build` was built from, for the guard before the next one."""
    from kindred.warehouse.raw_state import keep_of_plain_dbt
    from kindred.warehouse.run_history import TABLE
    from kindred.warehouse.target import opened

    with opened(profile) as connection:
        if not keep_of_plain_dbt(connection, project, (profile.schema, TABLE), generation):
            screen.print(
                "[yellow]Note[/] the raw tables were loaded anew since dbt read them, so that "
                "how many rows they had is not taken down."
            )


def publish(
    screen: Console, project: Project, profile: Profile, lock: Held, keep: int = 3
) -> Publication:
    """Publish with a word on what is being written, while `lock` is held."""
    from kindred.warehouse import publication
    from kindred.warehouse.dbt_run import target_directory
    from kindred.warehouse.run_history import note_outcome
    from kindred.warehouse.target import opened

    with screen.status("Publishing") as status:

        def told(table: str) -> None:
            lock.refuse_lost()
            status.update(f"Publishing {table}")

        done = publication.publish(
            profile,
            target_directory(project) / "manifest.json",
            keep,
            told,
            lock.server,
        )
    with opened(profile) as connection:
        note_outcome(connection, profile.schema, done.generation.number, "published")
    return done
