"""`kindred load`: raw files into the raw schemas of the working database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kindred.cli._shared import chosen_sources, console, plural, project_options
from kindred.errors import KindredError
from kindred.project import known_sources, load_profile, load_project, source_schema

if TYPE_CHECKING:
    from rich.console import Console

    from kindred.project import Profile, Project
    from kindred.warehouse.loading import LoadedTable
    from kindred.warehouse.raw_files import RawFile


@click.command("load")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--sources", help="Load only these sources, as a,b.")
@project_options
def command(
    folder: Path, sources: str | None, project_dir: Path | None, target: str | None
) -> None:
    """Load raw files DIR/<source>/<table>.{csv,parquet,jsonl} into the working database.

    CSV columns stay text exactly as written; Parquet and JSON lines keep their types. A file
    that is loaded already changes nothing, a changed file replaces its table, and of a broken
    file nothing is loaded: it is named with the line, and the command ends with exit code 2.

    Example: kindred load sample --sources stripe,shopify
    """
    from rich.markup import escape

    from kindred.warehouse.raw_files import find_raw_files

    project = load_project(project_dir)
    only = chosen_sources(project, sources)
    found = find_raw_files(folder, sorted({*known_sources(project), *project.sources}), only)
    profile = load_profile(project, target)
    screen = console()
    for name in found.unknown_sources:
        screen.print(f"[yellow]Skipped[/] {escape(name)}/: no such source in models/staging.")
    for label in found.other_files:
        screen.print(
            f"[yellow]Skipped[/] {escape(label)}: no file that ends in .csv, .parquet or .jsonl."
        )
    with screen.status("Loading") as status:
        tables, place = _load(
            project, profile, found.files, lambda file: status.update(f"Loading {file.label}")
        )
    _print_tables(screen, tables, place)
    _refuse_broken(tables)


def _load(
    project: Project,
    profile: Profile,
    files: tuple[RawFile, ...],
    progress: Callable[[RawFile], None],
) -> tuple[list[LoadedTable], str]:
    """Load under the target's lock; the tables and the name of the database they went to."""
    from kindred.warehouse import database, loading, loading_postgres, lock, postgres

    def schema_of(source: str) -> str:
        return source_schema(project, source)

    if postgres.is_postgres(profile):
        with postgres.connected(profile) as server, postgres.run_lock(server):
            tables = loading_postgres.load_files(server, files, schema_of, progress)
        return tables, f"the database {profile.settings.get('dbname')}"
    path = profile.duckdb_path()
    database.refuse_ambiguous_name(path, profile.schema)
    with (
        lock.run_lock(path, "kindred load"),
        database.as_private_as(path),
        database.connected(path) as connection,
    ):
        return loading.load_files(connection, files, schema_of, progress), path.name


def _print_tables(screen: Console, tables: list[LoadedTable], place: str) -> None:
    from rich.markup import escape
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, header_style="bold")
    for title, justify in (("Raw table", "left"), ("Rows", "right"), ("", "left")):
        grid.add_column(title, justify=justify)  # type: ignore[arg-type]
    notes = {
        "loaded": "[green]loaded[/]",
        "replaced": "[green]replaced[/]",
        "unchanged": "[dim]unchanged[/]",
        "broken": "[red]not loaded[/]",
    }
    for table in tables:
        rows = "" if table.outcome == "broken" else f"{table.rows:,}"
        grid.add_row(escape(table.relation), rows, notes[table.outcome])
    screen.print(grid)
    for table in tables:
        for note in table.notes:
            screen.print(f"[yellow]Note[/] {escape(table.relation)}: {escape(note)}.")
    good = [table for table in tables if table.outcome != "broken"]
    total = plural(sum(table.rows for table in good), "row")
    screen.print(f"\n{plural(len(good), 'table')}, {total} in {place}.")


def _refuse_broken(tables: list[LoadedTable]) -> None:
    broken = [table for table in tables if table.outcome == "broken"]
    if not broken:
        return
    lines = "\n".join(f"  {table.file.label}: {table.problem}" for table in broken)
    others = len(tables) - len(broken)
    kept = "" if others == 0 else f" The other {plural(others, 'file')} are in."
    if others == 1:
        kept = " The other file is in."
    raise KindredError(
        f"{plural(len(broken), 'file')} cannot be read; nothing of "
        f"{'it' if len(broken) == 1 else 'them'} was loaded.{kept}\n{lines}",
        "mend and load again; files that are in already are skipped.",
    )
