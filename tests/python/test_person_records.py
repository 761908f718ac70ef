"""The stream of people: each run writes what differs, and leaves what the sources say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from scenario_warehouse import DuckDb, Step, make_project, stream_columns
from whole_project import WholeProject

Row = dict[str, Any]
# By what happens to them between two runs: the records before and after.
_CHANGES: dict[str, tuple[list[Row], list[Row]]] = {
    "one is new": ([], [{"city": "Bath"}]),
    "one is gone": ([{"city": "Bath"}], []),
    "a value": ([{"email": "ada@home.example"}], [{"email": "ada@work.example"}]),
    "a value is emptied": ([{"city": "Bath"}], [{"city": None}]),
    "a value is filled": ([{"city": None}], [{"city": "Bath"}]),
    "an empty text": ([{"city": None}], [{"city": ""}]),
    "a value moves to another column": ([{"first_name": "Ada"}], [{"last_name": "Ada"}]),
    "a moment": (
        [{"updated_at": "2026-01-01 00:00:00"}], [{"updated_at": "2026-01-01 00:00:01"}],
    ),
    "two take each other's place": (
        [{"city": "Bath"}, {"city": "York"}], [{"city": "York"}, {"city": "Bath"}],
    ),
    "nothing": ([{"city": "Bath"}], [{"city": "Bath"}]),
}  # fmt: skip
_BEFORE, _AFTER = (
    [
        {"record_id": f"{change}:{i}", **row}
        for change, sides in _CHANGES.items()
        for i, row in enumerate(sides[side])
    ]
    for side in (0, 1)
)


class Stream:
    """A project whose only source holds what the test says."""

    def __init__(self, root: Path) -> None:
        self.project: WholeProject = make_project(root / "project")
        self.engine = DuckDb(root / "kindred_build.duckdb")

    def run(self, rows: list[Row], *options: str) -> list[tuple[Any, ...]]:
        """The stream after a run on these records."""
        columns = stream_columns()["person_records"]
        types = pa.schema([(name, pa.string()) for name in columns])
        told = [{"source": "scenario", **row} for row in rows]
        self.engine.load("batch_1", {"person_records": pa.Table.from_pylist(told, types)})
        given = (*Step(1).arguments()[1:3], *options, "--select", "+person_records")
        self.project.dbt("run", "--quiet", *given, **self.engine.environment).expect()
        return self.engine.rows(
            f"select {', '.join(columns)} from streams.person_records order by 1"
        )

    def execute(self, statement: str) -> None:
        """Change the warehouse."""
        with duckdb.connect(str(self.engine.path)) as connection:
            connection.execute(statement)

    def in_written_order(self) -> list[str]:
        """The records in the order in which the table was written."""
        found = self.engine.rows("select record_id from streams.person_records order by rowid")
        return [name for (name,) in found]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    return Stream(tmp_path_factory.mktemp("stream"))


def test_a_run_writes_what_differs_and_nothing_else(stream: Stream) -> None:
    """After any change the table is that of a full refresh; what stays is not written anew."""
    stream.run(_BEFORE, "--full-refresh")
    assert stream.in_written_order()[-1] == "nothing:0"
    found = stream.run(_AFTER)
    assert stream.in_written_order()[0] == "nothing:0"
    assert len(found) == len(_AFTER)
    assert found == stream.run(_AFTER, "--full-refresh")
    assert stream.run([]) == []


@pytest.mark.parametrize(
    "done",
    [
        (
            "update streams.person_records set city = 'Elsewhere' where first_name = 'Ada'",
            "delete from streams.person_records where email is not null",
            "insert into streams.person_records (record_id, source) values ('b:1', 'gone')",
        ),
        ("alter table streams.person_records drop column email",),
    ],
    ids=["rows", "a column"],
)
def test_what_others_did_to_the_table_is_put_right(stream: Stream, done: tuple[str, ...]) -> None:
    wanted = stream.run(_BEFORE)
    for statement in done:
        stream.execute(statement)
    assert stream.run(_BEFORE) == wanted
