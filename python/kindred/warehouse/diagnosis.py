"""What is wired, what is missing and how to mend it: the findings that `kindred doctor` prints."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from kindred.errors import KindredError
from kindred.project import Profile, Project, load_profile, segment_files
from kindred.warehouse import roles
from kindred.warehouse.database import Connection, connected, has_relation, quoted
from kindred.warehouse.lock import lock_holder
from kindred.warehouse.postgres import is_postgres
from kindred.warehouse.preflight import (
    Problem,
    SourceState,
    check_profile,
    naming_problems,
    raw_problems,
    source_states,
)
from kindred.warehouse.publication import CURRENT, current_run, published_directory
from kindred.warehouse.raw_state import kept, lost_by_source, raw_states
from kindred.warehouse.target import name_of, opened

Level = Literal["fine", "note", "problem"]
_NEEDED = (
    "dbt-core",
    "dbt-duckdb",
    "dbt-postgres",
    "duckdb",
    "splink",
    "great-expectations",
    "pyarrow",
)
_LEAST_DISK = 2 * 1024**3


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis. A problem is to be mended before a build; a note may stay."""

    topic: str
    level: Level
    text: str
    mend: str = ""


def diagnose(project: Project, target: str | None) -> list[Finding]:
    """Everything worth knowing before a build, in the order one would mend it."""
    found = _programs() + _names(project)
    profile = _profile(project, target, found)
    if profile is None:
        return found
    if is_postgres(profile):
        return found + _privacy_key(project) + _postgres(project, profile)
    database = profile.duckdb_path()
    found += _disk(database) + _lock(database)
    found += _privacy_key(project)
    if not database.exists():
        found.append(
            Finding(
                "database",
                "problem",
                f"{database} does not exist yet.",
                "load data with `kindred load DIR`.",
            )
        )
        return found
    try:
        with connected(database, read_only=True) as connection:
            found.append(Finding("database", "fine", f"{database} ({_size(database)})"))
            if database.stat().st_mode & 0o077:
                text = "other users of this machine may open it, and read every name in it."
                mend = f"run `chmod go= {shlex.quote(str(database))}`."
                found.append(Finding("database", "note", text, mend))
            found += _sources(connection, project)
            found += _history(connection, profile)
    except KindredError as error:
        found.append(Finding("database", "problem", error.message, error.hint))
    return found + _published(database)


def _postgres(project: Project, profile: Profile) -> list[Finding]:
    """The server, what the database is fit for, the raw tables and the last build."""
    try:
        with opened(profile, read_only=True) as connection:
            ((version, encoding, folds, by_code),) = connection.execute(
                "select current_setting('server_version'), current_setting('server_encoding'),"
                " lower('ÄÉ') = 'äé', 'a' > 'B'"
            ).fetchall()
            found = [Finding("database", "fine", f"{name_of(profile)} (Postgres {version})")]
            found += _letters(str(encoding), bool(folds), bool(by_code))
            found += _roles(connection, project, profile)
            found += _sources(connection, project)
            return found + _history(connection, profile)
    except KindredError as error:
        return [Finding("database", "problem", error.message, error.hint)]


def _roles(connection: Connection, project: Project, profile: Profile) -> list[Finding]:
    names = roles.roles_of(project)
    set_up = f"have `kindred roles --target {profile.target} --apply` run by an administrator."
    if not roles.are_there(connection, names):
        return [Finding("roles", "note", "not set up; see docs/postgres.md.", set_up)]
    acts_as = roles.acts_as(connection)
    if acts_as != names.owner:
        text = f"runs act as {acts_as}, so that what they make would not belong to {names.owner}."
        return [Finding("roles", "problem", text, f"set KINDRED_PG_ROLE to {names.owner}.")]
    wrong = roles.what_is_wrong(connection, names, roles.places_of(project, profile))
    if wrong:
        return [Finding("roles", "problem", text, set_up) for text in wrong]
    return [Finding("roles", "fine", f"{names.bi} reads masked views only")]


def _letters(encoding: str, folds: bool, by_code: bool) -> list[Finding]:
    new = "make the database with encoding UTF8 and locale C.UTF-8, see docs/postgres.md."
    if encoding != "UTF8" or not folds:
        what = "it holds no Unicode" if encoding != "UTF8" else "it cannot lower É to é"
        return [Finding("letters", "problem", f"{what}, so that names would not match.", new)]
    if not by_code:
        text = "texts are ordered by language; where rows tie, DuckDB may keep another one."
        return [Finding("letters", "note", text, new)]
    return [Finding("letters", "fine", "UTF8, ordered by code point")]


def is_usable(findings: Sequence[Finding]) -> bool:
    """Whether a build can run."""
    return all(finding.level != "problem" for finding in findings)


def _programs() -> list[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    found = [
        Finding("python", "fine", version)
        if (3, 11) <= sys.version_info[:2] < (3, 13)
        else Finding("python", "problem", f"{version}.", "use Python 3.11 or 3.12.")
    ]
    for name in _NEEDED:
        try:
            found.append(Finding(name, "fine", metadata.version(name)))
        except metadata.PackageNotFoundError:
            found.append(Finding(name, "problem", "not installed.", "run `pip install -e .`."))
    return found


def _names(project: Project) -> list[Finding]:
    problems = _problems_of(lambda: naming_problems(project))
    found = [Finding("project", "fine", str(project.root))]
    found += [Finding("project", "problem", item.message, item.hint) for item in problems]
    if not problems:
        found.append(Finding("sources on", "fine", ", ".join(project.sources)))
        names = segment_files(project)
        found.append(Finding("segments", "fine", f"{len(names)} registered, each with its file"))
    return found


def _problems_of(look: Callable[[], list[Problem]]) -> list[Problem]:
    try:
        return look()
    except KindredError as error:
        return [Problem(error.message, error.hint)]


def _profile(project: Project, target: str | None, found: list[Finding]) -> Profile | None:
    try:
        profile = load_profile(project, target)
        check_profile(profile)
    except KindredError as error:
        found.append(Finding("profile", "problem", error.message, error.hint))
        return None
    text = f"target '{profile.target}' ({profile.type}) in {profile.profiles_dir}"
    found.append(Finding("profile", "fine", text))
    return profile


def _disk(database: Path) -> list[Finding]:
    place = next(path for path in [database, *database.parents] if path.exists())
    free = shutil.disk_usage(place).free
    text = f"{free / 1024**3:.1f} GB free"
    if free < _LEAST_DISK:
        return [Finding("disk", "note", f"only {text}.", "free some room before a large build.")]
    return [Finding("disk", "fine", text)]


def _lock(database: Path) -> list[Finding]:
    holder = lock_holder(database)
    if holder is None:
        return [Finding("lock", "fine", "free")]
    return [
        Finding(
            "lock",
            "problem",
            f"held by `{holder.command}` (process {holder.pid}, since {holder.since}).",
            "wait until that run has ended.",
        )
    ]


def _privacy_key(project: Project) -> list[Finding]:
    named = os.environ.get("KINDRED_PRIVACY_KEY_FILE")
    file = project.root / (named or ".kindred/privacy.key")
    if os.environ.get("KINDRED_PRIVACY_KEY"):
        return [Finding("privacy key", "fine", "set in the environment")]
    if file.is_file():
        return [Finding("privacy key", "fine", f"in {file}")]
    return [
        Finding(
            "privacy key",
            "note",
            "not set; needed once somebody has asked to be erased.",
            "set KINDRED_PRIVACY_KEY to a long random text and keep it safe.",
        )
    ]


def _sources(connection: Connection, project: Project) -> list[Finding]:
    states = source_states(connection, project, list(project.sources))
    problems = {state.source: raw_problems([state]) for state in states}
    found: list[Finding] = []
    lost = lost_by_source(kept(connection), raw_states(connection, project))
    for state in states:
        items = problems[state.source] or lost.get(state.source, [])
        if items:
            found += [
                Finding(f"raw {state.source}", "problem", item.message, item.hint) for item in items
            ]
        else:
            found.append(_wired(state))
    return found


def _wired(state: SourceState) -> Finding:
    topic = f"raw {state.source}"
    if state.is_elsewhere:
        return Finding(topic, "fine", "lies in another database; not looked at")
    missing = [*state.missing_optional, *state.missing_optional_columns]
    text = f"schema {state.schema}: {', '.join(state.present) or 'no table declared'}"
    if not missing:
        return Finding(topic, "fine", text)
    shown = ", ".join(missing[:6]) + (f" and {len(missing) - 6} more" if len(missing) > 6 else "")
    return Finding(topic, "fine", f"{text} (optional and not there: {shown})")


def _history(connection: Connection, profile: Profile) -> list[Finding]:
    identity = profile.schema_of("identity")
    if not has_relation(connection, identity, "generation"):
        return [Finding("last run", "note", "none yet.", "run `kindred build`.")]
    rows = connection.execute(
        f"select generation, as_of from {quoted(identity, 'generation')}"  # noqa: S608
    ).fetchall()
    if not rows:
        return [Finding("last run", "note", "none yet.", "run `kindred build`.")]
    text = f"generation {rows[0][0]}, as of {rows[0][1]:%Y-%m-%d %H:%M} UTC"
    if has_relation(connection, profile.schema, "run_history"):
        done = connection.execute(
            f"select count(*) from {quoted(profile.schema, 'run_history')} where generation = ?",  # noqa: S608
            [rows[0][0]],
        ).fetchall()
        if not done[0][0]:
            return [
                Finding(
                    "last run", "note", f"{text}, did not finish.", "run `kindred build --resume`."
                )
            ]
    return [Finding("last run", "fine", text)]


def _published(database: Path) -> list[Finding]:
    home = published_directory(database)
    run = current_run(home)
    if run is None:
        return [Finding("published", "note", "nothing yet.", "run `kindred build`.")]
    if not (home / CURRENT / "kindred.duckdb").is_file():
        return [
            Finding(
                "published", "note", f"{run} is gone from {home}.", "run `kindred publish` again."
            )
        ]
    return [Finding("published", "fine", f"{home / CURRENT} ({run})")]


def _size(path: Path) -> str:
    size = path.stat().st_size / 1024**2
    return f"{size:,.0f} MB" if size < 10_000 else f"{size / 1024:,.1f} GB"
