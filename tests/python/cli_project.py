"""A small project on disk for tests of the command line, and a way to run commands in it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from kindred import cli

PROJECT = """\
name: kindred
version: "0.1.0"
profile: kindred
vars:
  sources:
    stripe: [person_records, record_transactions, record_activities]
    shopify: [person_records]
  segments: [new_customers]
"""
PROFILES = """\
kindred:
  target: duckdb
  outputs:
    duckdb:
      type: duckdb
      path: "{{ env_var('KINDRED_DATABASE', 'kindred_build.duckdb') }}"
      schema: kindred
      threads: 1
    postgres:
      type: postgres
      schema: kindred
"""
STRIPE_SOURCES = """\
version: 2
sources:
  - name: stripe
    tables:
      - name: customer
        config: {meta: {required: true}}
        columns:
          - name: id
            config: {meta: {required: true}}
          - name: email
      - name: charge
        columns:
          - name: id
            config: {meta: {required: true}}
"""
SHOPIFY_SOURCES = """\
version: 2
sources:
  - name: shopify
    tables:
      - name: customer
        columns:
          - name: id
"""


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything the user saw, on one line each."""
        return self.out + self.err


class SmallProject:
    """A project folder with two known sources and one segment."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.capsys = capsys
        self.database = root / "kindred_build.duckdb"
        write(root / "dbt_project.yml", PROJECT)
        write(root / "profiles.yml", PROFILES)
        write(root / "models/staging/stripe/_stripe__sources.yml", STRIPE_SOURCES)
        write(root / "models/staging/shopify/_shopify__sources.yml", SHOPIFY_SOURCES)
        write(root / "models/intermediate/streams/person_records.sql", "select 1 as id\n")
        write(root / "models/intermediate/streams/record_activities.sql", "select 1 as id\n")
        write(root / "models/intermediate/streams/record_transactions.sql", "select 1 as id\n")
        write(root / "models/segments/seg_new_customers.sql", "select 1 as customer_id\n")

    def run(self, *arguments: str) -> Outcome:
        """Run `kindred <arguments>` as the console script does."""
        self.capsys.readouterr()
        before = sys.argv
        sys.argv = ["kindred", *arguments]
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            sys.argv = before
        seen = self.capsys.readouterr()
        return Outcome(code, seen.out, seen.err)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of a query on the working database."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def execute(self, *statements: str) -> None:
        """Change the working database."""
        with duckdb.connect(str(self.database)) as connection:
            for statement in statements:
                connection.execute(statement)


def write(path: Path, content: str | bytes) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def make_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SmallProject:
    """A project in `tmp_path`, made the current folder, with no setting from outside."""
    for name in ("KINDRED_DATABASE", "KINDRED_PROJECT_DIR", "DBT_PROFILES_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    root = tmp_path / "project"
    project = SmallProject(root, capsys)
    monkeypatch.chdir(root)
    return project
