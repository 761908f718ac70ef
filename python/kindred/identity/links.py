"""Deterministic links, as stars: each group of records that share a strong value, to one of them.

Email or phone alone is never strong: households share landlines, companies share info@. A strong
identifier (a user id, a loyalty id, another system's id) links unless the names contradict.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from kindred.identity.components import IntArray
from kindred.identity.entity import Entity
from kindred.identity.kept import KeyArray

# An identifier held by records of more distinct names than this belongs to no single person.
MOST_NAMES = 6
MOST_HOLDERS = 500
STRONG = "same {identifier}"
# SQL: an identifier as one number.
IDENTIFIER = "hash(cast(i.identifier_type as text), cast(i.identifier_value as text))"


def rules_version(entity: Entity) -> str:
    """Origin and digest of all that the deterministic rules depend on, as rules-0123456789ab."""
    rules = (
        entity.prepare, entity.derived, entity.looked_up, entity.fields, entity.identifying,
        entity.rules, entity.weak_identifiers, entity.contradiction, MOST_HOLDERS,
    )  # fmt: skip
    return f"rules-{hashlib.sha256(repr(rules).encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Found:
    """links: n_l < n_r, rule; the first rule that joins a pair names it. left, right: pairs that
    share a strong value, linked or not, as stars. crowded: hashes of the identifiers held by too
    many."""

    links: pa.Table
    left: IntArray
    right: IntArray
    crowded: KeyArray


def deterministic_links(
    con: duckdb.DuckDBPyConnection,
    entity: Entity,
    identifiers: pa.Table | None,
    crowded: KeyArray | None = None,
) -> Found:
    """Links between representatives (tables `fields` and `members`).

    identifiers: record_id, identifier_type, identifier_value; weak types are ignored. crowded: the
    identifiers held by too many, where that is not told by these records alone.
    """
    con.execute(
        "create or replace table stars"
        " (n_l bigint, n_r bigint, rule text, strength integer, is_link boolean)"
    )
    too_many = np.empty(0, np.uint64)
    if identifiers is not None and identifiers.num_rows:
        too_many = _identifier_stars(con, entity, identifiers, crowded)
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
            select least(hub, n), greatest(hub, n), ?, ?, agrees
            from (
                select
                    n,
                    min(n) over (partition by {keys}) as hub,
                    {agrees} as agrees
                from fields
                where {known}
            )
            where hub <> n
            """,
            [rule.name, strength],
        )
    linked = con.execute(
        """
        select n_l, n_r, arg_min(rule, strength) as rule
        from stars
        where is_link
        group by n_l, n_r
        order by n_l, n_r
        """
    ).to_arrow_table()
    ends = con.execute("select n_l, n_r from stars where not is_link").fetchnumpy()
    return Found(
        linked,
        np.concatenate([linked["n_l"].to_numpy(), ends["n_l"]]).astype(np.int64),
        np.concatenate([linked["n_r"].to_numpy(), ends["n_r"]]).astype(np.int64),
        too_many if crowded is None else crowded,
    )


def _identifier_stars(
    con: duckdb.DuckDBPyConnection,
    entity: Entity,
    identifiers: pa.Table,
    crowded: KeyArray | None,
) -> KeyArray:
    con.register("identifiers_arrow", identifiers)
    con.register(
        "crowded_arrow",
        pa.table({"value": pa.array([] if crowded is None else crowded, pa.uint64())}),
    )
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
            hash(identifier_type, identifier_value) as value,
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
            dense_rank() over (order by s.identifier_type),
            not ({entity.contradiction})
        from held_identifiers as s
        inner join fields as l on s.hub = l.n
        inner join fields as r on s.n = r.n
        where s.hub <> s.n and s.holders <= {MOST_HOLDERS}
            and s.value not in (select value from crowded_arrow)
        """
    )
    con.unregister("crowded_arrow")
    found = con.execute(
        f"select distinct value from held_identifiers where holders > {MOST_HOLDERS}"
    ).fetchnumpy()
    return np.sort(found["value"].astype(np.uint64))
