"""The closing summary of a build: for the terminal, and as Markdown for CI."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kindred.cli._shared import plural
from kindred.quality.report import as_markdown
from kindred.quality.results import CheckRun
from kindred.warehouse.figures import Figures

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from kindred.project import Profile
    from kindred.warehouse.publication import Publication

_STREAM_NAMES = {
    "person_records": "person records",
    "account_records": "company records",
    "record_identifiers": "identifiers",
    "record_activities": "activities",
    "record_transactions": "transactions",
    "consent_events": "consent decisions",
}
_BAR = 24


@dataclass(frozen=True)
class Closing:
    """Everything the closing summary tells."""

    figures: Figures
    checks: CheckRun
    tests: Counter[str]
    seconds: float
    published: Publication | None
    reports: Path
    profile: Profile


def print_summary(screen: Console, closing: Closing) -> None:
    """Print the summary in the order people ask: in, out, consent, segments, quality, where."""
    figures = closing.figures
    screen.print()
    screen.rule(f"[bold]Generation {closing.checks.generation.number}[/]", align="left")
    if figures.sources:
        screen.print("\n[bold]Rows in[/]")
        screen.print(_source_table(figures))
        screen.print(_accounted(figures), style="dim")
    if figures.streams:
        screen.print("\n[bold]Streams[/]")
        screen.print(_pairs({_STREAM_NAMES[k]: f"{v:,}" for k, v in figures.streams.items()}))
    screen.print("\n[bold]Out[/]")
    screen.print(_pairs(_people(figures)))
    if figures.consents:
        screen.print("\n[bold]Customers who may be reached by, or agreed to[/]")
        screen.print(_bars(figures.consents))
    if figures.segments:
        screen.print("\n[bold]Segments[/]")
        screen.print(_pairs({name: f"{size:,}" for name, size in figures.segments.items()}))
    screen.print("\n[bold]Quality[/]")
    for line in _quality_lines(closing):
        screen.print(line)
    screen.print("\n[bold]Where things are[/]")
    for name, place in _places(closing).items():
        screen.print(f"  {name:<18}{place}", soft_wrap=True, highlight=False)
    screen.print("\n[bold]What to try next[/]")
    for command in _next_steps(closing):
        screen.print(f"  {command}", soft_wrap=True, highlight=False, markup=False)
    screen.print()


def _grid(*columns: str) -> Table:
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim", show_header=True)
    for number, title in enumerate(columns):
        grid.add_column(
            ("  " if number == 0 else "") + title, justify="right" if number else "left"
        )
    return grid


def _source_table(figures: Figures) -> Table:
    grid = _grid("source", "raw", "staged", "quarantined", "suppressed", "duplicates")
    for rows in figures.sources:
        grid.add_row(
            f"  {rows.source}",
            *(
                f"{value:,}" if value else "[dim]-[/]"
                for value in (
                    rows.raw,
                    rows.staged,
                    rows.quarantined,
                    rows.suppressed,
                    rows.collapsed,
                )
            ),
        )
    return grid


def _accounted(figures: Figures) -> str:
    raw = sum(rows.raw for rows in figures.sources)
    text = f"  {plural(raw, 'row')} in"
    if all(rows.is_complete for rows in figures.sources):
        text += ", every one accounted for"
    if figures.values_set_aside:
        text += f"; {plural(figures.values_set_aside, 'unusable value')} set aside, the rows kept"
    return text + "."


def _people(figures: Figures) -> dict[str, str]:
    found: dict[str, str] = {}
    if figures.customers is not None:
        found["customers"] = f"{figures.customers:,}"
    if figures.accounts is not None:
        found["accounts"] = f"{figures.accounts:,}"
    if figures.records_per_customer is not None:
        found["records per customer"] = f"{figures.records_per_customer:.2f}"
    if figures.share_linked is not None:
        found["records matched with another"] = f"{figures.share_linked:.1%}"
    return found


def _pairs(values: dict[str, str]) -> Table:
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, 2), show_header=False)
    grid.add_column()
    grid.add_column(justify="right")
    for name, value in values.items():
        grid.add_row(f"  {name}", value)
    return grid


def _bars(shares: dict[str, float]) -> Table:
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, 2), show_header=False)
    grid.add_column()
    grid.add_column(justify="right")
    grid.add_column()
    for name, share in shares.items():
        full = round(share * _BAR)
        bar = f"[green]{'█' * full}[/][dim]{'░' * (_BAR - full)}[/]"
        grid.add_row(f"  {name}", f"{share:.1%}", bar)
    return grid


def _quality_lines(closing: Closing) -> list[str]:
    verdict = closing.checks.verdict
    word = "[green]fit for use[/]" if verdict.is_fit else "[red]not fit for use[/]"
    lines = [
        f"  {word}: {verdict.passed} of {plural(verdict.total, 'check')} passed; "
        f"critical failed {verdict.failed['critical']}, warnings {verdict.failed['warning']}, "
        f"remarks {verdict.failed['info']}"
    ]
    tests = closing.tests
    if tests["pass"] + tests["warn"] + tests["fail"]:
        lines.append(
            f"  dbt's own data tests: {tests['pass']} passed, {tests['warn']} warned, "
            f"{tests['fail']} failed"
        )
    return lines


def _places(closing: Closing) -> dict[str, str]:
    found: dict[str, str] = {}
    if closing.published is not None:
        found["for everybody"] = closing.published.for_everybody
        found["restricted"] = closing.published.restricted
    found["report"] = str(closing.reports / "report.html")
    found["Data Docs"] = str(closing.reports / "data_docs" / "index.html")
    return found


def _next_steps(closing: Closing) -> list[str]:
    steps = activation()
    if closing.profile.type != "duckdb":
        return [*steps, f"kindred doctor --target {closing.profile.target}"]
    if closing.published is not None:
        current = closing.published.for_everybody
        query = f"duckdb.connect('{current}', read_only=True).table('customers').limit(5).show()"
        steps.append(f'python -c "import duckdb; {query}"')
    if closing.figures.example_customer:
        steps.append(f"kindred identity explain {closing.figures.example_customer}")
    steps.append("kindred doctor")
    return steps


def activation() -> list[str]:
    """What makes a shell find the commands of this virtual environment, where it does not yet."""
    programs = Path(sys.executable).parent
    activate = programs / "activate"
    if shutil.which("kindred") == str(programs / "kindred") or not activate.is_file():
        return []
    here = Path.cwd()
    inside = activate.relative_to(here) if activate.is_relative_to(here) else activate
    return [f"source {shlex.quote(str(inside))}"]


def summary_markdown(closing: Closing) -> str:
    """The summary as Markdown."""
    figures = closing.figures
    lines = [f"## Kindred build, generation {closing.checks.generation.number}", ""]
    people = _people(figures)
    if people:
        lines += ["| " + " | ".join(people) + " |", "|" + "---:|" * len(people)]
        lines += ["| " + " | ".join(people.values()) + " |", ""]
    if figures.sources:
        lines += [
            "| source | raw | staged | quarantined | suppressed | duplicates |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        lines += [
            f"| {rows.source} | {rows.raw:,} | {rows.staged:,} | {rows.quarantined:,} | "
            f"{rows.suppressed:,} | {rows.collapsed:,} |"
            for rows in figures.sources
        ]
        lines.append("")
    if figures.consents:
        lines += ["| may be reached by, or agreed to | customers |", "|---|---:|"]
        lines += [f"| {name} | {share:.1%} |" for name, share in figures.consents.items()]
        lines.append("")
    if figures.segments:
        lines += ["| segment | size |", "|---|---:|"]
        lines += [f"| {name} | {size:,} |" for name, size in figures.segments.items()]
        lines.append("")
    return "\n".join(lines) + "\n" + as_markdown(closing.checks)
