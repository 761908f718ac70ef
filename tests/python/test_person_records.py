"""The stream of people: each run writes what differs, and leaves what the sources say."""

from __future__ import annotations

import random
import re
from collections import Counter
from threading import Timer
from typing import Any

import duckdb
import pytest

from scenario_warehouse import stream_columns
from stream_project import StreamProject

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


class Stream(StreamProject):
    """A project of which the tests read this stream."""

    def after(self, people: list[Row], *options: str) -> list[tuple[Any, ...]]:
        """The stream after a run on these records."""
        self.run(people, *options, "--select", "+person_records")
        columns = ", ".join(stream_columns()["person_records"])
        return self.rows(f"select {columns} from streams.person_records order by 1")

    def in_written_order(self) -> list[str]:
        """The records in the order in which the table was written."""
        found = self.rows("select record_id from streams.person_records order by rowid")
        return [name for (name,) in found]

    def statements(self) -> tuple[str, str]:
        """Of the last run the query of rows that differ, and what writes them from `written`."""
        way = "kindred/models/intermediate/streams/person_records.sql"
        target = self.project.root / "target"
        differing, write = (
            (target / kind / way).read_text("utf-8") for kind in ("compiled", "run")
        )
        return differing, re.sub(r'"person_records__dbt_tmp\d+"', "written", write)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    return Stream(tmp_path_factory.mktemp("stream"))


def test_a_run_writes_what_differs_and_nothing_else(stream: Stream) -> None:
    """After any change the table is that of a full refresh; what stays is not written anew."""
    stream.after(_BEFORE, "--full-refresh")
    assert stream.in_written_order()[-1] == "nothing:0"
    found = stream.after(_AFTER)
    assert stream.in_written_order()[0] == "nothing:0"
    assert len(found) == len(_AFTER)
    assert found == stream.after(_AFTER, "--full-refresh")
    assert stream.after([]) == []


def test_no_row_of_a_repeated_key_is_lost(stream: Stream) -> None:
    """Few keys and cities, or none, several times over: every row of now is there, of every key as
    many rows as now, and none besides."""
    stream.after(_BEFORE)
    stream.after(_AFTER)
    differing, write = stream.statements()
    kinds = [(key, city) for key in ("a", "b", None) for city in ("Bath", None)]
    drawn = random.Random(50)
    columns = "(record_id, source, city)"
    with duckdb.connect(str(stream.engine.path)) as connection:
        for _ in range(60):
            sides = [drawn.choices(kinds, k=drawn.randrange(4)) for _ in range(2)]
            tables = ("streams.person_records", "batch_1.person_records")
            for table, rows in zip(tables, sides, strict=True):
                connection.execute(f"delete from {table}")
                for row in rows:
                    connection.execute(f"insert into {table} {columns} values (?, 'x', ?)", row)
            connection.execute(f"create or replace temp table written as {differing}")
            connection.execute(write)
            found = connection.execute("select record_id, city from streams.person_records")
            held = found.fetchall()
            assert set(held) == set(sides[1]), sides
            assert Counter(key for key, _ in held) == Counter(key for key, _ in sides[1]), sides


def test_a_row_that_is_there_many_times_is_not_joined_with_each(stream: Stream) -> None:
    """A source of one's own that gives one row over and over is told of by tests, and soon."""
    stream.after(_BEFORE)
    stream.after(_AFTER)
    differing, _ = stream.statements()
    with duckdb.connect(str(stream.engine.path)) as connection:
        connection.execute("delete from batch_1.person_records")
        connection.execute(
            "insert into batch_1.person_records (record_id) select 'a' from range(300000)"
        )
        connection.execute("delete from streams.person_records")
        connection.execute(
            "insert into streams.person_records (record_id) select 'a' from range(300000)"
        )
        # Joined with each it would take hours; it takes a moment.
        timer = Timer(60, connection.interrupt)
        timer.start()
        try:
            found = connection.execute(f"select count(*) from ({differing})").fetchall()
        finally:
            timer.cancel()
        assert found == [(0,)]


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
    wanted = stream.after(_BEFORE)
    stream.execute(*done)
    assert stream.after(_BEFORE) == wanted
