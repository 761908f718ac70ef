"""Views on DuckDB, replaced in one statement: nothing else is left, and nothing is lost."""

from __future__ import annotations

import sys
from pathlib import Path

from macro_queries import PROFILE, make_macros_project
from scenario_warehouse import DuckDb
from whole_project import WholeProject, plain_environment

RELATIONS = """
select table_name, table_type from information_schema.tables
where table_schema = 'kindred' order by all
"""
# What dbt does beside making a view.
TOLD = """
{{ config(
    persist_docs={'relation': true},
    sql_header='create table kindred.told as select 1 as a;',
    post_hook={'sql': 'insert into kindred.told values (2)', 'transaction': false}
) }}
"""


def test_a_view_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    """Of a view with other columns, and of a table; where it cannot be made, all stays."""
    root = tmp_path / "project"
    make_macros_project(root, {})
    database = tmp_path / "kindred_build.duckdb"
    (root / "profiles.yml").write_text(PROFILE.replace(":memory:", str(database)))
    (root / "models").mkdir()
    project, engine = WholeProject(root, plain_environment()), DuckDb(database)

    def run(code: int = 0, **models: str) -> None:
        for name, sql in models.items():
            (root / f"models/{name}.sql").write_text(sql)
        dbt = (sys.executable, "-m", "dbt.cli.main", "--quiet", "run")
        project.run(*dbt).expect(code)

    table = "{{ config(materialized='table') }} "
    run(was_view="select 1 as a", was_table=f"{table} select 1 as a", was_both="select 1 as a")
    (root / "models/_told.yml").write_text("models: [{name: was_view, description: of two}]")
    run(
        was_view=f"{TOLD} select 2 as b, 'x' as c",
        was_table="select 2 as b, 'x' as c",
        was_both=f"{table} select 2 as b, 'x' as c",
    )
    found = [("was_both", "BASE TABLE"), ("was_table", "VIEW"), ("was_view", "VIEW")]
    # All that dbt does beside is done: the header, the description, the hook behind the commit.
    everything = [("told", "BASE TABLE"), *found]
    assert engine.rows(RELATIONS) == everything
    assert engine.rows("select a from kindred.told order by a") == [(1,), (2,)]
    comment = "select comment from duckdb_views() where view_name = 'was_view'"
    assert engine.rows(comment) == [("of two",)]
    for name, _ in found:
        assert engine.rows(f"select * from kindred.{name}") == [(2, "x")]

    broken = "select a from kindred.nowhere"
    run(1, was_view=broken, was_table=broken, was_both=broken)
    assert engine.rows(RELATIONS) == everything
    for name, _ in found:
        assert engine.rows(f"select * from kindred.{name}") == [(2, "x")]
