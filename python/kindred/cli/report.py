"""`kindred report`: the quality of the data and who is who, as one page."""

from __future__ import annotations

from pathlib import Path

import click

from kindred.cli._shared import project_options
from kindred.errors import KindredError
from kindred.project import load_profile, load_project


@click.command("report")
@project_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File to write [reports/report.html beside the database].",
)
def command(project_dir: Path | None, target: str | None, out: Path | None) -> None:
    """Write the report of the last build: one page that opens without a network.

    It shows the results of the checks; how well records find each other, run by run; how sure that
    is; and whether the model still fits the data. It holds counts, shares and weights only, so it
    can be mailed. `kindred build` and `kindred check` write the same page.

    Example: kindred report --out report.html
    """
    from kindred.cli.check import reports_directory
    from kindred.pages.report import FILE_NAME, write_report
    from kindred.warehouse.target import for_the_report, home_of, opened, refuse_missing

    project = load_project(project_dir)
    profile = load_profile(project, target)
    refuse_missing(profile)
    path = out or reports_directory(home_of(project, profile)) / FILE_NAME
    if path.suffix.lower() != ".html" or path.is_dir():
        raise KindredError(
            f"{path} {'is a folder' if path.is_dir() else 'does not end in .html'}.",
            "name a file like report.html.",
        )
    with (
        opened(profile, read_only=True) as connection,
        for_the_report(connection, profile) as source,
    ):
        try:
            write_report(source, profile, path)
        except OSError as error:
            raise KindredError(
                f"{path} cannot be written.", "name a file in a folder that you may write to."
            ) from error
    click.echo(f"Report: {path}")
