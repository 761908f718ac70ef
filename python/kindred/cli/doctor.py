"""`kindred doctor`: what is wired, what is missing and how to mend it."""

from __future__ import annotations

from pathlib import Path

import click

from kindred.cli._shared import console, plural, project_options
from kindred.project import load_project

_MARKS = {"fine": "[green]✓[/]", "note": "[yellow]![/]", "problem": "[red]✕[/]"}


@click.command("doctor")
@project_options
def command(project_dir: Path | None, target: str | None) -> None:
    """Say what is wired, what is missing and how to mend it.

    Exit code 0 when a build can run, 2 when it cannot.

    Example: kindred doctor
    """
    from rich.markup import escape

    from kindred.warehouse.diagnosis import diagnose, is_usable

    findings = diagnose(load_project(project_dir), target)
    screen = console()
    for finding in findings:
        screen.print(
            f"{_MARKS[finding.level]} {finding.topic:<22}{escape(finding.text)}",
            soft_wrap=True,
            highlight=False,
        )
        if finding.mend:
            screen.print(f"  {'':<22}{escape(finding.mend)}", soft_wrap=True, style="dim")
    problems = sum(finding.level == "problem" for finding in findings)
    if is_usable(findings):
        screen.print("\n[green]Ready[/]: a build can run.")
        return
    screen.print(f"\n[red]Not ready[/]: {plural(problems, 'problem')} to mend first.")
    raise SystemExit(2)
