"""What tests share: one small warehouse, built once a session as a user would build it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filelock import FileLock

from kindred.privacy.suppression import identifier_hash
from macro_queries import EXPRESSIONS, call_dbt, make_macros_project
from postgres_server import PostgresDatabase, PostgresServer, running_server
from whole_project import PARSED, PRIVACY_KEY, WholeProject, copy_project

PEOPLE = 300
COMPANIES = 40


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this test session see."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if os.environ.get("PYTEST_XDIST_WORKER") else folder


@pytest.fixture(scope="session", autouse=True)
def parsed_before(shared_folder: Path) -> Iterator[None]:
    """Let projects of this session share what dbt remembers of parsing them."""
    folder = shared_folder / "parsed"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PARSED, str(folder))
        yield


@pytest.fixture(scope="session")
def built_project(shared_folder: Path) -> WholeProject:
    """The project after sample, load and `kindred build`. Read only: copy it to change it.

    One of its customers is suppressed, so that each term of the account of rows is more than zero.
    """
    root = shared_folder / "built" / "project"
    project = WholeProject(root)
    verdict = shared_folder / "built.json"
    with FileLock(shared_folder / "built.lock"):
        if not verdict.exists():
            problem = ""
            try:
                _build(root)
            except (AssertionError, OSError, subprocess.SubprocessError, duckdb.Error):
                problem = traceback.format_exc(limit=2)
            verdict.write_text(json.dumps(problem), "utf-8")
    told = json.loads(verdict.read_text("utf-8"))
    if told:
        pytest.fail(f"the shared warehouse could not be built:\n{told}", pytrace=False)
    return project


def _build(root: Path) -> None:
    project = copy_project(root)
    counts = ("--people", str(PEOPLE), "--companies", str(COMPANIES))
    project.kindred("sample", *counts, "--out", "sample").expect()
    project.kindred("load", "sample").expect()
    suppress_a_customer(project)
    project.kindred("build", "--as-of", sample_as_of(project)).expect()


def suppress_a_customer(project: WholeProject) -> None:
    """Put the emails of one billing customer on the list of those who must not come back."""
    ((email,),) = project.query(
        "select min(lower(trim(email))) from stripe.customer where email like '%_@_%.__%'"
    )
    hashed = identifier_hash(PRIVACY_KEY.encode(), "email", str(email))
    project.execute(
        "create schema if not exists privacy",
        "create table if not exists privacy.suppression "
        "(identifier_type text, identifier_hash text, suppressed_at timestamp)",
        f"insert into privacy.suppression values ('email', '{hashed}', '2026-01-01')",
    )


def sample_as_of(project: WholeProject) -> str:
    """The moment the sample ends."""
    told: dict[str, Any] = json.loads((project.root / "sample" / "sample.json").read_text("utf-8"))
    return str(told["as_of"])


@pytest.fixture
def project_copy(built_project: WholeProject, tmp_path: Path) -> WholeProject:
    """A copy of the built project that a test may change."""
    root = tmp_path / "project"
    shutil.copytree(built_project.root, root, ignore=shutil.ignore_patterns("sample", "published"))
    return WholeProject(root)


@pytest.fixture
def fresh_project(tmp_path: Path) -> WholeProject:
    """The project as cloned and given a profile, with nothing loaded."""
    return copy_project(tmp_path / "project")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A Postgres server, stopped after the session; see postgres_server.py."""
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> Iterator[PostgresDatabase]:
    """An empty database of the test's own."""
    with postgres.new_database() as database:
        yield database


@pytest.fixture(scope="session")
def macros_project(shared_folder: Path) -> Path:
    """A project with the macros of Kindred and one compiled query for each of EXPRESSIONS."""
    root = shared_folder / "macros"
    with FileLock(shared_folder / "macros.lock"):
        if not root.exists():
            make_macros_project(root, EXPRESSIONS)
            call_dbt(root, "--quiet", "compile").expect()
    return root


@pytest.fixture(scope="session")
def asked_postgres(
    macros_project: Path, postgres: PostgresServer
) -> Iterator[tuple[Path, PostgresDatabase]]:
    """The queries as compiled for Postgres, and a database to run them in."""
    target = macros_project / f"target_postgres_{os.getpid()}"
    with postgres.new_database() as database:
        options = ("--target", "postgres", "--target-path", str(target))
        call_dbt(macros_project, "--quiet", "compile", *options, **database.environment).expect()
        yield target, database
