"""`kindred identity diff`: what a change of matching would do, before it is published."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kindred.cli._shared import plural, project_options, write_step_summary
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
    from collections.abc import Iterator

    from kindred.identity.candidate import Change, Workshop
    from kindred.identity.diff_changes import Diff
    from kindred.identity.diff_limits import Verdict
    from kindred.warehouse.dbt_run import DbtOutcome

OVER_THE_LIMIT = 1
FILE = click.Path(path_type=Path, dir_okay=False)
_WORDS = ("auto", "shipped", "train")
_ENTITIES = ("person", "account")


@click.command("diff")
@project_options
@click.option("--base", type=FILE, help="Database to compare with (default: the working one).")
@click.option("--candidate", type=FILE, help="Compare with this database instead of building one.")
@click.option("--model", help="Try a model: auto, shipped, train, or a file `train` wrote.")
@click.option("--cut", multiple=True, help="Try a cut, as person=3; give it again for accounts.")
@click.option("--overrides", type=FILE, help="Try further steward decisions (CSV).")
@click.option("--vars", "vars_text", help="Try variables over those of dbt_project.yml, as YAML.")
@click.option(
    "--from",
    "start",
    type=click.Choice(["raw", "records"]),
    help="Build from the raw tables, or from the base's records on. Default: records where only "
    "--model, --cut or --overrides is tried, else raw.",
)
@click.option("--max-merged", help="Most customers (accounts) that may merge, as 0.5% or 20.")
@click.option("--max-split", help="Most that may split.")
@click.option("--max-moved", help="Most records that may move to another id.")
@click.option("--max-segment-change", help="Most members of a segment gained and lost.")
@click.option("--max-consent-gained", help="Most permissions that nobody gave; a whole number.")
@click.option("--examples", default=5, show_default=True, type=click.IntRange(0, 100))
@click.option("--json", "as_json", is_flag=True, help="Print the diff as JSON.")
@click.option("--html", type=FILE, help="Write the diff as an offline page.")
@click.option("--keep", type=FILE, help="Keep the candidate's database as this file.")
@click.option("--verbose", is_flag=True, help="Show dbt's own lines.")
def diff(
    project_dir: Path | None,
    target: str | None,
    base: Path | None,
    candidate: Path | None,
    model: str | None,
    cut: tuple[str, ...],
    overrides: Path | None,
    vars_text: str | None,
    start: str | None,
    max_merged: str | None,
    max_split: str | None,
    max_moved: str | None,
    max_segment_change: str | None,
    max_consent_gained: str | None,
    examples: int,
    as_json: bool,
    html: Path | None,
    keep: Path | None,
    verbose: bool,
) -> None:
    """Compare what is built with what a change of matching would make of it.

    The candidate is built from a copy; the base is only read. Tried is the code of this project,
    with the model, cut, decisions and variables given. Ends with 1 where more changes than the
    limits allow: --max-..., else vars.identity_diff_limits.

    Example: kindred identity diff --cut person=3 --max-merged 0.5%
    """
    from kindred.identity import diff_limits
    from kindred.identity.candidate import RAW, RECORDS, Change

    tried = bool(model or cut or overrides or vars_text or start or keep)
    if candidate and tried:
        raise KindredError(
            "--candidate names a database that is built already.",
            "leave out --model, --cut, --overrides, --vars, --from and --keep, or --candidate.",
        )
    given = parse_vars(vars_text)
    project = with_variables(load_project(project_dir), given)
    limits = diff_limits.read_limits(
        project.variables,
        {
            "merged": max_merged,
            "split": max_split,
            "moved": max_moved,
            "segment_change": max_segment_change,
            "consent_gained": max_consent_gained,
        },
    )
    settings = {**_models(project, model), **_cuts(project, cut)}
    only_matching = bool(model or cut or overrides) and not given
    change = Change(
        {**given, **settings},
        overrides,
        start or (RECORDS if only_matching else RAW),
    )
    compared = Compared(project, load_profile(project, target), base, examples)
    if candidate:
        told: list[str] = []
        found = against_file(compared, candidate)
    else:
        told = _told(change, model, cut)
        found = against_built(compared, change, keep, verbose)
    _tell(found, diff_limits.judge(found, limits), told, as_json, html)


@dataclass(frozen=True)
class Compared:
    """What a candidate is compared with: the target of the profile, or the file `base`."""

    project: Project
    profile: Profile
    base: Path | None
    examples: int

    @contextmanager
    def opened(self, *, with_raw: bool) -> Iterator[tuple[Profile, Path, str]]:
        """Profile, file and name of the base as one of DuckDB, for the block.

        A Postgres target is copied: the same input gives the same tables on both engines.
        """
        from kindred.identity.workshops import workshop_folder
        from kindred.warehouse.duckdb_copy import copied_profile, copy_target
        from kindred.warehouse.postgres import is_postgres
        from kindred.warehouse.target import name_of

        if not is_postgres(self.profile):
            path = self.base or self.profile.duckdb_path()
            yield self.profile, path, path.name
            return
        with workshop_folder() as place:
            path = self.base or place / f"copy_of_{self.profile.schema}.duckdb"
            if self.base is None:
                copy_target(self.project, self.profile, path, with_raw=with_raw)
            name = self.base.name if self.base else name_of(self.profile)
            yield copied_profile(self.profile, path), path, name


def against_file(compared: Compared, candidate: Path) -> Diff:
    """Compare with a database that is built."""
    from kindred.identity.diff import compare_files

    with compared.opened(with_raw=False) as (profile, path, name):
        refuse_busy(path, candidate)
        return compare_files(path, candidate, profile.schema, compared.examples, base_name=name)


def against_built(compared: Compared, change: Change, keep: Path | None, verbose: bool) -> Diff:
    """Build the candidate and compare with it."""
    from kindred.identity.candidate import RAW
    from kindred.identity.diff import compare_files

    with (
        compared.opened(with_raw=change.start == RAW) as (profile, path, name),
        built(compared.project, profile, path, change, keep, verbose) as shop,
    ):
        return compare_files(
            path, shop.database, profile.schema, compared.examples, "this project", name
        )


def _tell(
    found: Diff, verdicts: tuple[Verdict, ...], told: list[str], as_json: bool, html: Path | None
) -> None:
    """Print the diff, write its page, and end with 1 where a limit is passed."""
    from kindred.identity import diff_report

    page = diff_report.as_json if as_json else diff_report.as_text
    click.echo(page(found, verdicts, told), nl=False)
    if html:
        diff_report.write_page(found, verdicts, told, html)
    write_step_summary(diff_report.as_markdown(found, verdicts))
    refuse_passed([verdict for verdict in verdicts if verdict.is_passed])


def refuse_busy(*databases: Path) -> None:
    """Refuse to read a database that a run is at work on (exit code 3)."""
    from kindred.warehouse.lock import LOCK_HELD, lock_holder

    for database in databases:
        holder = lock_holder(database)
        if holder:
            raise KindredError(
                f"{database.name} is in use by `{holder.command}` (process {holder.pid}, since "
                f"{holder.since}).",
                "wait until it has ended, then run the command again.",
                exit_code=LOCK_HELD,
            )


def refuse_passed(passed: list[Any]) -> None:
    """Exit code 1 where a limit is passed."""
    if passed:
        raise KindredError(
            f"The change is over {plural(len(passed), 'limit')}: {passed[0]}.",
            "look at the examples; if the change is meant, raise the limit for it (--max-..., or "
            "vars.identity_diff_limits).",
            exit_code=OVER_THE_LIMIT,
        )


@contextmanager
def built(
    project: Project,
    profile: Profile,
    base: Path,
    change: Change,
    keep: Path | None,
    verbose: bool,
) -> Iterator[Workshop]:
    """The candidate, built in a temporary folder that is gone after the block."""
    import shutil

    from rich.console import Console

    from kindred.cli.build import refuse_failed, run_stages
    from kindred.identity.candidate import build_candidate
    from kindred.identity.workshops import workshop_folder
    from kindred.warehouse.lock import run_lock

    # What is printed to standard output is the diff alone.
    screen = Console(stderr=True, highlight=False)

    def run(shop: Workshop, variables: dict[str, Any], options: list[str]) -> DbtOutcome:
        with run_lock(shop.database, "kindred identity diff") as lock:
            return run_stages(screen, shop.project, shop.profile, variables, options, verbose, lock)

    with workshop_folder() as place:
        shop, outcome = build_candidate(project, profile, base, place, change, run)
        refuse_failed(outcome)
        yield shop
        if keep:
            keep.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(shop.database, keep)
            keep.chmod(0o600)


def _models(project: Project, model: str | None) -> dict[str, Any]:
    """The variable identity_model with the model tried; a file serves its own entity only."""
    declared = project.variables.get("identity_model") or "auto"
    models = (
        {entity: declared.get(entity, "auto") for entity in _ENTITIES}
        if isinstance(declared, dict)
        else dict.fromkeys(_ENTITIES, declared)
    )
    # The candidate is built elsewhere: files are named in full.
    full = {
        entity: name if name in _WORDS else str((project.root / str(name)).resolve())
        for entity, name in models.items()
    }
    if model is None:
        return {"identity_model": full} if full != models else {}
    if model in _WORDS:
        return {"identity_model": dict.fromkeys(_ENTITIES, model)}
    path = Path(model)
    try:
        entity = json.loads(path.read_text(encoding="utf-8"))["entity"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KindredError(
            f"The model file {model} cannot be read.",
            "name auto, shipped, train, or a file that `kindred identity train` wrote.",
        ) from error
    return {"identity_model": {**full, str(entity): str(path.resolve())}}


def _cuts(project: Project, given: tuple[str, ...]) -> dict[str, Any]:
    """The variable identity_cut with the cuts tried."""
    if not given:
        return {}
    cuts: dict[str, float] = {}
    for text in given:
        entity, _, number = text.partition("=")
        try:
            cuts[entity] = float(number)
        except ValueError:
            entity = ""
        if entity not in _ENTITIES:
            raise KindredError(
                f"--cut is not an entity and a number: {text}.",
                "write it as --cut person=3 or --cut account=3.",
            )
    return {"identity_cut": {**(project.variables.get("identity_cut") or {}), **cuts}}


def _told(change: Change, model: str | None, cut: tuple[str, ...]) -> list[str]:
    """What the candidate does differently, in words; files by their names alone."""
    from kindred.identity.candidate import RAW

    tried = [f"model {Path(model).name}"] if model else []
    tried += [f"cut {text}" for text in cut]
    tried += [f"decisions {change.overrides.name}"] if change.overrides else []
    tried += [
        f"{name}: {value}"
        for name, value in sorted(change.variables.items())
        if name not in ("identity_model", "identity_cut") or not (model or cut)
    ]
    start = (
        "everything rebuilt from the raw tables"
        if change.start == RAW
        else "matching and what follows rebuilt, from the records of the base"
    )
    return [f"{start}; tried: {'; '.join(tried) if tried else 'its code as it is'}"]
