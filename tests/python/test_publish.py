"""`kindred publish`: what people who read the marts, and the privacy officer, may rely on."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import duckdb
import pytest

from cli_project import SmallProject, make_project, write
from cli_warehouse import PLANTED_EMAIL, PLANTED_NAME, build_warehouse

COLUMNS = {
    "customers": {
        "customer_id": "open",
        "email": "masked",
        "last_name": "masked",
        "birth_date": "masked",
        "country_code": "open",
        "can_email": "open",
        "can_sms": "shown to all",
    },
    "accounts": {"account_id": "open", "name": "open"},
}


def write_manifest(project: SmallProject) -> None:
    nodes = {}
    for name, columns in COLUMNS.items():
        nodes[f"model.kindred.{name}"] = {
            "resource_type": "model",
            "name": name,
            "alias": name,
            "schema": "kindred",
            "path": f"marts/profiles/{name}.sql",
            "description": f"One row per {name}; it's the mart.",
            "columns": {
                column: {"description": f"The {column}.", "config": {"meta": {"bi": exposure}}}
                for column, exposure in columns.items()
            },
        }
    nodes["model.kindred.seg_new_customers"] = {
        "resource_type": "model",
        "name": "seg_new_customers",
        "alias": "seg_new_customers",
        "schema": "segments",
        "path": "segments/seg_new_customers.sql",
        "columns": {},
    }
    write(project.root / "target/manifest.json", json.dumps({"nodes": nodes}))


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SmallProject:
    made = make_project(tmp_path, monkeypatch, capsys)
    build_warehouse(made)
    write_manifest(made)
    passed(made)
    return made


def passed(project: SmallProject, severity: str = "critical", is_success: bool = True) -> None:
    """Note a check result of the current generation."""
    flag = str(is_success).lower()
    project.execute(
        "insert into kindred.data_quality_results (generation, severity, is_success)"
        f" select generation, '{severity}', {flag} from identity.generation"
    )


def read(path: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def current(project: SmallProject, name: str = "kindred.duckdb") -> Path:
    return project.root / "published/current" / name


def test_the_masked_file_shows_no_value_and_the_restricted_one_all(project: SmallProject) -> None:
    """For BI and the privacy officer: masked, hidden and unclassified columns tell no value."""
    outcome = project.run("publish")
    assert outcome.code == 0, outcome.err
    row = read(
        current(project),
        "select email, last_name, birth_date, country_code, can_email, can_sms,"
        " unclassified_number from kindred.customers where email like 'p***@%'"
        " and last_name = 'P***'",
    )
    assert [str(value) for value in row[0]] == [
        "p***@example.com",
        "P***",
        "1980-01-01",
        "US",
        "True",
        "None",
        "None",
    ]
    assert read(current(project), "select count(*) from customers") == [(20,)]
    assert read(current(project), "select count(*) from segments.seg_new_customers") == [(20,)]
    content = current(project).read_bytes()
    assert PLANTED_EMAIL.encode() not in content
    assert PLANTED_NAME.encode() not in content
    restricted = current(project, "kindred_restricted.duckdb")
    assert read(restricted, "select email from kindred.customers where last_name = 'Plantagenet'")
    assert restricted.stat().st_mode & 0o077 == 0


def test_everybody_may_open_the_masked_file_and_nobody_the_restricted_one(
    project: SmallProject,
) -> None:
    """For BI and the privacy officer: so it is whatever the umask of the user who publishes is."""
    for generation, umask in enumerate((0o000, 0o077), start=1):
        project.execute(f"update identity.generation set generation = {generation}")
        passed(project)
        before = os.umask(umask)
        try:
            assert project.run("publish").code == 0
        finally:
            os.umask(before)
        modes = {
            path.name: path.stat().st_mode & 0o777 for path in current(project).parent.iterdir()
        }
        assert modes == {
            "kindred.duckdb": 0o644,
            "kindred_restricted.duckdb": 0o600,
            "publication.json": 0o644,
        }
        assert current(project).parent.resolve().stat().st_mode & 0o777 == 0o755


def test_types_and_descriptions_come_along(project: SmallProject) -> None:
    """For analysts: a hidden column keeps its type, and every table and column its description."""
    project.run("publish")
    types = dict(
        read(
            current(project),
            "select column_name, data_type from duckdb_columns() where table_name = 'customers'",
        )
    )
    assert types["unclassified_number"] == "INTEGER"
    assert types["birth_date"] == "DATE"
    assert read(
        current(project), "select comment from duckdb_tables() where table_name = 'customers'"
    ) == [("One row per customers; it's the mart.",)]
    comments = read(
        current(project),
        "select comment from duckdb_columns() where table_name = 'customers' order by column_index",
    )
    assert comments[0] == ("The customer_id.",)
    assert comments[1] == ("The email. (masked here)",)


def test_tables_that_no_mart_describes_stay_at_home(project: SmallProject) -> None:
    """For the privacy officer: only what the manifest names as a mart leaves the working file."""
    project.execute("create table kindred.scratch as select * from streams.person_records")
    project.run("publish")
    for name in ("kindred.duckdb", "kindred_restricted.duckdb"):
        tables = read(current(project, name), "select table_name from duckdb_tables() order by 1")
        assert [row[0] for row in tables] == ["accounts", "customers", "seg_new_customers"]


def test_only_a_checked_and_sound_generation_is_published(project: SmallProject) -> None:
    """For readers: without a check, or with a failed critical one, what they read stays."""
    project.run("publish")
    before = (project.root / "published/current").readlink()
    project.execute("update identity.generation set generation = 2")
    unchecked = project.run("publish")
    assert unchecked.code == 2
    assert "kindred check" in unchecked.err
    passed(project, "warning", is_success=False)
    passed(project)
    passed(project, is_success=False)
    failed = project.run("publish")
    assert failed.code == 1
    assert "not published" in failed.err
    assert (project.root / "published/current").readlink() == before


def test_a_missing_mart_publishes_nothing(project: SmallProject) -> None:
    """For readers: a build with --select lacks marts and never replaces a whole one."""
    project.execute("drop table kindred.accounts")
    outcome = project.run("publish")
    assert outcome.code == 2
    assert "kindred.accounts" in outcome.err
    assert not (project.root / "published/current").exists()


def test_the_last_runs_are_kept_and_leftovers_go(project: SmallProject) -> None:
    """For the disk: three runs stay, what a killed run left behind goes."""
    write(project.root / "published/.unfinished-000001-x/kindred.duckdb", "half")
    write(project.root / "published/notes/mine.txt", "keep me")
    for generation in range(1, 6):
        project.execute(f"update identity.generation set generation = {generation}")
        passed(project)
        assert project.run("publish").code == 0
    names = sorted(path.name for path in (project.root / "published").iterdir())
    assert names == [
        "000003-20260630T000000",
        "000004-20260630T000000",
        "000005-20260630T000000",
        "current",
        "notes",
    ]
    assert project.run("publish").code == 0
    assert str((project.root / "published/current").readlink()) == "000005-20260630T000000-2"


def test_readers_never_meet_half_a_run(project: SmallProject) -> None:
    """For BI: opening and reading all the while, both files always there and of one run."""
    project.run("publish")
    held = duckdb.connect(str(current(project)), read_only=True)
    seen: set[str] = set()
    problems: list[BaseException] = []
    stop = threading.Event()

    def keep_reading() -> None:
        while not stop.is_set():
            try:
                home = current(project).parent.resolve()
                seen.add(home.name)
                counts = [
                    read(home / "kindred.duckdb", "select count(*) from customers"),
                    read(
                        home / "kindred_restricted.duckdb", "select count(*) from kindred.customers"
                    ),
                ]
                assert counts[0] == counts[1] == [(20,)]
            except BaseException as error:  # noqa: BLE001 - told to the test's own thread
                problems.append(error)
                return

    reader = threading.Thread(target=keep_reading)
    reader.start()
    for generation in range(2, 5):
        project.execute(f"update identity.generation set generation = {generation}")
        passed(project)
        assert project.run("publish", "--keep", "10").code == 0
    stop.set()
    reader.join()
    assert not problems
    assert len(seen) > 1
    assert held.execute("select count(*) from customers").fetchall() == [(20,)]
    held.close()


def test_publish_needs_a_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a beginner: without a build one message says what to run."""
    bare = make_project(tmp_path / "bare", monkeypatch, capsys)
    outcome = bare.run("publish")
    assert outcome.code == 2
    assert "kindred build" in outcome.err
