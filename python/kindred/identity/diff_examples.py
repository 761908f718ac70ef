"""The largest merges and splits, and the links that cause them."""

# SQL is put together from names fixed here and from schema names, quoted; never from values.

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import duckdb

from kindred.identity.diff_changes import ENTITIES, Cause, CauseTotal, Example, Part, Side
from kindred.identity.diff_sides import BASE
from kindred.warehouse.database import literal, quoted

_CAUSES_SHOWN = 3
_PARTS_SHOWN = 5


def cause_totals(con: duckdb.DuckDBPyConnection) -> tuple[CauseTotal, ...]:
    """In how many merges and splits each rule has a part, the most frequent first."""
    totals: list[CauseTotal] = []
    for entity in ENTITIES:
        for kind, which in (("merge", "new"), ("split", "old")):
            rows = con.execute(
                f"""
                select link_type, rule, count(distinct entity_id)
                from {entity}_links_{which}
                group by link_type, rule
                order by 3 desc, 1, 2
                """
            ).fetchall()
            totals += [CauseTotal(entity, kind, *row) for row in rows]
    return tuple(totals)


def examples_of(
    con: duckdb.DuckDBPyConnection, base: Side, candidate: Side, count: int
) -> tuple[Example, ...]:
    """The `count` largest merges and splits of each entity, by records and by money."""
    found: list[Example] = []
    for entity, noun in ENTITIES.items():
        con.execute(
            f"""
            create or replace temp table {entity}_money as
            select t.{noun}_id as base_id, t.currency, sum(t.amount) as amount
            from {quoted(BASE, base.marts, "transactions")} as t
            where t.is_revenue and t.{noun}_id is not null and t.amount is not null
            group by t.{noun}_id, t.currency
            """
        )
        for kind in ("merge", "split"):
            for ranked_by in ("records", "money"):
                names = _largest(con, entity, kind, ranked_by, count)
                found += [_example(con, entity, kind, ranked_by, name, candidate) for name in names]
    return tuple(found)


def _largest(
    con: duckdb.DuckDBPyConnection, entity: str, kind: str, ranked_by: str, count: int
) -> Sequence[str]:
    """Ids of the largest merges or splits; by money, the largest sum in any one currency."""
    chosen = (
        f"select candidate_id as entity_id, records from {entity}_new where sources > 1"
        if kind == "merge"
        else f"select base_id as entity_id, records from {entity}_old where parts > 1"
    )
    same = "candidate_id" if kind == "merge" else "base_id"
    rows = con.execute(
        f"""
        with chosen as ({chosen}),
        sums as (
            select f.{same} as entity_id, m.currency, sum(m.amount) as amount
            from (
                select distinct base_id, {same} from {entity}_flows where base_id is not null
            ) as f
            inner join chosen as c on f.{same} = c.entity_id
            inner join {entity}_money as m on f.base_id = m.base_id
            group by f.{same}, m.currency
        ),
        most as (select entity_id, max(amount) as amount from sums group by entity_id)
        select c.entity_id
        from chosen as c
        left join most as m on c.entity_id = m.entity_id
        where {literal(ranked_by)} = 'records' or m.amount > 0
        order by
            {
            "m.amount desc nulls last, c.records desc"
            if ranked_by == "money"
            else "c.records desc, m.amount desc nulls last"
        },
            c.entity_id
        limit {int(count)}
        """
    ).fetchall()
    return [str(row[0]) for row in rows]


def _example(
    con: duckdb.DuckDBPyConnection,
    entity: str,
    kind: str,
    ranked_by: str,
    name: str,
    candidate: Side,
) -> Example:
    same, apart = ("candidate", "base") if kind == "merge" else ("base", "candidate")
    parts = con.execute(
        f"""
        select {apart}_id, count(*), list(record_id order by record_id)[:{_PARTS_SHOWN}]
        from {entity}_records
        where {same}_id = $1 and {apart}_id is not null
        group by {apart}_id
        order by 2 desc, 1
        """,
        [name],
    ).fetchall()
    money = con.execute(
        f"""
        select currency, sum(amount)
        from {entity}_money
        where base_id in (select base_id from {entity}_flows where {same}_id = $1)
        group by currency
        order by currency
        """,
        [name],
    ).fetchall()
    return Example(
        entity=entity,
        kind=kind,
        ranked_by=ranked_by,
        entity_id=name,
        records=sum(row[1] for row in parts),
        money={str(currency): Decimal(amount) for currency, amount in money},
        part_count=len(parts),
        parts=tuple(Part(row[0], row[1], tuple(row[2])) for row in parts[:_PARTS_SHOWN]),
        causes=_causes(con, entity, kind, name, candidate),
    )


def _causes(
    con: duckdb.DuckDBPyConnection, entity: str, kind: str, name: str, candidate: Side
) -> tuple[Cause, ...]:
    """The strongest links across: stewards' first, then sure ones, then by weight."""
    forbidden: list[Any] = []
    if kind == "split" and candidate.overrides:
        forbidden = con.execute(
            f"""
            select o.record_id_l, o.record_id_r, 'steward', 'cannot link', null
            from {candidate.overrides.format(entity)} as o
            inner join {entity}_records as l on o.record_id_l = l.record_id
            inner join {entity}_records as r on o.record_id_r = r.record_id
            where o.decision = 'cannot_link' and l.base_id = $1 and r.base_id = $1
            order by 1, 2
            limit {_CAUSES_SHOWN}
            """,
            [name],
        ).fetchall()
    rows = con.execute(
        f"""
        select record_id_l, record_id_r, link_type, rule, match_weight
        from {entity}_links_{"new" if kind == "merge" else "old"}
        where entity_id = $1
        order by
            case link_type when 'steward' then 1 when 'deterministic' then 2 else 3 end,
            match_weight desc nulls last,
            record_id_l,
            record_id_r,
            rule
        limit {_CAUSES_SHOWN}
        """,
        [name],
    ).fetchall()
    return tuple(Cause(*row) for row in [*forbidden, *rows][:_CAUSES_SHOWN])
