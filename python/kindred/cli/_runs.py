"""A whole run of `kindred build`: where it begins, or goes on, and what is noted when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kindred.project import Profile, Project, source_schema

if TYPE_CHECKING:
    from rich.console import Console

    from kindred.warehouse.journal import Journal
    from kindred.warehouse.raw_state import RawState


@dataclass(frozen=True)
class Run:
    """A run that has begun: its journal, how dbt is to be called, and what the raw tables held."""

    journal: Journal
    variables: dict[str, Any]
    options: list[str]
    raw: list[RawState]
    is_built: bool = False


def begin_run(
    screen: Console,
    project: Project,
    profile: Profile,
    variables: dict[str, Any],
    options: list[str],
    resume: bool,
) -> Run:
    """Begin a new run, or with `resume` go on with one that was broken off, and say which."""
    from kindred.warehouse import journal, raw_state, resuming
    from kindred.warehouse.target import opened

    path = resuming.journal_path(project, profile)
    with opened(profile, read_only=True) as connection:
        raw = raw_state.raw_states(connection, project)
        fingerprint = raw_state.input_fingerprint(connection, project)
        state = resuming.state_of(connection, profile)
    bases = resuming.bases_of(project, profile, variables, options, fingerprint)
    if resume:
        earlier = journal.read(path)
        rest = resuming.rest_of(earlier, bases, state, resuming.read_manifest(project))
        if earlier is not None and not rest.why_all:
            total = rest.done + len(rest.left)
            screen.print(
                f"Going on with the run of {rest.as_of}: {rest.done} of {total} nodes done."
            )
            return Run(
                journal.write(earlier),
                {"as_of": rest.as_of, **variables},
                [*options, *resuming.options_for(rest.left)],
                raw,
                is_built=not rest.left,
            )
        screen.print(f"{rest.why_all} Everything is built.")
    return Run(journal.write(journal.Journal(path, bases)), variables, options, raw)


def note_built(project: Project, profile: Profile, run: Run) -> None:
    """Take down what the finished run was built from."""
    from kindred.quality.results import current_generation
    from kindred.warehouse import raw_state, run_history
    from kindred.warehouse.suppressions import seal
    from kindred.warehouse.target import opened

    with opened(profile) as connection:
        generation = current_generation(connection, profile.schema_of("identity"), profile.schema)
        fingerprint = run.journal.bases["input"]
        run_history.note_input(connection, profile.schema, generation.number, fingerprint)
        raw_state.keep(connection, run.raw)
        seal(connection, source_schema(project, "privacy"))


def end_journal(project: Project, profile: Profile) -> None:
    """Forget the run that was begun: it has ended, or another one goes over it."""
    from kindred.warehouse import journal
    from kindred.warehouse.resuming import journal_path

    journal.end(journal_path(project, profile))
