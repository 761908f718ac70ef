"""Candidate pairs and how alike they are, by Splink 5 in the connection of the caller.

Splink compares; the weights come from kindred.identity.mixture.
"""

# SQL is put together from the settings of this package only, never from values of users.
# ruff: noqa: S608

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison, Entity

LevelArray = npt.NDArray[np.int8]

# Candidate pairs per record, and the least worth having: blocking rules are taken from the
# tightest to the loosest until this is used up.
PAIRS_PER_RECORD = 12
LEAST_PAIRS = 1_000_000
RANDOM_PAIRS = 300_000


@dataclass(frozen=True)
class Pairs:
    """Pairs of representatives and the level each comparison puts them on (-1: nothing said).

    Level 0 is the last of the comparison's levels (different), the highest the first (same).
    """

    left: IntArray
    right: IntArray
    levels: LevelArray

    def __len__(self) -> int:
        return len(self.left)


def usable_comparisons(entity: Entity, filled: list[str]) -> tuple[Comparison, ...]:
    """The comparisons whose field the records have."""
    return tuple(
        c
        for c in entity.comparisons
        if c.field in filled or (c.holders_of and set(c.holders_of) <= set(filled))
    )


def choose_blocking(
    con: duckdb.DuckDBPyConnection, entity: Entity, table: str = "fields"
) -> list[tuple[tuple[str, ...], int]]:
    """Blocking rules with the pairs each proposes, tightest first, within the budget.

    A rule on columns that the records lack proposes nothing and is left out, so the rules adapt
    to what is filled. Few records are all compared: the empty rule.
    """
    size = con.execute(f"select count(*) from {table}").fetchall()[0][0]
    every = size * (size - 1) // 2
    budget = max(LEAST_PAIRS, PAIRS_PER_RECORD * size)
    if every <= budget:
        return [((), every)] if every else []
    chosen: list[tuple[tuple[str, ...], int]] = []
    used = 0
    for rule in entity.blocking:
        known = " and ".join(f"{name} is not null" for name in rule)
        pairs = con.execute(
            f"""
            select coalesce(sum(n * (n - 1) // 2), 0)::bigint
            from (
                select count(*)::hugeint as n from {table} where {known} group by {", ".join(rule)}
            )
            """
        ).fetchall()[0][0]
        if pairs and used + pairs <= budget:
            chosen.append((rule, int(pairs)))
            used += pairs
    return chosen


class Scorer:
    """Splink over one table of representatives (`table` with column n)."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        comparisons: tuple[Comparison, ...],
        rules: list[tuple[str, ...]],
        table: str = "fields",
    ) -> None:
        from splink import DuckDBAPI, Linker

        self._con = con
        self._comparisons = comparisons
        self._compared = tuple(c for c in comparisons if not c.holders_of)
        self._holders = {c.field: _holders(con, c, table) for c in comparisons if c.holders_of}
        self._table = table
        self._rules = rules
        api = DuckDBAPI(connection=con)
        self._api = api
        self._linker = Linker(
            api.register(con.table(table)),
            splink_settings(self._compared),
            log_level="ERROR",
        )

    def candidates(self) -> Pairs:
        """Block and compare.

        All rules at once and then without repeats: Splink, which asks of every pair of a rule
        whether an earlier rule had it, takes ten times as long over this many rules.
        """
        blocked = " union all ".join(
            f"select l.n as l, r.n as r from {self._table} as l inner join {self._table} as r on "
            + " and ".join([*(f"l.{name} = r.{name}" for name in rule), "l.n < r.n"])
            for rule in self._rules
        )
        found = self._con.execute(
            f"select l, r from ({blocked}) group by l, r order by l, r"
        ).fetchnumpy()
        return self.compare(found["l"].astype(np.int64), found["r"].astype(np.int64))

    def compare(self, left: IntArray, right: IntArray) -> Pairs:
        """Compare the given pairs."""
        if not len(left):
            empty = np.empty(0, np.int64)
            return Pairs(empty, empty, np.empty((0, len(self._comparisons)), np.int8))
        asked = pa.table(
            {
                "match_key": pa.array(["0"]).take(pa.array(np.zeros(len(left), np.int64))),
                "join_key_l": left,
                "join_key_r": right,
            }
        )
        self._linker.table_management.register_blocked_pairs_for_predict(self._api.register(asked))
        return self._levels()

    def _levels(self) -> Pairs:
        scored = self._linker.inference.predict(warning_mode="never")
        columns = ", ".join(
            f"(round(mw_{c.field}) - 1)::tinyint as {c.field}" for c in self._compared
        )
        found = self._con.execute(
            f"select n_l, n_r, {columns} from {scored.physical_name} order by n_l, n_r"
        ).fetchnumpy()
        scored.drop_table_from_database_and_remove_from_cache()
        levels: dict[str, LevelArray] = {
            c.field: found[c.field].astype(np.int8, copy=False) for c in self._compared
        }
        for c in self._comparisons:
            if c.holders_of:
                levels[c.field] = self._commonness(c, levels, found["n_l"])
        return Pairs(
            found["n_l"],
            found["n_r"],
            np.column_stack([levels[c.field] for c in self._comparisons]),
        )

    def _commonness(
        self, comparison: Comparison, levels: dict[str, LevelArray], left: IntArray
    ) -> LevelArray:
        """The level of the number of holders, where the pair shares the fields outright."""
        tops = {c.field: len(c.levels) - 1 for c in self._compared}
        shared = np.ones(len(left), dtype=bool)
        for name in comparison.holders_of:
            shared &= levels[name] == tops[name]
        steps = np.array([int(level.condition) for level in comparison.levels])
        step = np.searchsorted(steps, self._holders[comparison.field][left], side="right") - 1
        return np.where(shared, len(steps) - 1 - step, -1).astype(np.int8)


def _holders(con: duckdb.DuckDBPyConnection, comparison: Comparison, table: str) -> IntArray:
    """How many representatives hold each one's values of the fields."""
    keys = ", ".join(comparison.holders_of)
    found = con.execute(f"select count(*) over (partition by {keys}) as c from {table} order by n")
    return np.asarray(found.fetchnumpy()["c"], dtype=np.int64)


def splink_settings(comparisons: tuple[Comparison, ...]) -> dict[str, Any]:
    """The settings of the comparisons as Splink reads them; the pairs are given to it."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "n",
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "blocking_rules_to_generate_predictions": [],
        "comparisons": [_splink_comparison(c) for c in comparisons],
    }


def _splink_comparison(comparison: Comparison) -> dict[str, Any]:
    field = comparison.field
    nothing = f"{field}_l is null or {field}_r is null"
    if comparison.skip:
        nothing += f" or {comparison.skip}"
    levels: list[dict[str, Any]] = [
        {"sql_condition": nothing, "label_for_charts": "nothing to compare", "is_null_level": True}
    ]
    highest = len(comparison.levels)
    for rank, level in enumerate(comparison.levels):
        levels.append(
            {
                "sql_condition": level.condition,
                "label_for_charts": level.name,
                # Splink hands out log2(m / u) only, so let that be the number of the level.
                "m_probability": 0.5,
                "u_probability": 0.5 / 2 ** (highest - rank),
            }
        )
    return {
        "output_column_name": field,
        "comparison_description": comparison.label,
        "comparison_levels": levels,
    }


def random_pairs(size: int, seed: int, wanted: int = RANDOM_PAIRS) -> tuple[IntArray, IntArray]:
    """Pairs of strangers: a seeded sample, or all pairs where there are few."""
    every = size * (size - 1) // 2
    if every <= wanted:
        left, right = np.triu_indices(size, 1)
        return left.astype(np.int64), right.astype(np.int64)
    rng = np.random.default_rng(seed)
    draws = math.ceil(wanted * 1.1)
    one, two = rng.integers(0, size, draws), rng.integers(0, size, draws)
    left, right = np.minimum(one, two), np.maximum(one, two)
    keys = np.unique((left * size + right)[left < right])
    rng.shuffle(keys)
    keys = np.sort(keys[:wanted])
    return keys // size, keys % size
