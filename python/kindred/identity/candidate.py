"""Build a candidate: the base database's data, resolved by other settings, decisions or code.

The candidate is made by really running the project, in a folder of its own: a copy of the base
database, and a copy of the project's files in which a run changes nothing of the user's.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from kindred.errors import KindredError
from kindred.identity.stewardship import COLUMNS, read_seed
from kindred.project import PROJECT_FILE, Profile, Project, read_yaml
from kindred.quality.results import current_generation
from kindred.warehouse.database import connected
from kindred.warehouse.dbt_run import DbtOutcome, log_file
from kindred.warehouse.lock import run_lock

# What a diff reads; everything that leads there from where the candidate starts is built.
TARGETS = (
    "customers",
    "accounts",
    "customer_consents",
    "customer_id_map",
    "account_id_map",
    "customer_source_records",
    "account_source_records",
    "identity_links",
    "transactions",
    "segments",
    "segment_members",
)
# Where a candidate starts: from the raw tables, or from the record streams as the base has them.
RAW, RECORDS = "raw", "records"
_MATCHING = "path:models/intermediate/identity"
_ROOMS = (
    ("model-paths", "models"),
    ("macro-paths", "macros"),
    ("seed-paths", "seeds"),
    ("test-paths", "tests"),
    ("analysis-paths", "analyses"),
    ("snapshot-paths", "snapshots"),
    ("packages-install-path", "dbt_packages"),
)
_FILES = (PROJECT_FILE, "selectors.yml", "packages.yml", "dependencies.yml", "package-lock.yml")
_DBT_PATHS = ("DBT_TARGET_PATH", "DBT_LOG_PATH", "DBT_PROJECT_DIR", "DBT_PROFILES_DIR", "DBT_STATE")
_OVERRIDES = Path("stewardship") / "identity_overrides.csv"


@dataclass(frozen=True)
class Change:
    """What is tried: variables over the project's, further steward decisions, where to start."""

    variables: Mapping[str, Any]
    overrides: Path | None = None
    start: str = RAW

    @property
    def selection(self) -> list[str]:
        """What dbt is to build."""
        if self.start == RAW:
            return [f"+{name}" for name in TARGETS]
        return ["resource_type:seed", *(f"{_MATCHING}+,+{name}" for name in TARGETS)]


@dataclass(frozen=True)
class Workshop:
    """The folder a candidate is built in: its project and its profile, with its database."""

    project: Project
    profile: Profile

    @property
    def database(self) -> Path:
        """The candidate's database."""
        return self.profile.duckdb_path()


Run = Callable[[Workshop, dict[str, Any], list[str]], DbtOutcome]


def build_candidate(
    project: Project, profile: Profile, base: Path, place: Path, change: Change, run: Run
) -> tuple[Workshop, DbtOutcome]:
    """Build the candidate in the folder `place`, and say how dbt ended.

    run: runs dbt with the variables and options given, and tells of its progress. Raises
    KindredError where the base is missing, unfinished, in use (exit code 3), or too large for the
    disk. The base is only read.
    """
    as_of = finished_as_of(base, profile)
    shop = _workshop(project, profile, place)
    if change.overrides:
        _add_overrides(project, shop.project, change.overrides)
    copy_database(base, shop.database)
    variables = {"as_of": as_of.isoformat(sep=" "), **change.variables}
    options = [
        "--exclude-resource-type=unit_test",
        "--exclude-resource-type=test",
        "--select",
        *change.selection,
    ]
    with _environment(project):
        return shop, run(shop, variables, options)


def finished_as_of(base: Path, profile: Profile) -> datetime:
    """The moment the base's last run spoke of; KindredError where no run came to its end."""
    with connected(base, read_only=True) as connection:
        try:
            found = current_generation(connection, profile.schema_of("identity"), profile.schema)
        except KindredError as error:
            raise KindredError(f"{base.name}: {error.message}", error.hint) from error
    return found.as_of


def copy_database(base: Path, copy: Path) -> None:
    """Copy a database while no run can write it; what a killed run left in its log comes along."""
    parts = [path for path in (base, base.with_name(base.name + ".wal")) if path.exists()]
    size = sum(path.stat().st_size for path in parts)
    free = shutil.disk_usage(copy.parent).free
    if free < 2 * size:
        raise KindredError(
            f"The candidate needs about {2 * size / 1e9:.1f} GB in {copy.parent.parent}, "
            f"where {free / 1e9:.1f} GB are free.",
            "make room, or set TMPDIR to a folder on another disk.",
        )
    # Where the folder cannot be written, neither a lock can be put there nor a run be at work.
    is_writable = os.access(base.parent, os.W_OK)
    lock = run_lock(base, "kindred identity diff") if is_writable else nullcontext()
    # Another program that has the file open for writing is refused when it is opened here.
    with lock, connected(base, read_only=True):
        for path in parts:
            shutil.copyfile(path, copy.with_name(copy.name + path.name[len(base.name) :]))
    copy.chmod(0o600)


def _workshop(project: Project, profile: Profile, place: Path) -> Workshop:
    root = place / "project"
    root.mkdir()
    content = read_yaml(project.root / PROJECT_FILE)
    for key, usual in _ROOMS:
        listed = content.get(key) or usual
        for room in listed if isinstance(listed, list) else [listed]:
            if (project.root / room).is_dir():
                shutil.copytree(
                    project.root / room,
                    root / room,
                    ignore=shutil.ignore_patterns("__pycache__", "*.duckdb", "*.wal"),
                    dirs_exist_ok=True,
                )
    for name in _FILES:
        if (project.root / name).is_file():
            shutil.copyfile(project.root / name, root / name)
    # Views name the catalog they were made in, which DuckDB takes from the file's name.
    database = place / profile.duckdb_path().name
    declared = read_yaml(profile.profiles_dir / "profiles.yml")
    output = declared[project.profile_name]["outputs"][profile.target]
    # A target that is no DuckDB was copied into one, and its profile says how that is opened.
    settings = output if output.get("type") == "duckdb" else profile.settings
    declared[project.profile_name]["outputs"][profile.target] = {**settings, "path": str(database)}
    profiles = place / "profiles"
    profiles.mkdir(mode=0o700)
    (profiles / "profiles.yml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    return Workshop(
        replace(project, root=root),
        replace(profile, profiles_dir=profiles, database_path=database),
    )


def _add_overrides(project: Project, copied: Project, path: Path) -> None:
    """Add the decisions of a file to those of the project, in the copy."""
    decisions = read_decisions(path)
    rooms = read_yaml(project.root / PROJECT_FILE).get("seed-paths") or ["seeds"]
    seeds = [copied.root / room / _OVERRIDES for room in rooms]
    seed = next((place for place in seeds if place.is_file()), None)
    if seed is None:
        raise KindredError(
            f"The project has no seed {_OVERRIDES} to add decisions to.",
            f"bring back seeds/{_OVERRIDES}.",
        )
    rows = _rows(seed)
    rows += [decision for decision in decisions if decision not in rows]
    with seed.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_decisions(path: Path) -> list[dict[str, str]]:
    """Steward decisions of a CSV file with the columns of the seed `identity_overrides`.

    Raises KindredError naming the file and what is wrong with it.
    """
    if not path.is_file():
        raise KindredError(
            f"There is no file of decisions {path}.", "name a CSV file with --overrides."
        )
    try:
        read_seed(path)
    except KindredError as error:
        raise KindredError(f"The decisions {path.name}: {error.message}", error.hint) from error
    return _rows(path)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [{name: row.get(name) or "" for name in COLUMNS} for row in csv.DictReader(stream)]


@contextmanager
def _environment(project: Project) -> Iterator[None]:
    """For the block: dbt writes only where the candidate is built, logs apart from them in the
    project (they outlive the candidate), and finds the privacy key where the project has it."""
    before = dict(os.environ)
    log = log_file(project).parent / "identity_diff"
    for name in _DBT_PATHS:
        os.environ.pop(name, None)
    os.environ["DBT_LOG_PATH"] = str(log)
    if not before.get("KINDRED_PRIVACY_KEY"):
        named = before.get("KINDRED_PRIVACY_KEY_FILE") or ".kindred/privacy.key"
        os.environ["KINDRED_PRIVACY_KEY_FILE"] = str(project.root / named)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
