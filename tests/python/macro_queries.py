"""Macros as queries: one dbt call compiles each into a query on a table `given`, on each engine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from postgres_server import PostgresDatabase
from whole_project import REPOSITORY, Ended, plain_environment

PROJECT = """\
name: kindred
version: "0.1.0"
config-version: 2
profile: kindred
model-paths: [models]
macro-paths: [macros]
analysis-paths: [analyses]
flags: {send_anonymous_usage_stats: false, validate_macro_args: true}
vars: {as_of: "2026-06-30T12:00:00Z"}
"""
PROFILE = """\
kindred:
  target: duckdb
  outputs:
    duckdb: {type: duckdb, path: ":memory:", schema: kindred}
    postgres:
      type: postgrespy
      host: "{{ env_var('KINDRED_PG_HOST') }}"
      port: "{{ env_var('KINDRED_PG_PORT') | as_number }}"
      user: "{{ env_var('KINDRED_PG_USER') }}"
      password: "{{ env_var('KINDRED_PG_PASSWORD') }}"
      dbname: "{{ env_var('KINDRED_PG_DATABASE') }}"
      schema: kindred
"""
ENGINES = ("duckdb", "postgres")
# Name of a query -> an expression over the columns a and b (text).
EXPRESSIONS = {
    "to_text": "to_text('a')",
    "to_name": "to_name('a')",
    "to_email": "to_email('a')",
    "to_phone": "to_phone('a', 'b')",
    "to_phone_at_home": "to_phone('a')",
    "to_country_code": "to_country_code('a')",
    "to_timestamp": "to_timestamp('a')",
    "to_date": "to_date('a')",
    "to_birth_date": "to_birth_date('a')",
    "to_number": "to_number('a')",
    "integer_of": "integer_of(to_number('a'))",
    "to_amount": "to_amount('a')",
    "to_boolean": "to_boolean('a')",
    "to_postcode": "to_postcode('a')",
    "to_domain": "to_domain('a')",
    "first_name_of": "first_name_of('a')",
    "last_name_of": "last_name_of('a')",
    "from_minor_units": "from_minor_units(to_number('a'), 'b')",
    "generate_surrogate_key": "generate_surrogate_key(['a', 'b'])",
    "sha256_hex": "sha256_hex('a')",
    "safe_divide": "safe_divide('a', 'b')",
    "rounded_quotient": ("rounded_quotient('cast(a as numeric(18, 2))', 'cast(b as bigint)')"),
    "try_cast": "try_cast('a', 'bigint')",
    "regexp_like": "regexp_like('a', 'b+c')",
    "regexp_extract": "regexp_extract('a', '([a-z]+)-([0-9]+)', 2)",
    "text_of_form": "text_of_form('a', '[a-z]+-[0-9]+', 9)",
    "regexp_replace_all": "regexp_replace_all('a', '[0-9]+', '#')",
    "json_object": "json_object({'first': 'a', 'second': 'b'})",
    "json_value": "json_value('a', 'user_id')",
    "json_round_trip": "json_value(json_object({'user_id': 'a'}), 'user_id')",
    "strip_accents": "strip_accents('a')",
    "days_between": "days_between('cast(a as timestamp)', 'cast(b as timestamp)')",
    "add_days": "add_days('cast(a as timestamp)', 'cast(b as bigint)')",
    "json_of_types": (
        "json_object({'n': to_amount('a'), 'm': integer_of(to_number('a')), 'b': 'true'})"
    ),
    "trimmed": "trimmed('a')",
    "whole_row_hash": "whole_row_hash('given')",
    "row_hash": "row_hash(['a', 'b']) ~ ' = ' ~ row_hash(['b', 'a'])",
    "lookup": "lookup('a', {'x': 'one', \"it's\": 'two'})",
    "as_of": "as_of()",
}
Ask = Callable[[str, Iterable[Any]], list[Any]]


def call_dbt(root: Path, *arguments: str, **environment: str) -> Ended:
    """Run dbt in a small project that has the macros and nothing else."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from dbt.cli.main import cli; cli()",
            "--no-use-colors",
            *arguments,
        ],
        cwd=root,
        env=plain_environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Ended(done.returncode, done.stdout)


def make_macros_project(root: Path, expressions: Mapping[str, str]) -> None:
    """A project with the macros of Kindred and one query for each expression, not compiled yet."""
    (root / "analyses").mkdir(parents=True)
    for folder in ("cross_db", "standardise", "state"):
        shutil.copytree(REPOSITORY / "macros" / folder, root / "macros" / folder)
    (root / "dbt_project.yml").write_text(PROJECT)
    (root / "profiles.yml").write_text(PROFILE)
    for name, expression in expressions.items():
        sql = f"select {{{{ {expression} }}}} as result from given order by place"
        (root / "analyses" / f"{name}.sql").write_text(sql)


def numbered(values: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Rows of the table `given`: place, a and b."""
    return [
        (place, *(value if isinstance(value, tuple) else (value, None)))
        for place, value in enumerate(values)
    ]


def ask_duckdb(project: Path) -> Ask:
    """The function `ask` for DuckDB."""

    def run(name: str, values: Iterable[Any]) -> list[Any]:
        path = project / "target/compiled/kindred/analyses" / f"{name}.sql"
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("create table given (place integer, a text, b text)")
            connection.executemany("insert into given values (?, ?, ?)", numbered(values))
            return [row[0] for row in connection.execute(path.read_text()).fetchall()]

    return run


def ask_postgres(target: Path, database: PostgresDatabase) -> Ask:
    """The same function, for the queries as compiled for Postgres."""

    def run(name: str, values: Iterable[Any]) -> list[Any]:
        sql = (target / "compiled/kindred/analyses" / f"{name}.sql").read_text()
        with closing(database.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("create temporary table given (place integer, a text, b text)")
            cursor.executemany("insert into given values (%s, %s, %s)", numbered(values))
            cursor.execute(sql)
            return [row[0] for row in cursor.fetchall()]

    return run
