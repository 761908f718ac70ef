"""The stream of people: each run writes what differs, and leaves what the sources say."""

from __future__ import annotations

from typing import Any

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
_CITY = list(stream_columns()["person_records"]).index("city")
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
    """Whatever rows one record id has, before and after, the table has those of now."""
    sides = {
        "one of two is new": ("a", "ab"),
        "one of three is new": ("ab", "abc"),
        "two are new": ("", "ab"),
        "one of two is gone": ("ab", "b"),
        "both have changed": ("ab", "cd"),
        "twice the same": ("a", "aa"),
        "the same again": ("aab", "aab"),
    }
    before, after = (
        [
            {"record_id": record_id, "city": city}
            for record_id, cities in sides.items()
            for city in cities[side]
        ]
        for side in (0, 1)
    )
    nameless = [{"record_id": None, "city": "e"}]
    stream.after(before + nameless, "--full-refresh")
    found = stream.after(after + nameless)
    held = sorted((row[0] or "", row[_CITY]) for row in found)
    assert held == sorted((row["record_id"] or "", row["city"]) for row in after + nameless)


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
