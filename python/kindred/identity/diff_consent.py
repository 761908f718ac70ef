"""What consent flags and permissions a candidate changes, and which nobody gave."""

# SQL is put together from names fixed here and from schema names, quoted; never from values.

from __future__ import annotations

import duckdb

from kindred.identity.diff_changes import FLAGS, ConsentGain, FlagChange, Side
from kindred.identity.diff_flows import row_of, rows_of
from kindred.identity.diff_sides import BASE, CANDIDATE
from kindred.warehouse.database import quoted
from kindred.warehouse.exposure import masked


def flag_changes(
    con: duckdb.DuckDBPyConnection, base: Side, candidate: Side
) -> tuple[FlagChange, ...]:
    """Customers of the base who gain or lose each consent flag."""
    before = quoted(BASE, base.marts, "customers")
    after = quoted(CANDIDATE, candidate.marts, "customers")
    found: list[FlagChange] = []
    for flag in FLAGS:
        row = row_of(
            con,
            f"""
            select
                (select count(*) from {before} where {flag}) as base,
                (select count(*) from {after} where {flag}) as candidate,
                count(*) filter (where c.{flag} and not b.{flag}) as gained,
                count(*) filter (where b.{flag} and not c.{flag}) as lost
            from {before} as b
            inner join person_forward as f on b.customer_id = f.base_id
            inner join {after} as c on f.candidate_id = c.customer_id
            """,
        )
        found.append(FlagChange(flag, **row))
    return tuple(found)


def consent_gains(
    con: duckdb.DuckDBPyConnection, base: Side, candidate: Side, examples: int
) -> tuple[ConsentGain, ...]:
    """Permissions in force that merging or splitting must have made.

    A permission is a purpose, a channel and a contact point, in force for a customer of the
    candidate. It was there before where one of the customers whose records it holds had it granted
    and none had it denied. Those of customers with new records may be new as well: they count only
    where the contact point was known. Where one side is masked, contact points of one customer
    that look alike count as one: granted if any of them was.
    """
    hidden = base.is_masked or candidate.is_masked
    point_before, point_after = (
        masked("contact_point", "VARCHAR") if hidden and not side.is_masked else "contact_point"
        for side in (base, candidate)
    )
    rows = rows_of(
        con,
        f"""
        with granted as (
            select distinct customer_id, purpose, channel, {point_after} as contact_point
            from {quoted(CANDIDATE, candidate.marts, "customer_consents")}
            where is_granted
        ),
        known_before as (
            select
                customer_id,
                purpose,
                channel,
                {point_before} as contact_point,
                bool_or(is_granted) as is_granted,
                bool_or(status = 'denied') and not bool_or(is_granted) as is_denied
            from {quoted(BASE, base.marts, "customer_consents")}
            group by customer_id, purpose, channel, {point_before}
        ),
        origins as (
            select g.*, f.base_id, n.added
            from granted as g
            inner join person_flows as f on g.customer_id = f.candidate_id
            inner join person_new as n on g.customer_id = n.candidate_id
            where f.base_id is not null
        ),
        judged as (
            select
                o.customer_id,
                o.purpose,
                o.channel,
                o.contact_point,
                count(b.customer_id) as known,
                coalesce(bool_or(b.is_granted), false) as was_granted,
                coalesce(bool_or(b.is_denied), false) as was_denied,
                max(o.added) as added
            from origins as o
            left join known_before as b
                on
                    o.base_id = b.customer_id
                    and o.purpose = b.purpose
                    and o.channel = b.channel
                    and o.contact_point is not distinct from b.contact_point
            group by o.customer_id, o.purpose, o.channel, o.contact_point
        ),
        gained as (
            select purpose, channel, customer_id
            from judged
            where (not was_granted or was_denied) and (known > 0 or added = 0)
        )
        select
            purpose,
            channel,
            count(*) as permissions,
            list(distinct customer_id order by customer_id)[:{int(examples)}] as customers
        from gained
        group by purpose, channel
        order by purpose, channel
        """,
    )
    return tuple(
        ConsentGain(r["purpose"], r["channel"], r["permissions"], tuple(r["customers"]))
        for r in rows
    )
