"""`kindred doctor`: what a beginner may rely on when something is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli_project import SmallProject, make_project, write
from kindred.project import load_profile, load_project
from kindred.warehouse import loading
from kindred.warehouse.database import connected
from kindred.warehouse.dbt_run import run_dbt
from kindred.warehouse.lock import run_lock
from kindred.warehouse.raw_state import keep_of_plain_dbt, kept
from kindred.warehouse.target import umask_for


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SmallProject:
    monkeypatch.delenv("KINDRED_PRIVACY_KEY", raising=False)
    return make_project(tmp_path, monkeypatch, capsys)


def load(project: SmallProject) -> None:
    write(project.root / "raw/stripe/customer.csv", "id,email\n1,a@example.com\n")
    write(project.root / "raw/shopify/customer.csv", "id\n1\n")
    assert project.run("load", "raw").code == 0


def test_ready_when_every_source_is_there(project: SmallProject) -> None:
    """For a beginner: after a load the doctor says a build can run, and what is optional."""
    load(project)
    outcome = project.run("doctor")
    assert outcome.code == 0, outcome.out
    assert "Ready" in outcome.out
    assert "optional and not there: charge" in outcome.out
    assert "privacy key" in outcome.out


def test_without_data_or_profile_it_says_what_to_do(project: SmallProject) -> None:
    """For a beginner: no database, no profile: exit 2 and the next command to type."""
    outcome = project.run("doctor")
    assert outcome.code == 2
    assert "kindred load DIR" in outcome.out
    (project.root / "profiles.yml").unlink()
    outcome = project.run("doctor")
    assert outcome.code == 2
    assert "copy profiles.example.yml to profiles.yml" in outcome.out


def test_every_gap_is_named_with_its_mend(project: SmallProject) -> None:
    """For a data engineer: missing tables and columns, unregistered segments, all at once."""
    write(project.root / "raw/stripe/customer.csv", "email\na@example.com\n")
    assert project.run("load", "raw").code == 0
    write(project.root / "models/segments/seg_lapsed.sql", "select 1\n")
    outcome = project.run("doctor")
    assert outcome.code == 2
    for part in ("stripe.customer.id is missing", "schema shopify holds none", "`- lapsed`"):
        assert part in outcome.out
    assert "Traceback" not in outcome.text


def test_a_source_that_lost_much_is_told(project: SmallProject) -> None:
    """For whoever schedules plain `dbt build`: the doctor before it stops what a build would."""
    rows = "".join(f"{number},p{number}@example.com\n" for number in range(20))
    write(project.root / "raw/stripe/customer.csv", "id,email\n" + rows)
    write(project.root / "raw/shopify/customer.csv", "id\n1\n")
    assert project.run("load", "raw").code == 0
    # What dbt itself writes of a run.
    project.execute(
        "create schema kindred",
        "create table kindred.run_history as"
        " select 1 as generation, 21 as raw_row_count, cast(null as text) as input_fingerprint",
    )
    told = load_project(project.root)
    history = ("kindred", "run_history")
    with connected(project.database) as connection:
        assert keep_of_plain_dbt(connection, told, history, 1)
        assert [one.rows for one in kept(connection)] == [1, 20]
    assert project.run("doctor").code == 0
    project.execute("delete from stripe.customer where id <> '1'")
    outcome = project.run("doctor")
    assert outcome.code == 2
    assert "stripe.customer holds 1 of 20 rows" in outcome.out
    assert "--accept-loss stripe" in outcome.out
    # Loaded anew since dbt read them: what was known stays; after `kindred build` it is not asked.
    with connected(project.database) as connection:
        assert not keep_of_plain_dbt(connection, told, history, 1)
        connection.execute("update kindred.run_history set input_fingerprint = 'x'")
        assert keep_of_plain_dbt(connection, told, history, 1)
        assert [one.rows for one in kept(connection)] == [1, 20]


def test_nobody_else_may_open_the_working_database(project: SmallProject) -> None:
    """For a privacy officer: it holds every name; only its owner reads it, or the doctor warns."""
    load(project)
    (database,) = project.root.glob("*.duckdb")
    assert database.stat().st_mode & 0o777 == 0o600
    told = project.run("doctor")
    assert "other users" not in told.out
    database.chmod(0o644)
    told = project.run("doctor")
    assert told.code == 0 and "chmod go=" in told.out
    # Whoever shares it on purpose keeps it so.
    load(project)
    assert database.stat().st_mode & 0o777 == 0o644


def test_what_is_laid_beside_the_working_database_is_as_private(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a privacy officer: the write-ahead log of a run that was killed holds names as well."""
    seen: list[int] = []
    load_files = loading.load_files

    def looked_at(connection: Any, *rest: Any) -> Any:
        connection.execute("create table main.half_done as select 'a name' as name")
        (log,) = project.root.glob("*.wal")
        seen.append(log.stat().st_mode & 0o777)
        connection.execute("drop table main.half_done")
        return load_files(connection, *rest)

    monkeypatch.setattr(loading, "load_files", looked_at)
    command = (sys.executable, "-c", "open('made', 'w')")
    before = os.umask(0o022)
    try:
        for shared, mode in ((False, 0o600), (True, 0o644)):
            load(project)
            (database,) = project.root.glob("*.duckdb")
            profile = load_profile(load_project(project.root))
            run_dbt(command, load_project(project.root), {}, umask=umask_for(profile))
            made = project.root / "made"
            assert made.stat().st_mode & 0o777 == mode
            assert seen.pop() == mode
            made.unlink()
            if not shared:
                database.chmod(0o644)
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_a_held_lock_is_told(project: SmallProject) -> None:
    """For whoever waits: who holds the lock, and since when."""
    load(project)
    with run_lock(project.database, "kindred build"):
        outcome = project.run("doctor")
    assert outcome.code == 2
    assert f"process {os.getpid()}" in outcome.out
    assert project.run("doctor").code == 0


def test_a_file_that_is_no_database_is_told(project: SmallProject) -> None:
    """For whoever points KINDRED_DATABASE at the wrong file: one message, no stack trace."""
    write(project.database, "not a database at all")
    outcome = project.run("doctor")
    assert outcome.code == 2
    assert "cannot be opened" in outcome.out
    assert "Traceback" not in outcome.text


def test_outside_a_project_one_message_says_so(tmp_path: Path) -> None:
    """For a beginner in the wrong folder: the console script tells it in two lines, exit 2."""
    done = subprocess.run(
        [sys.executable, "-c", "from kindred.cli import main; main()", "doctor"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={key: value for key, value in os.environ.items() if key != "KINDRED_PROJECT_DIR"},
        check=False,
    )
    assert done.returncode == 2
    assert "No dbt_project.yml" in done.stderr
    assert "Traceback" not in done.stderr
