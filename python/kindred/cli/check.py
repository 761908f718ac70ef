"""`kindred check`: the quality suites on the working database."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kindred.cli._shared import console, plural, project_options, write_step_summary
from kindred.errors import KindredError
from kindred.project import Profile, Project, load_profile, load_project

if TYPE_CHECKING:
    from rich.console import Console

    from kindred.quality.results import CheckRun
    from kindred.quality.suites import Batch
    from kindred.warehouse.target import Held

RESULTS_TABLE = "data_quality_results"
SHOWN = 12


@click.command("check")
@project_options
@click.option("--junit", type=click.Path(path_type=Path), help="Write the checks as JUnit XML.")
def command(project_dir: Path | None, target: str | None, junit: Path | None) -> None:
    """Check raw tables, streams, identity and marts of the working database.

    Results go to the table data_quality_results, to reports/report.html and to Data Docs beside
    the database; they hold counts only. Exit code 1 when a critical check fails; warnings do not
    fail the command.

    Example: kindred check --junit reports/checks.xml
    """
    from kindred.warehouse.target import home_of, locked, refuse_missing

    project = load_project(project_dir)
    profile = load_profile(project, target)
    screen = console()
    refuse_missing(profile)
    with locked(profile, "kindred check") as lock:
        refuse_broken_off(project, profile)
        run = check(screen, project, profile, lock, junit)
    print_verdict(screen, run, reports_directory(home_of(project, profile)))
    from kindred.quality.report import as_markdown

    write_step_summary(as_markdown(run))
    if not run.verdict.is_fit:
        raise SystemExit(1)


def refuse_broken_off(project: Project, profile: Profile) -> None:
    """Refuse tables of which a run that did not end has remade some."""
    from kindred.warehouse import journal, resuming
    from kindred.warehouse.target import opened

    left = journal.read(resuming.journal_path(project, profile))
    if left is None:
        return
    with opened(profile, read_only=True) as connection:
        state = resuming.state_of(connection, profile)
    if resuming.is_broken_off(left, state, resuming.read_manifest(project)):
        raise KindredError(
            "The last build did not finish, so its tables do not belong together.",
            "run `kindred build --resume`.",
        )


def reports_directory(home: Path) -> Path:
    """Where reports lie, in the folder that `kindred.warehouse.target.home_of` gives."""
    return home / "reports"


def check(
    screen: Console, project: Project, profile: Profile, lock: Held, junit: Path | None = None
) -> CheckRun:
    """Run the suites, save their results and write the reports, while `lock` is held."""
    from kindred.pages.report import FILE_NAME, write_report
    from kindred.quality.evaluate import run_suites
    from kindred.quality.report import write_junit
    from kindred.quality.results import current_generation, save_results
    from kindred.warehouse.database import has_relation
    from kindred.warehouse.run_history import Outcome, note_outcome
    from kindred.warehouse.target import for_the_report, home_of, opened

    reports = reports_directory(home_of(project, profile))
    docs = reports / "data_docs"
    with opened(profile) as connection, screen.status("Checking") as status:
        generation = current_generation(connection, profile.schema_of("identity"), profile.schema)
        if not has_relation(connection, profile.schema, RESULTS_TABLE):
            raise KindredError(
                f"The table {profile.schema}.{RESULTS_TABLE} is missing.",
                "run `kindred build` first, it makes it.",
            )

        def told(batch: Batch) -> None:
            lock.refuse_lost()
            status.update(f"Checking {batch.name}")

        shutil.rmtree(docs, ignore_errors=True)
        run = run_suites(
            connection,
            project,
            profile,
            generation,
            docs,
            progress=told,
        )
        lock.refuse_lost()
        save_results(connection, profile.schema, run, RESULTS_TABLE)
        outcome: Outcome = "passed" if run.verdict.is_fit else "failed"
        note_outcome(connection, profile.schema, generation.number, outcome)
        status.update("Writing the report")
        with for_the_report(connection, profile) as source:
            write_report(source, profile, reports / FILE_NAME, run.skipped)
    if junit is not None:
        write_junit(run, junit)
    return run


def print_verdict(screen: Console, run: CheckRun, reports: Path) -> None:
    """Print the verdict, what failed, and where the reports are."""
    from rich.table import Table

    from kindred.quality.report import counted
    from kindred.quality.results import failed_results

    verdict = run.verdict
    if verdict.is_fit:
        screen.print(f"[green]Fit for use[/]: all critical checks passed ({verdict.total} checks).")
    else:
        failed = plural(verdict.failed["critical"], "critical check")
        screen.print(f"[red]Not fit for use[/]: {failed} failed (of {verdict.total} checks).")
    found = failed_results(run.results)
    if found:
        grid = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("", "Table", "What must hold", "Unexpected"):
            grid.add_column(title)
        colours = {"critical": "red", "warning": "yellow", "info": "blue"}
        for result in found[:SHOWN]:
            meaning = result.check.meaning
            if result.error:
                meaning += f" ({result.error})"
            grid.add_row(
                f"[{colours[result.severity]}]{result.severity}[/]",
                result.batch.name,
                meaning,
                counted(result),
            )
        screen.print(grid)
        if len(found) > SHOWN:
            screen.print(f"and {len(found) - SHOWN} more in the report", style="dim")
    screen.print(f"Report: {reports / 'report.html'}", soft_wrap=True)
