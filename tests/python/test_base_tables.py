"""Raw tables as they lie in the warehouse: one that is there is read, whatever dbt remembers."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from macro_queries import PROFILE, make_macros_project
from postgres_server import PostgresServer
from scenario_warehouse import DuckDb, Engine, Postgres
from whole_project import REPOSITORY, WholeProject, plain_environment

SOURCES = """\
sources:
  - name: raw
    tables:
      - name: person
        config: {meta: {required: true}}
        columns: [{name: id}, {name: city}]
      - name: visit
        columns: [{name: id}]
      - name: letter
        columns: [{name: id}]
"""
# What a thread sees while another one takes down the tables of a raw schema.
WHILE_TAKEN_DOWN = """\
from dbt.adapters.cache import RelationsCache
from dbt.cli.main import cli
knows, remembers = RelationsCache.__contains__, RelationsCache.get_relations
def in_part(self, database, schema):
    found = remembers(self, database, schema)
    return [] if schema == "raw" else found
RelationsCache.__contains__ = lambda self, key: key[1] == "raw" or knows(self, key)
RelationsCache.get_relations = in_part
cli()
"""


@pytest.fixture(params=["duckdb", "postgres"])
def project(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[WholeProject, Engine]]:
    """Three base models on both engines; the raw tables are the test's to load."""
    root = tmp_path / "project"
    make_macros_project(root, {})
    (root / "macros/staging").mkdir()
    shutil.copy(REPOSITORY / "macros/staging/base_table.sql", root / "macros/staging")
    database = str(tmp_path / "kindred_build.duckdb")
    (root / "profiles.yml").write_text(PROFILE.replace(":memory:", database))
    (root / "models").mkdir()
    (root / "models/_sources.yml").write_text(SOURCES)
    for table in ("person", "visit", "letter"):
        (root / f"models/base_{table}.sql").write_text(f"{{{{ base_table('raw', '{table}') }}}}")
    whole = WholeProject(root, plain_environment())
    if request.param == "duckdb":
        yield whole, DuckDb(Path(database))
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.new_database() as held:
        yield whole, Postgres(held)


def _run(project: WholeProject, engine: Engine) -> None:
    options = ("--no-use-colors", "--quiet", "run", "--target", engine.target)
    command = (sys.executable, "-c", WHILE_TAKEN_DOWN, *options)
    project.run(*command, **engine.environment).expect()


def test_a_table_that_is_there_is_read(project: tuple[WholeProject, Engine]) -> None:
    """Whoever loads a table finds its rows, also where dbt has not taken it down yet: a required
    one is not called missing, and an optional one is not taken for empty."""
    whole, engine = project
    tables = {
        "person": pa.table({"id": ["1", "2"], "city": ["Bath", None]}),
        "visit": pa.table({"id": ["7"]}),
    }
    engine.load("raw", tables)
    _run(whole, engine)
    assert engine.rows("select id, city from kindred.base_person order by 1") == [
        ("1", "Bath"), ("2", None),
    ]  # fmt: skip
    assert engine.rows("select id from kindred.base_visit") == [("7",)]
    assert engine.rows("select id from kindred.base_letter") == []


def test_a_table_may_be_written_in_capitals(project: tuple[WholeProject, Engine]) -> None:
    """A connector that keeps the capitals of its source is read; of two, the one that is named."""
    whole, engine = project
    engine.load("raw", {'"Person"': pa.table({"id": ["1"]}), '"VISIT"': pa.table({"id": ["2"]})})
    if engine.target == "postgres":
        engine.load("raw", {"visit": pa.table({"id": ["3"]})})
    _run(whole, engine)
    assert engine.rows("select id from kindred.base_person") == [("1",)]
    named = "3" if engine.target == "postgres" else "2"
    assert engine.rows("select id from kindred.base_visit") == [(named,)]
