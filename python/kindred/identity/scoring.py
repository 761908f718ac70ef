"""How alike two records are, by Splink 5 in the connection of the caller.

Splink compares; the weights come from kindred.identity.mixture.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison, Entity

LevelArray = npt.NDArray[np.int8]

RANDOM_PAIRS = 300_000
# Pairs that Splink holds with the fields of both records: a million take about a gigabyte.
AT_A_TIME = 1_000_000


def usable_comparisons(entity: Entity, filled: list[str]) -> tuple[Comparison, ...]:
    """The comparisons whose field the records have."""
    return tuple(
        c
        for c in entity.comparisons
        if c.field in filled or (c.holders_of and set(c.holders_of) <= set(filled))
    )


class Scorer:
    """Splink over one table of representatives (`table` with column n)."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        comparisons: tuple[Comparison, ...],
        table: str = "fields",
    ) -> None:
        from splink import DuckDBAPI, Linker

        self._con = con
        self.comparisons = comparisons
        # The comparisons that look at two records; the others look at all of them.
        self.compared = tuple(c for c in comparisons if not c.holders_of)
        self._holders = {c.field: _holders(con, c, table) for c in comparisons if c.holders_of}
        api = DuckDBAPI(connection=con)
        self._api = api
        self.settings = splink_settings(self.compared)
        self._linker = Linker(api.register(con.table(table)), self.settings, log_level="ERROR")

    def compare(self, left: IntArray, right: IntArray) -> LevelArray:
        """Levels of the given pairs, one column for each of `compared` (-1: nothing said).

        Level 0 is the last of the comparison's levels (different), the highest the first (same).
        The pairs must be sorted by left and right.
        """
        if not len(left):
            return np.empty((0, len(self.compared)), np.int8)
        return np.concatenate(
            [
                self._compare(left[start : start + AT_A_TIME], right[start : start + AT_A_TIME])
                for start in range(0, len(left), AT_A_TIME)
            ]
        )

    def _compare(self, left: IntArray, right: IntArray) -> LevelArray:
        asked = pa.table(
            {
                "match_key": pa.array(["0"]).take(pa.array(np.zeros(len(left), np.int64))),
                "join_key_l": left,
                "join_key_r": right,
            }
        )
        self._linker.table_management.register_blocked_pairs_for_predict(self._api.register(asked))
        scored = self._linker.inference.predict(warning_mode="never")
        columns = ", ".join(
            f"(round(mw_{c.field}) - 1)::tinyint as {c.field}" for c in self.compared
        )
        found = self._con.execute(
            f"select {columns} from {scored.physical_name} order by n_l, n_r"
        ).fetchnumpy()
        scored.drop_table_from_database_and_remove_from_cache()
        return np.column_stack([found[c.field].astype(np.int8, copy=False) for c in self.compared])

    def with_holders(self, levels: LevelArray, left: IntArray) -> LevelArray:
        """The same with the columns of all `comparisons`.

        The level of a number of holders is told where the pair shares the fields outright.
        """
        columns = {c.field: levels[:, i] for i, c in enumerate(self.compared)}
        tops = {c.field: len(c.levels) - 1 for c in self.compared}
        for comparison in self.comparisons:
            if not comparison.holders_of:
                continue
            shared = np.ones(len(left), dtype=bool)
            for name in comparison.holders_of:
                shared &= columns[name] == tops[name]
            steps = np.array([int(level.condition) for level in comparison.levels])
            held = self._holders[comparison.field][left]
            step = np.searchsorted(steps, held, side="right") - 1
            columns[comparison.field] = np.where(shared, len(steps) - 1 - step, -1).astype(np.int8)
        return np.column_stack([columns[c.field] for c in self.comparisons])


def _holders(con: duckdb.DuckDBPyConnection, comparison: Comparison, table: str) -> IntArray:
    """How many representatives hold each one's values of the fields."""
    keys = ", ".join(comparison.holders_of)
    found = con.execute(
        f"""
        select coalesce(counted.c, 1) as c
        from {table}
        left join (select {keys}, count(*) as c from {table} group by {keys}) as counted
            using ({keys})
        order by n
        """
    )
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
