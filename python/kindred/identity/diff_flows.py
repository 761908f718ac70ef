"""How records flow from the customers of the base to those of the candidate, and what that counts.

The tables made here are what segments, consent and examples are compared by.
"""

# SQL is put together from names fixed here and from schema names, quoted; never from values.

from __future__ import annotations

from typing import Any

import duckdb

from kindred.identity.diff_changes import EntityChange, Side
from kindred.identity.diff_sides import BASE, CANDIDATE
from kindred.warehouse.database import literal, quoted


def lay_out_flows(
    con: duckdb.DuckDBPyConnection, entity: str, noun: str, base: Side, candidate: Side
) -> None:
    """Lay out how records flow from those of the base to those of the candidate.

    <entity>_records: record_id, base_id, candidate_id. _flows: the same by pair of ids. _new: each
    of the candidate with the number it came from. _old: each of the base with what became of it.
    _forward: each of the base with the one that stands for it now. _links_new, _links_old: links
    that cross what is one and was, or was and is not.
    """
    key = f"{noun}_id"
    records = f"{noun}_source_records"
    con.execute(
        f"""
        create or replace temp table {entity}_records as
        select
            coalesce(b.record_id, c.record_id) as record_id,
            b.{key} as base_id,
            c.{key} as candidate_id
        from {quoted(BASE, base.marts, records)} as b
        full join {quoted(CANDIDATE, candidate.marts, records)} as c on b.record_id = c.record_id;

        create or replace temp table {entity}_flows as
        select base_id, candidate_id, count(*) as records
        from {entity}_records
        group by base_id, candidate_id;

        create or replace temp table {entity}_new as
        select
            candidate_id,
            count(base_id) as sources,
            coalesce(sum(records) filter (where base_id is null), 0) as added,
            sum(records) as records
        from {entity}_flows
        where candidate_id is not null
        group by candidate_id;

        create or replace temp table {entity}_old as
        with fates as (
            select
                f.base_id,
                count(f.candidate_id) as parts,
                sum(f.records) as records,
                coalesce(sum(f.records) filter (where f.candidate_id is null), 0) as gone,
                coalesce(max(n.sources), 0) as most_sources,
                coalesce(sum(n.added), 0) as added
            from {entity}_flows as f
            left join {entity}_new as n on f.candidate_id = n.candidate_id
            where f.base_id is not null
            group by f.base_id
        )
        select
            base_id,
            parts,
            records,
            case
                when parts = 0 then 'retired'
                when parts > 1 and most_sources > 1 then 'merged_and_split'
                when parts > 1 then 'split'
                when most_sources > 1 then 'merged'
                when gone > 0 or added > 0 then 'records_changed'
                else 'unchanged'
            end as fate
        from fates;

        create or replace temp table {entity}_forward as
        with heirs as (
            select
                base_id,
                candidate_id,
                row_number() over (
                    partition by base_id order by records desc, candidate_id
                ) as place
            from {entity}_flows
            where base_id is not null and candidate_id is not null
        )
        select
            o.base_id,
            coalesce(n.candidate_id, h.candidate_id) as candidate_id,
            m.{key} is not null as is_known
        from {entity}_old as o
        left join {quoted(CANDIDATE, candidate.marts, noun + "_id_map")} as m
            on o.base_id = m.{key}
        left join {entity}_new as n on m.current_{key} = n.candidate_id
        left join heirs as h on o.base_id = h.base_id and h.place = 1;
        """
    )
    for which, catalog, side in (("new", CANDIDATE, candidate), ("old", BASE, base)):
        same, apart = ("candidate", "base") if which == "new" else ("base", "candidate")
        con.execute(
            f"""
            create or replace temp table {entity}_links_{which} as
            select
                l.{same}_id as entity_id,
                l.{apart}_id as part_l,
                r.{apart}_id as part_r,
                k.record_id_l,
                k.record_id_r,
                k.link_type,
                k.rule,
                k.match_weight
            from {quoted(catalog, side.marts, "identity_links")} as k
            inner join {entity}_records as l on k.record_id_l = l.record_id
            inner join {entity}_records as r on k.record_id_r = r.record_id
            where
                k.entity = {literal(entity)}
                and l.{same}_id = r.{same}_id
                and l.{apart}_id <> r.{apart}_id
            """
        )


def row_of(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    """The one row of a query, by column."""
    return rows_of(con, sql)[0]


def rows_of(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """The rows of a query, by column."""
    rows: list[dict[str, Any]] = con.execute(sql).to_arrow_table().to_pylist()
    return rows


def entity_change(con: duckdb.DuckDBPyConnection, entity: str) -> EntityChange:
    """What became of all of an entity; `lay_out_flows` goes before."""
    fates = dict(con.execute(f"select fate, count(*) from {entity}_old group by fate").fetchall())
    found = row_of(
        con,
        f"""
        select
            count(distinct base_id) as base,
            count(distinct candidate_id) as candidate,
            count(base_id) as base_records,
            count(candidate_id) as candidate_records,
            count(*) filter (where base_id is not null and candidate_id is not null)
                as shared_records,
            count(*) filter (where base_id is null) as records_added,
            count(*) filter (where candidate_id is null) as records_gone,
            count(*) filter (where base_id <> candidate_id) as records_moved
        from {entity}_records
        """,
    )
    more = row_of(
        con,
        f"""
        select
            (select count(*) from {entity}_new where sources = 0) as new,
            (select count(*) from {entity}_new where sources > 1) as merges,
            (select count(*) from {entity}_old where parts > 1) as splits,
            (select count(*) from {entity}_forward where not is_known) as unknown_ids
        """,
    )
    return EntityChange(
        entity=entity,
        **{
            fate: int(fates.get(fate, 0))
            for fate in (
                "unchanged", "merged", "split", "merged_and_split", "records_changed", "retired",
            )
        },
        **{name: int(value) for name, value in {**found, **more}.items()},
    )  # fmt: skip
