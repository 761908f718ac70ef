"""Options and small helpers that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kindred.errors import KindredError, shown
from kindred.project import Profile, Project, known_sources, load_profile, load_project

if TYPE_CHECKING:
    from rich.console import Console

Function = TypeVar("Function", bound=Callable[..., Any])


def project_options(function: Function) -> Function:
    """`--project-dir` and `--target`, which every command of the warehouse takes."""
    function = click.option("--target", help="Target of the dbt profile (default: the profile's).")(
        function
    )
    return click.option(
        "--project-dir",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of dbt_project.yml (default: this folder or one above; KINDRED_PROJECT_DIR).",
    )(function)


def database_options(purpose: str) -> Callable[[Function], Function]:
    """`--database`, `--project-dir` and `--target` of commands that read one working database."""

    def with_options(function: Function) -> Function:
        option = click.option("--database", type=click.Path(path_type=Path), help=purpose)
        return option(project_options(function))

    return with_options


def database_of(
    project_dir: Path | None, target: str | None, database: Path | None
) -> Path | Profile:
    """The DuckDB file that `--database` names, else the target of the project's profile."""
    if database is None:
        return load_profile(load_project(project_dir), target)
    if target is not None:
        raise KindredError(
            "--database names a file, --target a target of the profile.", "give one of them."
        )
    return database


def console() -> Console:
    """A console for people; plain text of sensible width where nobody watches."""
    from rich.console import Console

    probe = Console()
    if probe.is_terminal:
        return probe
    return Console(width=int(os.environ.get("COLUMNS", "100")), highlight=False)


def chosen_sources(
    project: Project, text: str | None, option: str = "--sources"
) -> list[str] | None:
    """`--sources a,b` as a checked list; None where the option is not given."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = sorted({*known_sources(project), *project.sources})
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        what = (
            f"Unknown source in {option}: {', '.join(map(shown, unknown))}."
            if unknown
            else f"{option} names no source."
        )
        raise KindredError(what, f"choose from: {', '.join(known) or 'none'}.")
    return names


def plural(count: int, noun: str, many: str | None = None) -> str:
    """`1 row`, `1,200 rows`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def write_step_summary(markdown: str) -> None:
    """Append Markdown to the step summary of a GitHub Actions run; nothing elsewhere."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(markdown + "\n")
