"""`kindred load --target postgres`: raw files become raw tables of a Postgres database."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli_project import Outcome, SmallProject, make_project, write
from kindred.project import load_profile, load_project
from kindred.warehouse.postgres import connected, run_lock
from postgres_server import PostgresDatabase
from whole_project import REPOSITORY

ODD = 'id,name\n007,"Doe, ""Jo"""\n8,\n9,""\n10,"two\nlines \\. \\N"\n11,Zoë 🙂\n'


@pytest.fixture
def project(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    postgres_database: PostgresDatabase,
) -> SmallProject:
    """A small project whose target `postgres` is an empty database."""
    for name, value in postgres_database.environment.items():
        monkeypatch.setenv(name, value)
    project = make_project(tmp_path, monkeypatch, capsys)
    write(project.root / "profiles.yml", (REPOSITORY / "profiles.example.yml").read_text("utf-8"))
    return project


def load(project: SmallProject, folder: str = "raw") -> Outcome:
    """Load a folder into the Postgres target."""
    return project.run("load", folder, "--target", "postgres")


def test_values_arrive_as_written(
    project: SmallProject, postgres_database: PostgresDatabase
) -> None:
    """For every source: quotes, line breaks, long ids and emoji survive; blank is null."""
    write(project.root / "raw/stripe/customer.csv", ODD)
    ended = load(project)
    assert ended.code == 0, ended.text
    assert postgres_database.query("select * from stripe.customer") == [
        ("007", 'Doe, "Jo"'),
        ("8", None),
        ("9", None),
        ("10", "two\nlines \\. \\N"),
        ("11", "Zoë 🙂"),
    ]
    database = postgres_database.address["dbname"]
    assert f"1 table, 5 rows in the database {database}." in ended.out


def test_types_of_parquet_stay(project: SmallProject, postgres_database: PostgresDatabase) -> None:
    """For connectors that write types: they arrive; fractions and lists come as text."""
    folder = project.root / "raw/stripe"
    folder.mkdir(parents=True)
    table = pa.table(
        {
            "Id": [1, 2],
            "paid": [True, None],
            "amount": pa.array([Decimal("1.50"), None], pa.decimal128(18, 2)),
            "created": [datetime.datetime(2026, 1, 2, 3, 4, 5), None],
            "ratio": [1.0, None],
            "tags": [["a"], None],
        }
    )
    pq.write_table(table, folder / "charge.parquet")
    ended = load(project)
    assert ended.code == 0, ended.text
    assert postgres_database.query("select * from stripe.charge order by id") == [
        (1, True, Decimal("1.50"), datetime.datetime(2026, 1, 2, 3, 4, 5), "1.0", "[a]"),
        (2, None, None, None, None, None),
    ]


def test_a_second_load_keeps_views_and_changes_only_what_changed(
    project: SmallProject, postgres_database: PostgresDatabase
) -> None:
    """A file that is in is left alone; new rows of the same columns leave views on the table."""
    file = write(project.root / "raw/stripe/customer.csv", "id,name\n1,a\n")
    assert load(project).code == 0
    postgres_database.execute("create view public.names as select name from stripe.customer")
    assert "unchanged" in load(project).out
    write(file, "id,name\n1,b\n2,c\n")
    assert "replaced" in load(project).out
    assert postgres_database.query("select * from public.names order by name") == [("b",), ("c",)]
    write(file, "id,name,email\n1,b,x@example.com\n")
    assert load(project).code == 0
    assert postgres_database.query("select email from stripe.customer") == [("x@example.com",)]


def test_of_a_broken_file_nothing_is_loaded(
    project: SmallProject, postgres_database: PostgresDatabase
) -> None:
    """The table stays as it was, the other files are in, the message names file and line."""
    file = write(project.root / "raw/stripe/customer.csv", "id,name\n1,a\n")
    assert load(project).code == 0
    write(file, "id,name\n1,b\n2\n")
    write(project.root / "raw/stripe/charge.csv", "id\nch_1\n")
    ended = load(project)
    assert ended.code == 2
    assert "stripe/customer.csv: line 3" in ended.err
    assert postgres_database.query("select * from stripe.customer") == [("1", "a")]
    assert postgres_database.query("select * from stripe.charge") == [("ch_1",)]


def test_a_second_run_is_refused(project: SmallProject) -> None:
    """While a run holds the database, another ends at once with exit code 3."""
    write(project.root / "raw/stripe/customer.csv", "id,name\n1,a\n")
    profile = load_profile(load_project(project.root), "postgres")
    with connected(profile) as connection, run_lock(connection):
        ended = load(project)
    assert ended.code == 3
    assert "in use by another run" in ended.err
    assert load(project).code == 0


def test_a_database_out_of_reach_is_told_without_the_password(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names server and reason, and no secret."""
    write(project.root / "raw/stripe/customer.csv", "id,name\n1,a\n")
    monkeypatch.setenv("KINDRED_PG_DATABASE", "no_such_database")
    monkeypatch.setenv("KINDRED_PG_PASSWORD", "very secret")
    ended = load(project)
    assert ended.code == 2
    assert 'database "no_such_database" does not exist' in ended.err
    assert "very secret" not in ended.text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("KINDRED_PG_PORT", "abc", ["The port of the target 'postgres' is no number: abc", "5432"]),
        ("KINDRED_PG_HOST", "/nowhere", ["/nowhere, port", "No such file or directory."]),
    ],
)
def test_a_wrong_address_is_told(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: list[str]
) -> None:
    """For whoever sets up a target: what is wrong and where to mend it, exit code 2."""
    write(project.root / "raw/stripe/customer.csv", "id,email\n1,a@example.com\n")
    monkeypatch.setenv(name, value)
    outcome = load(project)
    assert outcome.code == 2
    for word in words:
        assert word in outcome.err, outcome.err
