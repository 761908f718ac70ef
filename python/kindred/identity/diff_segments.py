"""Members that segments gain and lose, the ids of the base led forward first."""

# SQL is put together from names fixed here and from schema names, quoted; never from values.

from __future__ import annotations

import duckdb

from kindred.identity.diff_changes import SegmentChange, Side
from kindred.identity.diff_flows import rows_of
from kindred.identity.diff_sides import BASE, CANDIDATE
from kindred.warehouse.database import quoted


def segment_changes(
    con: duckdb.DuckDBPyConnection, base: Side, candidate: Side
) -> tuple[SegmentChange, ...]:
    """Members gained and lost, by segment; a segment may be missing on either side."""
    rows = rows_of(
        con,
        f"""
        with forward as (
            select 'customer' as entity, base_id, candidate_id from person_forward
            union all
            select 'account' as entity, base_id, candidate_id from account_forward
        ),
        flows as (
            select 'customer' as entity, base_id, candidate_id from person_flows
            union all
            select 'account' as entity, base_id, candidate_id from account_flows
        ),
        listed as (
            select
                coalesce(b.segment_name, c.segment_name) as segment_name,
                coalesce(c.entity, b.entity) as entity,
                b.segment_name is not null as in_base,
                c.segment_name is not null as in_candidate
            from {quoted(BASE, base.marts, "segments")} as b
            full join {quoted(CANDIDATE, candidate.marts, "segments")} as c
                on b.segment_name = c.segment_name
        ),
        before as (
            select m.segment_name, m.entity, m.member_id, f.candidate_id as forward_id
            from {quoted(BASE, base.marts, "segment_members")} as m
            left join forward as f on m.entity = f.entity and m.member_id = f.base_id
        ),
        after as (
            select segment_name, entity, member_id
            from {quoted(CANDIDATE, candidate.marts, "segment_members")}
        ),
        before_counts as (
            select
                segment_name,
                count(*) as base,
                count(*) filter (where forward_id is null) as retired,
                count(distinct forward_id) as forwarded
            from before
            group by segment_name
        ),
        led_on as (
            select distinct segment_name, entity, forward_id
            from before
            where forward_id is not null
        ),
        lost as (
            select l.segment_name, count(*) as lost
            from led_on as l
            anti join after as a
                on
                    l.segment_name = a.segment_name
                    and l.entity = a.entity
                    and l.forward_id = a.member_id
            group by l.segment_name
        ),
        held_before as (
            select distinct b.segment_name, b.entity, f.candidate_id
            from before as b
            inner join flows as f on b.entity = f.entity and b.member_id = f.base_id
            where f.candidate_id is not null
        ),
        after_counts as (
            select
                a.segment_name,
                count(*) as candidate,
                count(*) filter (where l.forward_id is null and h.candidate_id is null) as gained,
                count(*) filter (where l.forward_id is null and h.candidate_id is not null)
                    as parted
            from after as a
            left join led_on as l
                on
                    a.segment_name = l.segment_name
                    and a.entity = l.entity
                    and a.member_id = l.forward_id
            left join held_before as h
                on
                    a.segment_name = h.segment_name
                    and a.entity = h.entity
                    and a.member_id = h.candidate_id
            group by a.segment_name
        )
        select
            s.segment_name as segment,
            s.entity,
            case when s.in_base then coalesce(b.base, 0) end as base,
            case when s.in_candidate then coalesce(a.candidate, 0) end as candidate,
            coalesce(a.gained, 0) as gained,
            coalesce(l.lost, 0) + coalesce(b.retired, 0) as lost,
            coalesce(b.base - b.retired - b.forwarded, 0) as joined,
            coalesce(a.parted, 0) as parted
        from listed as s
        left join before_counts as b on s.segment_name = b.segment_name
        left join after_counts as a on s.segment_name = a.segment_name
        left join lost as l on s.segment_name = l.segment_name
        order by s.segment_name
        """,
    )
    return tuple(SegmentChange(**row) for row in rows)
