"""Which pairs of representatives are worth comparing: those that agree on a blocking rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce

import duckdb
import numpy as np
import pyarrow as pa

from kindred.identity.components import IntArray
from kindred.identity.entity import Entity

# Candidate pairs per record, or those that are always worth comparing where that is more: blocking
# rules are taken from the tightest to the loosest until this is used up.
PAIRS_PER_RECORD = 12

Rules = list[tuple[tuple[str, ...], int]]
# With whether it is used.
Asked = list[tuple[tuple[str, ...], int, bool]]


def budget(entity: Entity, size: int) -> int:
    """The most candidate pairs of so many representatives."""
    return max(entity.least_pairs, PAIRS_PER_RECORD * size)


def ask_rules(entity: Entity, size: int, pairs_of: Callable[[tuple[str, ...]], int]) -> Asked:
    """The rules of which it is asked how many pairs they propose, tightest first, and which of them
    are used: those within the budget.

    A rule on columns that the records lack proposes nothing and is left out, so the rules adapt
    to what is filled. Few records are all compared: the empty rule.
    """
    every = size * (size - 1) // 2
    most = budget(entity, size)
    if every <= most:
        return [((), every, True)] if every else []
    asked: Asked = []
    refused: list[set[str]] = []
    total = 0
    for rule in entity.blocking:
        # What asks for less proposes more: it need not be counted to be refused.
        if any(set(rule) <= other for other in refused):
            continue
        pairs = pairs_of(rule)
        fits = total + pairs <= most
        asked.append((rule, pairs, fits and pairs > 0))
        if fits:
            total += pairs
        else:
            refused.append(set(rule))
    return asked


def used(asked: Asked) -> Rules:
    """The rules that are used, with the pairs each proposes."""
    return [(rule, pairs) for rule, pairs, is_used in asked if is_used]


def number_fields(
    con: duckdb.DuckDBPyConnection,
    rules: Iterable[tuple[str, ...]],
    table: str = "fields",
    into: str = "numbers",
) -> None:
    """Make a table of another: n, and the columns that rules ask for, each as one number.

    Equal numbers stand for equal values: grouping and joining by these takes half the time.
    """
    names = sorted({name for rule in rules for name in rule})
    columns = ", ".join(["n", *(f"{number(name)} as {name}" for name in names)])
    con.execute(f"create or replace temp table {into} as select {columns} from {table}")


def pairs_of(con: duckdb.DuckDBPyConnection, rule: tuple[str, ...]) -> int:
    """How many pairs of representatives agree on a rule, by table `numbers`."""
    found = con.execute(
        f"""
        select coalesce(sum(n * (n - 1) // 2), 0)::bigint
        from (
            select count(*)::hugeint as n
            from (select {key(rule, str)} as key from numbers)
            where key is not null
            group by key
        )
        """
    ).fetchall()
    return int(found[0][0])


def candidates(
    con: duckdb.DuckDBPyConnection,
    rules: Rules,
    size: int,
    table: str = "numbers",
    fresh: IntArray | None = None,
) -> IntArray:
    """Pairs (l * size + r, with l < r), sorted, that agree on any rule; size: more than any n.

    table: as `numbers`. With `fresh`, those that hold one of them. All rules at once and then
    without repeats: Splink, which asks of every pair of a rule whether an earlier rule had it,
    takes ten times as long over this many rules.
    """
    # A rule that asks for all that another asks for proposes nothing more.
    asked = [rule for rule, _ in rules if not any(set(other) < set(rule) for other, _ in rules)]
    if not asked:
        return np.empty(0, np.int64)
    pair, given, apart = f"l.n * {size} + r.n", table, "l.n < r.n"
    if fresh is not None:
        con.register("fresh_numbers", pa.table({"n": fresh}))
        con.execute(
            "create or replace temp table numbers_fresh as"
            f" select * from {table} where n in (select n from fresh_numbers)"
        )
        con.unregister("fresh_numbers")
        pair = f"least(l.n, r.n) * {size} + greatest(l.n, r.n)"
        given, apart = "numbers_fresh", "l.n <> r.n"
    blocked = " union all ".join(
        f"select {pair} as pair from {given} as l inner join {table} as r"
        f" on {key(rule, 'l.{}'.format)} = {key(rule, 'r.{}'.format)} and {apart}"
        for rule in asked
    )
    found = con.execute(f"select distinct pair from ({blocked})").fetchnumpy()["pair"]
    return np.sort(found.astype(np.int64, copy=False))


def number(name: str) -> str:
    """SQL: a column as one 64-bit number; null where it is not filled."""
    return f"case when {name} is not null then hash({name}) end"


def key(rule: tuple[str, ...], number_of: Callable[[str], str] = number) -> str:
    """SQL: one number for all columns of a rule; null where one is not filled, and the same for all
    records by the empty rule. number_of: SQL of a column as `number`."""
    numbers = [number_of(name) for name in rule] or ["hash(0)"]
    # Shifted, so that names in another order, or one name twice, are another number.
    return reduce(lambda one, other: f"xor({one} >> 1, {other})", numbers)
