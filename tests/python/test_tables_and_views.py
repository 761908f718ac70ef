"""Tables and views on DuckDB, replaced in one statement: nothing else is left, nothing is lost."""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import duckdb
import pytest

from macro_queries import PROFILE, make_macros_project
from scenario_warehouse import DuckDb
from whole_project import WholeProject, plain_environment

RELATIONS = """
select table_name, table_type from information_schema.tables
where table_schema = 'kindred' order by all
"""
# What dbt does beside making a view or a table.
TOLD = """
{{{{ config(
    materialized='{}',
    persist_docs={{'relation': true, 'columns': true}},
    sql_header='create table kindred.told as select 1 as a;',
    post_hook={{'sql': 'insert into kindred.told values (2)', 'transaction': false}}
) }}}}
"""
TABLE = "{{ config(materialized='table') }} "
SEEN = """
{{ config(materialized='table') }}
select '{{ load_relation(ref("was_view")).type }}' as kind
"""
BROKEN = "select a from kindred.nowhere"
PYTHON = """
def model(dbt, session):
    dbt.config(materialized="table")
    return session.sql("{}").to_arrow_table()
"""


class Project:
    """The macros in a project of its own, with models that a test writes."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        make_macros_project(self.root, {})
        database = folder / "kindred_build.duckdb"
        (self.root / "profiles.yml").write_text(PROFILE.replace(":memory:", str(database)))
        (self.root / "models").mkdir()
        self.warehouse = DuckDb(database)
        self._dbt = WholeProject(self.root, plain_environment())

    def run(self, code: int = 0, **models: str) -> None:
        """Write models, in SQL or Python, and run all there are."""
        for name, text in models.items():
            ending = "py" if text.lstrip().startswith("def ") else "sql"
            (self.root / f"models/{name}.{ending}").write_text(text)
        dbt = (sys.executable, "-m", "dbt.cli.main", "--quiet", "run")
        self._dbt.run(*dbt).expect(code)

    def rows(self, name: str) -> list[tuple[object, ...]]:
        """What a relation holds."""
        return self.warehouse.rows(f"select * from kindred.{name}")

    def statements(self) -> str:
        """All that was said to the warehouse."""
        return (self.root / "logs/dbt.log").read_text("utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_view_takes_the_place_of_what_was_there(project: Project) -> None:
    """Of a view with other columns, and of a table; where it cannot be made, all stays."""
    project.run(
        was_view="select 1 as a", was_table=f"{TABLE} select 1 as a", was_both="select 1 as a"
    )
    (project.root / "models/_told.yml").write_text(
        "models: [{name: was_view, description: of two}]"
    )
    project.run(
        was_view=f"{TOLD.format('view')} select 2 as b, 'x' as c",
        was_table="select 2 as b, 'x' as c",
        was_both=f"{TABLE} select 2 as b, 'x' as c",
    )
    found = [("was_both", "BASE TABLE"), ("was_table", "VIEW"), ("was_view", "VIEW")]
    # All that dbt does beside is done: the header, the description, the hook behind the commit.
    everything = [("told", "BASE TABLE"), *found]
    assert project.warehouse.rows(RELATIONS) == everything
    assert project.warehouse.rows("select a from kindred.told order by a") == [(1,), (2,)]
    comment = "select comment from duckdb_views() where view_name = 'was_view'"
    assert project.warehouse.rows(comment) == [("of two",)]
    for name, _ in found:
        assert project.rows(name) == [(2, "x")]

    project.run(1, was_view=BROKEN, was_table=BROKEN, was_both=BROKEN)
    assert project.warehouse.rows(RELATIONS) == everything
    for name, _ in found:
        assert project.rows(name) == [(2, "x")]


def test_a_table_takes_the_place_of_what_was_there(project: Project) -> None:
    """Of a table with other columns, of itself, of a view; where it cannot be made, all stays."""
    names = ("by_python", "of_itself", "promised", "was_table", "was_view")
    project.run(
        by_python=PYTHON.format("select 1 as a"),
        of_itself=f"{TABLE} select 1 as b, 'x' as c",
        promised=f"{TABLE} select 1 as b, 'x' as c",
        was_table=f"{TABLE} select 1 as a",
        was_view="select 1 as a",
    )
    # What a killed run may have left is no hindrance.
    with duckdb.connect(str(project.warehouse.path)) as connection:
        for name, end in product(names, ("tmp", "backup")):
            connection.execute(f"create table kindred.{name}__dbt_{end} as select 0 as a")
    (project.root / "models/_told.yml").write_text(
        """
        models:
          - {name: was_table, description: of two, columns: [{name: b, description: the first}]}
          - name: promised
            config: {contract: {enforced: true}}
            columns:
              - {name: b, data_type: integer, constraints: [{type: not_null}]}
              - {name: c, data_type: text}
        """
    )
    project.run(
        by_python=PYTHON.format("select 2 as b, 'x' as c"),
        of_itself=f"{TABLE} select b + 1 as b, c from {{{{ this }}}}",
        promised=f"{TABLE} select 2 as b, 'x' as c",
        was_table=f"{TOLD.format('table')} select 2 as b, 'x' as c",
        was_view=f"{TABLE} select 2 as b, 'x' as c",
        seen=SEEN,
    )
    everything = sorted((name, "BASE TABLE") for name in (*names, "seen", "told"))
    assert project.warehouse.rows(RELATIONS) == everything
    assert project.warehouse.rows("select a from kindred.told order by a") == [(1,), (2,)]
    comments = """
    select comment from duckdb_tables() where table_name = 'was_table'
    union all
    select comment from duckdb_columns() where table_name = 'was_table' and column_name = 'b'
    """
    assert project.warehouse.rows(comments) == [("of two",), ("the first",)]
    for name in names:
        assert project.rows(name) == [(2, "x")]
    # In the same run dbt knows what it is now.
    assert project.rows("seen") == [("table",)]
    is_nullable = "select is_nullable from duckdb_columns() where table_name = 'promised'"
    assert project.warehouse.rows(is_nullable) == [(False,), (True,)]
    assert "rename to" in project.statements()
    assert "duckdb_indexes()" not in project.statements()

    project.run(
        1,
        by_python=PYTHON.format(BROKEN),
        of_itself=BROKEN,
        promised=f"{TABLE} select cast(null as integer) as b, 'x' as c",
        was_table=f"{TABLE} {BROKEN}",
        was_view=f"{TABLE} {BROKEN}",
    )
    assert project.warehouse.rows(RELATIONS) == everything
    for name in names:
        assert project.rows(name) == [(2, "x")]


def test_keys_and_indexes_outlast_a_run(project: Project) -> None:
    """DuckDB neither renames nor drops a table that a key refers to: dbt's own way minds that."""
    (project.root / "models/_keys.yml").write_text(
        """
        models:
          - name: people
            config: {contract: {enforced: true}}
            columns:
              - {name: id, data_type: integer, constraints: [{type: primary_key}]}
          - name: orders
            config: {contract: {enforced: true}}
            columns:
              - name: id
                data_type: integer
                constraints: [{type: foreign_key, to: ref('people'), to_columns: [id]}]
          - {name: sought, config: {indexes: [{columns: [id]}]}}
          - {name: sought_by_python, config: {indexes: [{columns: [id]}]}}
        """
    )
    models = dict.fromkeys(("orders", "people", "sought"), f"{TABLE} select 1 as id")
    models["sought_by_python"] = PYTHON.format("select 1 as id")
    keys = "select constraint_type from duckdb_constraints() where table_name = 'orders'"
    indexes = "select table_name from duckdb_indexes() order by all"
    for _ in range(2):
        project.run(**models)
        assert ("FOREIGN KEY",) in project.warehouse.rows(keys)
        assert project.warehouse.rows(indexes) == [("sought",), ("sought_by_python",)]
    for name in models:
        assert project.rows(name) == [(1,)]
