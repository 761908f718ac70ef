"""A project whose only source holds the people that a test says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from scenario_warehouse import STREAMS, DuckDb, Step, make_project, stream_columns
from whole_project import WholeProject


class StreamProject:
    """The identity part of the project on DuckDB, with a warehouse of its own."""

    def __init__(self, root: Path) -> None:
        self.project: WholeProject = make_project(root / "project")
        self.engine = DuckDb(root / "warehouse.duckdb", self.project.root)

    def run(self, people: Sequence[dict[str, Any]], *options: str) -> None:
        """Run dbt on these records of people; columns as in the stream, what is missing is null."""
        self.engine.load("batch_1", {name: _table(name, ()) for name in STREAMS[1:]})
        self.engine.load("batch_1", {"person_records": _table("person_records", people)})
        given = Step(1).arguments()[1:3]
        told = ("--quiet", "--exclude-resource-type", "test", "unit_test")
        environment = {**self.engine.environment, **Step(1).environment}
        self.project.dbt("build", *told, *given, *options, **environment).expect()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return self.engine.rows(sql)

    def execute(self, *statements: str) -> None:
        """Change the warehouse."""
        with duckdb.connect(str(self.engine.path)) as connection:
            for statement in statements:
                connection.execute(statement)


def _table(stream: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    types = pa.schema([(name, pa.string()) for name in stream_columns()[stream]])
    return pa.Table.from_pylist([{"source": "scenario", **row} for row in rows], types)
