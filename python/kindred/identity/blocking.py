"""Which pairs of representatives are worth comparing: those that agree on a blocking rule."""

from __future__ import annotations

import duckdb
import numpy as np

from kindred.identity.components import IntArray
from kindred.identity.entity import Entity

# Candidate pairs per record, and the least worth having: blocking rules are taken from the
# tightest to the loosest until this is used up.
PAIRS_PER_RECORD = 12
LEAST_PAIRS = 1_000_000

Rules = list[tuple[tuple[str, ...], int]]


def choose_rules(con: duckdb.DuckDBPyConnection, entity: Entity, table: str = "fields") -> Rules:
    """Blocking rules with the pairs each proposes, tightest first, within the budget.

    A rule on columns that the records lack proposes nothing and is left out, so the rules adapt
    to what is filled. Few records are all compared: the empty rule.
    """
    size = con.execute(f"select count(*) from {table}").fetchall()[0][0]
    every = size * (size - 1) // 2
    budget = max(LEAST_PAIRS, PAIRS_PER_RECORD * size)
    if every <= budget:
        return [((), every)] if every else []
    chosen: Rules = []
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


def candidates(
    con: duckdb.DuckDBPyConnection, rules: Rules, fresh: IntArray | None = None
) -> tuple[IntArray, IntArray]:
    """Pairs (l < r) that agree on any rule, in no order; with `fresh`, those that hold one of them.

    All rules at once and then without repeats: Splink, which asks of every pair of a rule
    whether an earlier rule had it, takes ten times as long over this many rules.
    """
    if not rules:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if fresh is None:
        blocked = " union all ".join(
            "select l.n as l, r.n as r from fields as l inner join fields as r on "
            + " and ".join([*(f"l.{name} = r.{name}" for name in rule), "l.n < r.n"])
            for rule, _ in rules
        )
    else:
        con.execute(
            "create or replace temp table fresh_fields as"
            " select * from fields where n in (select unnest($1::bigint[]))",
            [fresh],
        )
        blocked = " union all ".join(
            "select least(l.n, r.n) as l, greatest(l.n, r.n) as r"
            " from fresh_fields as l inner join fields as r on "
            + " and ".join([*(f"l.{name} = r.{name}" for name in rule), "l.n <> r.n"])
            for rule, _ in rules
        )
    found = con.execute(f"select distinct l, r from ({blocked})").fetchnumpy()
    return found["l"].astype(np.int64), found["r"].astype(np.int64)
