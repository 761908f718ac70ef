"""Blocking: which pairs agree on a rule, told by numbers in place of values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from kindred.identity import blocking
from kindred.identity.touched import rows_at

RULES = (("given", "family"), ("family", "birth", "city"), ("city",))
NAMES = ("given", "family", "birth", "city")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def _fields(con: duckdb.DuckDBPyConnection, rows: list[tuple[str | None, ...]]) -> None:
    columns = {name: pa.array([row[i] for row in rows], pa.string())
               for i, name in enumerate(NAMES)}  # fmt: skip
    con.register("told", pa.table({"n": np.arange(len(rows)), **columns}))
    con.execute("create or replace table fields as select * from told")


def _town(size: int) -> list[tuple[str | None, ...]]:
    """Records of a few values each, of which many are missing."""
    drawn = np.random.default_rng(4).integers(0, 5, (size, len(NAMES)))
    return [tuple(None if value == 0 else f"v{value}" for value in row) for row in drawn]


def _agree(rows: list[tuple[str | None, ...]], rule: tuple[str, ...]) -> set[tuple[int, int]]:
    at = [NAMES.index(name) for name in rule]
    told = [tuple(row[i] for i in at) for row in rows]
    return {
        (one, two)
        for one, two in combinations(range(len(rows)), 2)
        if told[one] == told[two] and None not in told[one]
    }


def test_candidates_are_the_pairs_that_agree_on_a_rule(con: duckdb.DuckDBPyConnection) -> None:
    """No pair is missed and none is there that shares nothing: a missing value agrees with none."""
    rows = _town(60)
    _fields(con, rows)
    blocking.number_fields(con, RULES)
    for rule in RULES:
        assert blocking.pairs_of(con, rule) == len(_agree(rows, rule))
    every = set().union(*(_agree(rows, rule) for rule in RULES))
    found = blocking.candidates(con, [(rule, 1) for rule in RULES], 60)
    assert [(int(pair) // 60, int(pair) % 60) for pair in found] == sorted(every)
    fresh = blocking.candidates(con, [(rule, 1) for rule in RULES], 60, fresh=np.array([7, 9]))
    assert {(int(pair) // 60, int(pair) % 60) for pair in fresh} == {
        pair for pair in every if {7, 9} & set(pair)
    }


def test_names_in_another_order_are_another_key(con: duckdb.DuckDBPyConnection) -> None:
    """Martin Thomas is not Thomas Martin, and those with one name twice are not all alike."""
    _fields(
        con,
        [
            ("martin", "thomas", None, None),
            ("thomas", "martin", None, None),
            ("martin", "martin", None, None),
            ("thomas", "thomas", None, None),
            ("martin", None, None, None),
            (None, "martin", None, None),
            ("martin", "thomas", "1970", None),
        ],
    )
    key = blocking.key(("given", "family"))
    keys = [row[0] for row in con.execute(f"select {key} from fields order by n").fetchall()]
    assert len(set(keys[:4])) == 4
    assert keys[4:6] == [None, None]
    assert keys[6] == keys[0]


def test_rows_are_taken_from_every_piece() -> None:
    """Whatever pieces a table comes in, the rows asked for are those at their places."""
    table = pa.table({"a": np.arange(100), "b": [f"b{i}" for i in range(100)]})
    for size in (1, 7, 100, 1000):
        pieces = pa.Table.from_batches(table.to_batches(max_chunksize=size), table.schema)
        for places in ([], [0], [99], [0, 6, 7, 8, 13, 14, 98, 99], list(range(100))):
            asked = np.array(places, dtype=np.int64)
            assert rows_at(pieces, asked).equals(table.take(pa.array(asked)))
    assert rows_at(table.slice(0, 0), np.empty(0, np.int64)).num_rows == 0
