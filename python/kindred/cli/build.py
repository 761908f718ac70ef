"""`kindred build`: lock, look before, dbt build, check, publish, and a summary."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kindred.cli._shared import chosen_sources, console, plural, project_options, write_step_summary
from kindred.errors import KindredError
from kindred.project import (
    Profile,
    Project,
    load_profile,
    load_project,
    parse_vars,
    with_variables,
)

if TYPE_CHECKING:
    from rich.console import Console

    from kindred.cli._summary import Closing
    from kindred.warehouse.dbt_run import DbtOutcome
    from kindred.warehouse.journal import Journal
    from kindred.warehouse.publication import Publication
    from kindred.warehouse.target import Held

CHECK_FAILED = 1
COULD_NOT_RUN = 2


@click.command("build")
@project_options
@click.option("--sources", help="Build only from these sources of vars.sources, as a,b.")
@click.option("--select", help="Build only these nodes, in dbt's syntax; nothing is published.")
@click.option("--full-refresh", is_flag=True, help="Rebuild incremental tables; history stays.")
@click.option("--vars", "vars_text", help="Variables over those of dbt_project.yml, as YAML.")
@click.option("--as-of", help="The moment the build speaks of (UTC), as 2026-06-30T12:00:00.")
@click.option("--skip-publish", is_flag=True, help="Build and check; leave what is published.")
@click.option(
    "--resume", is_flag=True, help="Go on with a run that was broken off, if there is one."
)
@click.option("--accept-loss", help="Sources, as a,b, that may have lost most of their rows.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write the checks as JUnit XML.")
@click.option("--verbose", is_flag=True, help="Show dbt's own lines.")
def command(
    project_dir: Path | None,
    target: str | None,
    sources: str | None,
    select: str | None,
    full_refresh: bool,
    vars_text: str | None,
    as_of: str | None,
    skip_publish: bool,
    resume: bool,
    accept_loss: str | None,
    junit: Path | None,
    verbose: bool,
) -> None:
    """Build everything from the loaded raw tables, check it and publish it.

    One run at a time: a second one ends at once with exit code 3. Where the build fails or a
    critical check does, nothing is published and what people read stays as it was. With --resume, a
    run that was killed or failed goes on where it ended, for the same moment, if nothing it was
    built from has changed since; otherwise everything is built.

    Example: kindred build --sources salesforce,stripe --as-of 2026-06-30
    """
    from kindred.cli._runs import begin_run, end_journal, note_built
    from kindred.cli._summary import print_summary, summary_markdown
    from kindred.warehouse.dbt_run import DbtOutcome
    from kindred.warehouse.target import locked

    started = time.monotonic()
    if resume and select is not None:
        raise KindredError("--resume goes on with a whole run.", "leave --select out.")
    variables = parse_vars(vars_text)
    project = with_variables(load_project(project_dir), variables)
    variables |= _source_choice(project, sources)
    if as_of:
        variables["as_of"] = as_of
    project = with_variables(project, variables)
    profile = load_profile(project, target)
    screen = console()
    with locked(profile, "kindred build") as lock:
        look_before(project, profile, chosen_sources(project, accept_loss, "--accept-loss") or [])
        options = _dbt_options(full_refresh)
        if select is not None:
            options += _selection(select)
            end_journal(project, profile)
            outcome = run_stages(
                screen, project, profile, variables, options, verbose, lock.descriptor
            )
            refuse_failed(outcome)
            if not outcome.counts:
                raise KindredError(
                    f"--select {select} matches nothing that is on.",
                    "look for the name in models/, or for its source in vars.sources.",
                )
            screen.print("Built what was selected. A part is neither checked nor published.")
            return
        run = begin_run(screen, project, profile, variables, options, resume)
        outcome = DbtOutcome(0)
        if not run.is_built:
            outcome = run_stages(
                screen,
                project,
                profile,
                run.variables,
                run.options,
                verbose,
                lock.descriptor,
                run.journal,
            )
        refuse_failed(outcome)
        note_built(project, profile, run)
        closing = finish(screen, project, profile, lock, outcome, started, skip_publish, junit)
        end_journal(project, profile)
    print_summary(screen, closing)
    write_step_summary(summary_markdown(closing))
    screen.print(f"Done in {closing.seconds:.0f} s.")
    refuse_unfit(closing, skip_publish)


def finish(
    screen: Console,
    project: Project,
    profile: Profile,
    lock: Held,
    outcome: DbtOutcome,
    started: float,
    skip_publish: bool,
    junit: Path | None,
) -> Closing:
    """Check, publish if nothing critical failed, and gather the figures."""
    from kindred.cli.check import check, reports_directory
    from kindred.cli.publish import publish
    from kindred.warehouse.figures import read_figures
    from kindred.warehouse.target import home_of, opened

    screen.print(f"[dim]{time.monotonic() - started:5.0f} s[/]  Checks")
    checks = check(screen, project, profile, lock, junit)
    published: Publication | None = None
    if checks.verdict.is_fit and not skip_publish:
        screen.print(f"[dim]{time.monotonic() - started:5.0f} s[/]  Publication")
        published = publish(screen, project, profile, lock)
    with opened(profile, read_only=True) as connection:
        figures = read_figures(connection, project, profile)
    from kindred.cli._summary import Closing

    return Closing(
        figures=figures,
        checks=checks,
        tests=outcome.test_counts,
        seconds=time.monotonic() - started,
        published=published,
        reports=reports_directory(home_of(project, profile)),
        profile=profile,
    )


def refuse_unfit(closing: Closing, skip_publish: bool) -> None:
    """Exit code 1 where a critical check failed."""
    from kindred.quality.results import failed_results

    verdict = closing.checks.verdict
    if verdict.is_fit:
        return
    lines = [
        f"  {result.batch.name}: {result.check.meaning}"
        + (f" ({result.error})" if result.error else "")
        for result in failed_results(closing.checks.results)
        if result.severity == "critical"
    ]
    more = [f"  and {len(lines) - 5} more"] if len(lines) > 5 else []
    kept = "" if skip_publish else "; what is published stays as it was"
    raise KindredError(
        f"{plural(verdict.failed['critical'], 'critical check')} failed{kept}.\n"
        + "\n".join(lines[:5] + more),
        f"see {closing.reports / 'report.html'}.",
        exit_code=CHECK_FAILED,
    )


def _source_choice(project: Project, sources: str | None) -> dict[str, Any]:
    """`--sources` as a variable: that part of vars.sources."""
    chosen = chosen_sources(project, sources)
    if chosen is None:
        return {}
    off = [name for name in chosen if name not in project.sources]
    if off:
        raise KindredError(
            f"vars.sources does not say which streams {', '.join(off)} feeds.",
            f"add the line in dbt_project.yml, or choose from: {', '.join(project.sources)}.",
        )
    return {"sources": {name: project.sources[name] for name in chosen}}


def _selection(select: str) -> list[str]:
    """`--select` as arguments of dbt; KindredError where it is empty, or an option of dbt."""
    nodes = select.split()
    if not nodes:
        raise KindredError(
            "--select names no node.",
            "write names of nodes, as --select 'customers+', or leave it out.",
        )
    if any(node.startswith("-") for node in nodes):
        raise KindredError(
            "--select names no node: what begins with a dash would be an option of dbt.",
            "write names of nodes, as --select 'customers+ tag:nightly'.",
        )
    return ["--select", *nodes]


def _dbt_options(full_refresh: bool) -> list[str]:
    # Unit tests try the code on made-up rows: `make test` and plain `dbt build` run them; a run on
    # real data has nothing to learn from them.
    options = ["--exclude-resource-type=unit_test"]
    if full_refresh:
        options.append("--full-refresh")
    return options


def look_before(project: Project, profile: Profile, accepted: Sequence[str] = ()) -> None:
    """Refuse what is known to fail or to hurt: names, the profile, missing or lost raw tables.

    accepted: sources that may have lost rows or columns.
    """
    from kindred.warehouse.preflight import (
        check_profile,
        identity_problems,
        moment_of,
        moment_problems,
        naming_problems,
        raw_problems,
        refuse,
        source_states,
    )
    from kindred.warehouse.raw_state import kept, losses, raw_states
    from kindred.warehouse.target import opened

    check_profile(profile)
    refuse(moment_problems(project.variables))
    refuse(naming_problems(project))
    refuse(identity_problems(project, moment_of(project.variables)))
    with opened(profile, read_only=True) as connection:
        refuse(raw_problems(source_states(connection, project, list(project.sources))))
        refuse(losses(kept(connection), raw_states(connection, project), accepted))


def run_stages(
    screen: Console,
    project: Project,
    profile: Profile,
    variables: dict[str, Any],
    extra: list[str],
    verbose: bool,
    lock: int,
    journal: Journal | None = None,
) -> DbtOutcome:
    """Run dbt with progress people can read: the stage at work and how much is done.

    What is done goes to the journal too, if there is one.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from kindred.warehouse.dbt_run import STAGES, NodeDone, dbt_arguments, run_dbt
    from kindred.warehouse.journal import add_done, add_invocation
    from kindred.warehouse.lock import refuse_lost
    from kindred.warehouse.target import umask_for

    began = time.monotonic()
    seen: Counter[str] = Counter()
    bar = Progress(
        TextColumn("{task.description:<16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )
    with bar:
        task = bar.add_task("Reading models", total=None)

        def on_start(invocation: str) -> None:
            if journal is not None:
                add_invocation(journal, invocation)

        def on_node(node: NodeDone) -> None:
            # Without the lock another run may begin: dbt must not go on beside it.
            refuse_lost(lock)
            if journal is not None and node.is_good:
                add_done(journal, node.unique_id)
            seen[node.stage] += 1
            # A stage is told with its second node: a table of a late stage that waits for
            # nothing comes first of all.
            if seen[node.stage] == 2 and node.stage != "tests":
                screen.print(f"[dim]{time.monotonic() - began:5.0f} s[/]  {STAGES[node.stage]}")
            if node.status in ("error", "fail"):
                screen.print(f"[red]failed[/]   {node.name}")
            bar.update(task, description=STAGES[node.stage], total=node.total, advance=1)

        return run_dbt(
            dbt_arguments("build", project, profile, variables, extra),
            project,
            variables,
            on_node,
            (lambda line: screen.print(line, markup=False, style="dim")) if verbose else _ignore,
            keep_open=[lock],
            on_start=on_start,
            umask=umask_for(profile),
        )


def _ignore(_line: str) -> None:
    """dbt's own lines are shown on request only."""


def refuse_failed(outcome: DbtOutcome) -> None:
    """Raise what failed in dbt: exit 1 where only data tests did, else 2."""
    if outcome.exit_code == 0:
        return
    log = f"the whole story is in {outcome.log_path}." if outcome.log_path else ""
    if outcome.exit_code < 0:
        raise KindredError(
            f"dbt was killed (signal {-outcome.exit_code}); nothing was published.",
            "if memory ran out, lower KINDRED_MEMORY_LIMIT; then run `kindred build --resume`.",
        )
    if not outcome.failures:
        raise KindredError(outcome.message or "dbt ended without saying why.", log)
    lines: list[str] = []
    for failure in outcome.failures[:5]:
        kind = "data test" if failure.is_data_test else failure.kind
        lines.append(f"  {kind} {failure.name}")
        lines += [f"    {line}" for line in failure.message.splitlines()]
    if len(outcome.failures) > 5:
        lines.append(f"  and {len(outcome.failures) - 5} more")
    what = plural(len(outcome.failures), "node")
    only_tests = outcome.only_data_tests_failed
    if only_tests:
        what = plural(len(outcome.failures), "data test")
    raise KindredError(
        f"{what} failed; nothing was published.\n" + "\n".join(lines),
        log,
        exit_code=CHECK_FAILED if only_tests else COULD_NOT_RUN,
    )
