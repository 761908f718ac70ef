"""What differs between two states of identity: a base database and a candidate.

Customers have no names of their own to compare by: they are compared as sets of records. Where
their ids matter (segments, consent, published reports), ids of the base are first led forward by
the candidate's id map, so that a customer who merged is not counted as lost.

Everything is counted in SQL over the two attached files; only totals and a few examples, all
without personal values, come back to Python.
"""

# SQL is put together from names fixed here and from schema names, quoted; never from values.

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from kindred.errors import KindredError
from kindred.warehouse.database import connected, literal, quoted

BASE = "diff_base"
CANDIDATE = "diff_candidate"

# Consent flags of `customers`.
FLAGS = (
    "can_email",
    "can_sms",
    "can_phone",
    "can_post",
    "can_personalise",
    "can_profile",
    "can_share_with_ads",
)
# What is read of either database: table -> columns.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "customer_source_records": ("record_id", "customer_id"),
    "account_source_records": ("record_id", "account_id"),
    "customer_id_map": ("customer_id", "current_customer_id"),
    "account_id_map": ("account_id", "current_account_id"),
    "customers": ("customer_id", *FLAGS),
    "customer_consents": (
        "customer_id", "purpose", "channel", "contact_point", "status", "is_granted",
    ),
    "segment_members": ("segment_name", "entity", "member_id"),
    "segments": ("segment_name", "entity"),
    "identity_links": (
        "entity", "record_id_l", "record_id_r", "link_type", "rule", "match_weight",
    ),
    "transactions": ("customer_id", "account_id", "currency", "amount", "is_revenue"),
    "run_history": ("generation", "as_of"),
}  # fmt: skip
_CAUSES_SHOWN = 3
_PARTS_SHOWN = 5


@dataclass(frozen=True)
class Side:
    """One of the two states: the marts' schema in the file, the run it stems from."""

    name: str
    marts: str
    generation: int
    as_of: datetime
    overrides: str | None = None


@dataclass(frozen=True)
class EntityChange:
    """What became of all customers, or of all accounts.

    Each one of the base is counted once: unchanged (the same set of records), merged (all its
    records are in one that also holds records of others), split (in several), merged_and_split
    (both), records_changed (records came or went, nothing else) or retired (none is left). Each of
    the candidate that holds no record of the base is new.

    merges, splits: how many of the candidate hold records of several of the base, and how many of
    the base have records in several of the candidate. records_moved: records in both whose id
    differs. unknown_ids: ids of the base that the candidate's id map does not know.
    """

    entity: str
    base: int
    candidate: int
    unchanged: int
    merged: int
    split: int
    merged_and_split: int
    records_changed: int
    retired: int
    new: int
    merges: int
    splits: int
    base_records: int
    candidate_records: int
    shared_records: int
    records_added: int
    records_gone: int
    records_moved: int
    unknown_ids: int


@dataclass(frozen=True)
class SegmentChange:
    """Members of a segment; base - joined - lost + gained + parted = candidate.

    gained, lost: members that came or went. joined: members that are now one with another member.
    parted: new ids of records that a member held before. base or candidate is None where the
    segment does not exist there.
    """

    segment: str
    entity: str
    base: int | None
    candidate: int | None
    gained: int
    lost: int
    joined: int
    parted: int

    @property
    def changed(self) -> int:
        """Members gained and lost."""
        return self.gained + self.lost


@dataclass(frozen=True)
class FlagChange:
    """Customers for whom a consent flag is true; gained and lost count customers of the base."""

    flag: str
    base: int
    candidate: int
    gained: int
    lost: int


@dataclass(frozen=True)
class ConsentGain:
    """Permissions that no customer of the base gave, or that one of them denied, now in force."""

    purpose: str
    channel: str
    permissions: int
    customers: tuple[str, ...]


@dataclass(frozen=True)
class Cause:
    """A link that joins (or, for a split, joined) records of different ones."""

    record_id_l: str
    record_id_r: str
    link_type: str
    rule: str
    match_weight: float | None


@dataclass(frozen=True)
class CauseTotal:
    """In how many merges a rule joins, or in how many splits it joined, records of several."""

    entity: str
    kind: str
    link_type: str
    rule: str
    count: int


@dataclass(frozen=True)
class Part:
    """A customer or account in an example, with the records that stay or come together."""

    entity_id: str
    records: int
    record_ids: tuple[str, ...]


@dataclass(frozen=True)
class Example:
    """A merge (entity_id is the candidate's, parts the base's) or a split (the other way round).

    ranked_by: records or money. money: revenue per currency of all that take part, in the base.
    """

    entity: str
    kind: str
    ranked_by: str
    entity_id: str
    records: int
    money: dict[str, Decimal]
    part_count: int
    parts: tuple[Part, ...]
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Diff:
    """Everything that differs."""

    base: Side
    candidate: Side
    entities: tuple[EntityChange, ...]
    segments: tuple[SegmentChange, ...]
    flags: tuple[FlagChange, ...]
    consent_gains: tuple[ConsentGain, ...]
    causes: tuple[CauseTotal, ...]
    examples: tuple[Example, ...]

    @property
    def consent_gained(self) -> int:
        """Permissions gained, over all purposes and channels."""
        return sum(gain.permissions for gain in self.consent_gains)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all differs."""
        return (
            all(c.unchanged == c.base == c.candidate and not c.records_moved for c in self.entities)
            and not any(
                s.changed + s.joined + s.parted or s.base != s.candidate for s in self.segments
            )
            and not any(f.gained + f.lost for f in self.flags)
            and not self.consent_gained
        )


ENTITIES = {"person": "customer", "account": "account"}


def compare_files(
    base: Path,
    candidate: Path,
    schema: str = "kindred",
    examples: int = 5,
    candidate_name: str | None = None,
) -> Diff:
    """Compare two database files: working ones, or published ones.

    schema: the target's schema, in which the marts lie. examples: how many of the largest merges
    and splits are told, by records and by money each. candidate_name: what to call the candidate,
    if not by its file. Raises KindredError where a file is missing, no database of Kindred, of
    another version, or in use (exit code 3).
    """
    if base.resolve() == candidate.resolve():
        raise KindredError(
            f"Base and candidate are both {base.name}.", "name two databases to compare."
        )
    with attached(base, candidate) as con:
        return compare(
            con,
            read_side(con, BASE, base.name, schema),
            read_side(con, CANDIDATE, candidate_name or candidate.name, schema),
            examples,
        )


@contextmanager
def attached(base: Path, candidate: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory to which both files are attached, read only."""
    for path in (base, candidate):
        # Tells a missing file, one that is no database, and one in use, each with its mend.
        with connected(path, read_only=True):
            pass
    with duckdb.connect() as con:
        con.execute("set enable_progress_bar = false; set timezone = 'UTC'")
        con.execute("set preserve_insertion_order = false")
        con.execute(f"attach {literal(str(base))} as {BASE} (read_only)")
        con.execute(f"attach {literal(str(candidate))} as {CANDIDATE} (read_only)")
        yield con


def read_side(con: duckdb.DuckDBPyConnection, catalog: str, name: str, schema: str) -> Side:
    """Find the marts in an attached database and the run that built them.

    Raises KindredError where they are missing, lack a column, or stem from a run that did not end.
    """
    marts = _marts_schema(con, catalog, name, schema)
    have = _columns(con, catalog, marts)
    for table, columns in NEEDED.items():
        lacking = [column for column in columns if column not in have.get(table, ())]
        if lacking:
            what = f"no column {', '.join(lacking)}" if table in have else "no such table"
            raise KindredError(
                f"{name} was built by another version of Kindred: {marts}.{table} has {what}."
                if table in have
                else f"{name} was built by another version of Kindred: it has no {marts}.{table}.",
                "build it again with this version, then compare.",
            )
    runs = con.execute(
        f"select generation, cast(as_of as timestamp) from {quoted(catalog, marts, 'run_history')}"
        " order by generation desc limit 1"
    ).fetchall()
    identity = "identity" if schema == "kindred" else f"{schema}_identity"
    private = _columns(con, catalog, identity)
    if "generation" in private:
        current = con.execute(
            f"select generation, cast(as_of as timestamp)"
            f" from {quoted(catalog, identity, 'generation')}"
        ).fetchall()
        runs = current or runs
    if not runs:
        raise KindredError(f"{name} holds no finished build yet.", "run `kindred build` first.")
    overrides = quoted(catalog, identity, "int_{}_overrides")
    return Side(
        name,
        marts,
        int(runs[0][0]),
        runs[0][1],
        overrides if "int_person_overrides" in private else None,
    )


def _marts_schema(con: duckdb.DuckDBPyConnection, catalog: str, name: str, schema: str) -> str:
    # In the masked publication the marts lie in `main`.
    for place in (schema, "main"):
        if "customer_source_records" in _columns(con, catalog, place):
            return place
    raise KindredError(
        f"{name} is not a Kindred database: it has no table {schema}.customer_source_records.",
        "name a working database that `kindred build` has built, or a published one.",
    )


def _columns(con: duckdb.DuckDBPyConnection, catalog: str, schema: str) -> dict[str, set[str]]:
    """Columns by table, of the tables (not views: those name other catalogs) of a schema."""
    rows = con.execute(
        "select lower(c.table_name), lower(c.column_name) from duckdb_columns() as c"
        " inner join duckdb_tables() as t on t.table_oid = c.table_oid"
        " and t.database_name = c.database_name"
        " where c.database_name = ? and lower(c.schema_name) = lower(?)",
        [catalog, schema],
    ).fetchall()
    found: dict[str, set[str]] = {}
    for table, column in rows:
        found.setdefault(table, set()).add(column)
    return found


def compare(con: duckdb.DuckDBPyConnection, base: Side, candidate: Side, examples: int = 5) -> Diff:
    """Compare two attached databases (catalogs BASE and CANDIDATE); see `Diff`."""
    for entity, noun in ENTITIES.items():
        _prepare(con, entity, noun, base, candidate)
    return Diff(
        base=base,
        candidate=candidate,
        entities=tuple(_entity_change(con, entity) for entity in ENTITIES),
        segments=_segments(con, base, candidate),
        flags=_flags(con, base, candidate),
        consent_gains=_consent_gains(con, base, candidate, examples),
        causes=_cause_totals(con),
        examples=_examples(con, base, candidate, examples),
    )


def _prepare(
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


def _row(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    return _rows(con, sql)[0]


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = con.execute(sql).to_arrow_table().to_pylist()
    return rows


def _entity_change(con: duckdb.DuckDBPyConnection, entity: str) -> EntityChange:
    fates = dict(con.execute(f"select fate, count(*) from {entity}_old group by fate").fetchall())
    found = _row(
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
    more = _row(
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


def _segments(
    con: duckdb.DuckDBPyConnection, base: Side, candidate: Side
) -> tuple[SegmentChange, ...]:
    rows = _rows(
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


def _flags(con: duckdb.DuckDBPyConnection, base: Side, candidate: Side) -> tuple[FlagChange, ...]:
    before = quoted(BASE, base.marts, "customers")
    after = quoted(CANDIDATE, candidate.marts, "customers")
    found: list[FlagChange] = []
    for flag in FLAGS:
        row = _row(
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


def _consent_gains(
    con: duckdb.DuckDBPyConnection, base: Side, candidate: Side, examples: int
) -> tuple[ConsentGain, ...]:
    """Permissions in force that merging or splitting must have made.

    A permission is a purpose, a channel and a contact point, in force for a customer of the
    candidate. It was there before where one of the customers whose records it holds had it granted
    and none had it denied. Those of customers with new records may be new as well: they count only
    where the contact point was known.
    """
    rows = _rows(
        con,
        f"""
        with granted as (
            select customer_id, purpose, channel, contact_point
            from {quoted(CANDIDATE, candidate.marts, "customer_consents")}
            where is_granted
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
                coalesce(bool_or(b.status = 'denied'), false) as was_denied,
                max(o.added) as added
            from origins as o
            left join {quoted(BASE, base.marts, "customer_consents")} as b
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


def _cause_totals(con: duckdb.DuckDBPyConnection) -> tuple[CauseTotal, ...]:
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


def _examples(
    con: duckdb.DuckDBPyConnection, base: Side, candidate: Side, count: int
) -> tuple[Example, ...]:
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
