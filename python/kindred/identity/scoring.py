"""How alike two records are, by Splink 5 in the connection of the caller.

Splink compares; the weights come from kindred.identity.mixture.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison, Entity
from kindred.identity.levels import LevelArray
from kindred.identity.records import in_batches, joined_as_written

RANDOM_PAIRS = 300_000
Sql = tuple[str, dict[str, str]]
# Pairs that are asked for at once: their places and levels are held, their fields pass through.
AT_A_TIME = 5_000_000


def usable_comparisons(entity: Entity, filled: list[str]) -> tuple[Comparison, ...]:
    """The comparisons whose field the records have."""
    return tuple(
        c
        for c in entity.comparisons
        if c.field in filled or (c.holders_of and set(c.holders_of) <= set(filled))
    )


def compared(comparisons: tuple[Comparison, ...]) -> tuple[Comparison, ...]:
    """The comparisons that look at two records; the others look at all of them."""
    return tuple(c for c in comparisons if not c.holders_of)


class Scorer:
    """Splink's comparisons over one table of representatives (`table` with column n).

    holders: by comparison how many hold each one's values, where not these alone tell.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        comparisons: tuple[Comparison, ...],
        holders: dict[str, IntArray] | None = None,
        table: str = "fields",
    ) -> None:
        self._con = con
        self._table = table
        self._rows: int = con.execute(f"select count(*) from {table}").fetchall()[0][0]
        self.comparisons = comparisons
        self.compared = compared(comparisons)
        self._holders = holders or {
            c.field: _holders(con, c, table) for c in comparisons if c.holders_of
        }
        self._fields, self._levels = splink_sql(self.compared)

    def compare(self, left: IntArray, right: IntArray) -> LevelArray:
        """Levels of the given pairs, one column for each of `compared` (-1: nothing said).

        Level 0 is the last of the comparison's levels (different), the highest the first (same).
        """
        found = np.empty((len(left), len(self.compared)), np.int8)
        for start in range(0, len(left), AT_A_TIME):
            part = slice(start, start + AT_A_TIME)
            found[part] = self._compare(left[part], right[part])
        return found

    def _compare(self, left: IntArray, right: IntArray) -> LevelArray:
        """Splink's `predict` would copy the fields of both sides for each million pairs, and weigh
        what is not asked for: its own SQL, asked directly, takes half the time."""
        asked = pa.table({"place": np.arange(len(left)), "n_l": left, "n_r": right})
        self._con.register("asked_pairs", in_batches(asked))
        levels = ", ".join(f"{sql}::tinyint as {name}" for name, sql in self._levels.items())
        # The engine follows the rows of the table, of which one core takes a hundred thousand;
        # where these are few it shall follow the pairs, which are in small batches.
        is_few = self._rows < 2 * len(left)
        # A result that is read while it is computed is computed by one core.
        with joined_as_written(self._con) if is_few else nullcontext():
            self._con.execute(
                f"""
                create or replace temp table compared_pairs as
                with joined as (
                    select asked_pairs.place, {self._fields}
                    from asked_pairs
                    inner join {self._table} as l on asked_pairs.n_l = l.n
                    inner join {self._table} as r on asked_pairs.n_r = r.n
                )
                select place, {levels} from joined
                """
            )
        found = self._con.execute("select * from compared_pairs").fetchnumpy()
        self._con.execute("drop table compared_pairs")
        self._con.unregister("asked_pairs")
        levels_of = np.empty((len(left), len(self.compared)), np.int8)
        for i, comparison in enumerate(self.compared):
            levels_of[found["place"], i] = found[comparison.field]
        return levels_of

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
            level = level_of_holders(comparison, self._holders[comparison.field][left])
            columns[comparison.field] = np.where(shared, level, -1).astype(np.int8)
        return np.column_stack([columns[c.field] for c in self.comparisons])


def level_of_holders(comparison: Comparison, held: IntArray) -> IntArray:
    """The level of a comparison of how many hold a value."""
    least = np.array([int(level.condition) for level in comparison.levels])
    return np.asarray(len(least) - np.searchsorted(least, held, side="right"))


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
        "blocking_rules_to_generate_predictions": [],
        "comparisons": [_splink_comparison(c) for c in comparisons],
    }


_known_sql: dict[tuple[Comparison, ...], Sql] = {}


def splink_sql(comparisons: tuple[Comparison, ...]) -> Sql:
    """What Splink selects of both records of a pair, and by field the SQL of its level.

    Splink has no public name for its SQL; a test holds this against what its `predict` finds.
    """
    if comparisons not in _known_sql:
        _known_sql[comparisons] = _said_by_splink(comparisons)
    return _known_sql[comparisons]


def know_sql(comparisons: tuple[Comparison, ...], sql: Sql) -> None:
    """Take the SQL as the last run was told it by the same version of Splink: to load Splink takes
    longer than to compare what a few new records are near."""
    _known_sql.setdefault(comparisons, sql)


def _said_by_splink(comparisons: tuple[Comparison, ...]) -> Sql:
    from splink import SettingsCreator

    settings = splink_settings(comparisons)
    read = SettingsCreator.from_path_or_dict(settings).get_settings("duckdb")
    fields = ", ".join(read._columns_to_select_for_blocking)
    levels = {}
    for comparison in settings["comparisons"]:
        field = comparison["output_column_name"]
        asked = [
            sql
            for sql in read._columns_to_select_for_comparison_vector_values
            if sql.endswith(f" as gamma_{field}")
        ]
        levels[field] = asked[0].removesuffix(f" as gamma_{field}")
    return fields, levels


def _splink_comparison(comparison: Comparison) -> dict[str, Any]:
    field = comparison.field
    nothing = f"{field}_l is null or {field}_r is null"
    if comparison.skip:
        nothing += f" or {comparison.skip}"
    levels: list[dict[str, Any]] = [
        {"sql_condition": nothing, "label_for_charts": "nothing to compare", "is_null_level": True}
    ]
    levels += [
        {"sql_condition": level.condition, "label_for_charts": level.name}
        for level in comparison.levels
    ]
    return {
        "output_column_name": field,
        "comparison_description": comparison.label,
        "comparison_levels": levels,
    }
