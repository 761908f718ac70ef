"""Which pairs of representatives are worth comparing: those that agree on a blocking rule."""

from __future__ import annotations

import duckdb
import numpy as np

from kindred.identity.components import IntArray
from kindred.identity.entity import Entity

# Candidate pairs per record, or those that are always worth comparing where that is more: blocking
# rules are taken from the tightest to the loosest until this is used up.
PAIRS_PER_RECORD = 12

Rules = list[tuple[tuple[str, ...], int]]


def budget(entity: Entity, size: int) -> int:
    """The most candidate pairs of so many representatives."""
    return max(entity.least_pairs, PAIRS_PER_RECORD * size)


def choose_rules(con: duckdb.DuckDBPyConnection, entity: Entity, table: str = "fields") -> Rules:
    """Blocking rules with the pairs each proposes, tightest first, within the budget.

    A rule on columns that the records lack proposes nothing and is left out, so the rules adapt
    to what is filled. Few records are all compared: the empty rule.
    """
    size = con.execute(f"select count(*) from {table}").fetchall()[0][0]
    every = size * (size - 1) // 2
    most = budget(entity, size)
    if every <= most:
        return [((), every)] if every else []
    chosen: Rules = []
    refused: list[set[str]] = []
    used = 0
    for rule in entity.blocking:
        # What asks for less proposes more: it need not be counted to be refused.
        if any(set(rule) <= other for other in refused):
            continue
        known = " and ".join(f"{name} is not null" for name in rule)
        pairs = con.execute(
            f"""
            select coalesce(sum(n * (n - 1) // 2), 0)::bigint
            from (
                select count(*)::hugeint as n from {table} where {known} group by {_one(rule)}
            )
            """
        ).fetchall()[0][0]
        if used + pairs > most:
            refused.append(set(rule))
        elif pairs:
            chosen.append((rule, int(pairs)))
            used += pairs
    return chosen


def candidates(
    con: duckdb.DuckDBPyConnection, rules: Rules, size: int, fresh: IntArray | None = None
) -> IntArray:
    """Pairs (l * size + r, with l < r), sorted, that agree on any rule; size: representatives.

    With `fresh`, those that hold one of them. All rules at once and then without repeats: Splink,
    which asks of every pair of a rule whether an earlier rule had it, takes ten times as long over
    this many rules.
    """
    # A rule that asks for all that another asks for proposes nothing more.
    asked = [rule for rule, _ in rules if not any(set(other) < set(rule) for other, _ in rules)]
    if not asked:
        return np.empty(0, np.int64)
    # Equal numbers stand for equal values: joining by these takes half the time.
    keys = ", ".join(
        f"case when {' and '.join(f'{name} is not null' for name in rule) or 'true'}"
        f" then {_one(rule)} end as rule_{i}"
        for i, rule in enumerate(asked)
    )
    con.execute(f"create or replace temp table blocks as select n, {keys} from fields")
    pair, given, apart = f"l.n * {size} + r.n", "blocks", "l.n < r.n"
    if fresh is not None:
        con.execute(
            "create or replace temp table fresh_blocks as"
            " select * from blocks where n in (select unnest($1::bigint[]))",
            [fresh],
        )
        pair = f"least(l.n, r.n) * {size} + greatest(l.n, r.n)"
        given, apart = "fresh_blocks", "l.n <> r.n"
    blocked = " union all ".join(
        f"select {pair} as pair from {given} as l inner join blocks as r"
        f" on l.rule_{i} = r.rule_{i} and {apart}"
        for i in range(len(asked))
    )
    found = con.execute(f"select distinct pair from ({blocked})").fetchnumpy()["pair"]
    con.execute("drop table blocks")
    return np.sort(found.astype(np.int64, copy=False))


def _one(rule: tuple[str, ...]) -> str:
    """All columns of a rule as one 64-bit number; the empty rule joins all."""
    return f"hash({', '.join(rule)})" if rule else "hash(0)"
