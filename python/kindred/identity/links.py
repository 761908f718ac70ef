"""Deterministic links, as stars: each group of records that share a strong value, to one of them.

Email or phone alone is never strong: households share landlines, companies share info@. A strong
identifier (a user id, a loyalty id, another system's id) links unless the names contradict.
"""

from __future__ import annotations

import hashlib

import duckdb
import pyarrow as pa

from kindred.identity.entity import Entity

# An identifier held by records of more distinct names than this belongs to no single person.
MOST_NAMES = 6
MOST_HOLDERS = 500
STRONG = "same {identifier}"


def rules_version(entity: Entity) -> str:
    """Origin and digest of all that the deterministic rules depend on, as rules-0123456789ab."""
    rules = (
        entity.prepare, entity.fields, entity.identifying, entity.rules, entity.weak_identifiers,
        entity.contradiction, MOST_HOLDERS,
    )  # fmt: skip
    return f"rules-{hashlib.sha256(repr(rules).encode()).hexdigest()[:12]}"


def deterministic_links(
    con: duckdb.DuckDBPyConnection, entity: Entity, identifiers: pa.Table | None
) -> pa.Table:
    """Links between representatives: n_l < n_r, rule; the first rule that joins a pair names it.

    identifiers: record_id, identifier_type, identifier_value; weak types are ignored.
    """
    con.execute(
        "create or replace table stars (n_l bigint, n_r bigint, rule text, strength integer)"
    )
    if identifiers is not None and identifiers.num_rows:
        _identifier_stars(con, entity, identifiers)
    filled = {row[0] for row in con.execute("describe fields").fetchall()}
    for strength, rule in enumerate(entity.rules, start=100):
        if not set(rule.fields) <= filled:
            continue
        keys = ", ".join(rule.fields)
        agrees = " and ".join(
            f"coalesce(min({name}) over (partition by {keys})"
            f" = max({name}) over (partition by {keys}), true)"
            for name in rule.unless
        )
        agrees = agrees or "true"
        known = " and ".join(f"{name} is not null" for name in rule.fields)
        con.execute(
            f"""
            insert into stars
            select least(hub, n), greatest(hub, n), ?, ?
            from (
                select
                    n,
                    min(n) over (partition by {keys}) as hub,
                    {agrees} as agrees
                from fields
                where {known}
            )
            where hub <> n and agrees
            """,
            [rule.name, strength],
        )
    return con.execute(
        """
        select n_l, n_r, arg_min(rule, strength) as rule
        from stars
        group by n_l, n_r
        order by n_l, n_r
        """
    ).to_arrow_table()


def _identifier_stars(
    con: duckdb.DuckDBPyConnection, entity: Entity, identifiers: pa.Table
) -> None:
    con.register("identifiers_arrow", identifiers)
    weak = ", ".join(f"'{name}'" for name in entity.weak_identifiers)
    names = " , ".join(f"f.{name}" for name in entity.names)
    con.execute(
        f"""
        create or replace temp table held_identifiers as
        with held as (
            select distinct
                m.n,
                cast(i.identifier_type as text) as identifier_type,
                cast(i.identifier_value as text) as identifier_value
            from identifiers_arrow as i
            inner join members as m on cast(i.record_id as text) = m.record_id
            where cast(i.identifier_type as text) not in ({weak})
                and nullif(trim(cast(i.identifier_value as text)), '') is not null
        ),
        named as (
            select h.*, nullif(concat_ws(' ', {names}), '') as name
            from held as h
            inner join fields as f on h.n = f.n
        )
        select
            n,
            identifier_type,
            identifier_value,
            min(n) over (partition by identifier_type, identifier_value) as hub,
            count(*) over (partition by identifier_type, identifier_value) as holders
        from named
        """
    )
    con.unregister("identifiers_arrow")
    con.execute(
        f"""
        insert into stars
        select
            least(s.hub, s.n),
            greatest(s.hub, s.n),
            'same ' || replace(s.identifier_type, '_', ' '),
            dense_rank() over (order by s.identifier_type)
        from held_identifiers as s
        inner join fields as l on s.hub = l.n
        inner join fields as r on s.n = r.n
        where s.hub <> s.n and s.holders <= {MOST_HOLDERS} and not ({entity.contradiction})
        """
    )
