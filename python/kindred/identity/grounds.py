"""What holds a customer or account together, read from a built database; no words and no pictures.

The marts are read only: links, source records, ids and their changes. The working database and
the published restricted one have them; the compared values and the stewards' decisions only the
working one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from kindred.errors import KindredError
from kindred.identity.pipeline import entity_named
from kindred.project import Profile
from kindred.warehouse import target
from kindred.warehouse.database import Connection, columns_of, has_relation, literal, values_of

LinkKind = Literal["certain", "weighed", "steward"]

_KINDS: dict[str, LinkKind] = {
    "deterministic": "certain",
    "probabilistic": "weighed",
    "steward": "steward",
}
_BASE = {"person": "customer", "account": "account"}
_MARTS = ("customer_source_records", "account_source_records", "identity_links")


@dataclass(frozen=True)
class FieldWeight:
    """What one field of a pair adds to its weight; level: how alike, in words, where known."""

    field: str
    label: str
    level: str
    weight: float
    has_rarity: bool = False


@dataclass(frozen=True)
class Link:
    """Two records and why they are one; weight and fields where the model weighed them.

    start and the weights of `fields` add up to `weight` (log2 odds).
    """

    left: str
    right: str
    kind: LinkKind
    rule: str
    weight: float | None = None
    start: float = 0.0
    fields: tuple[FieldWeight, ...] = ()
    model_version: str = ""

    @property
    def ends(self) -> frozenset[str]:
        """Both records."""
        return frozenset((self.left, self.right))

    @property
    def strength(self) -> float:
        """Its weight; without end where a rule or a steward decided."""
        return float("inf") if self.weight is None else self.weight


@dataclass(frozen=True)
class SourceRecord:
    """One record and, on request, what was compared of it."""

    record_id: str
    source: str
    source_object: str
    source_record_id: str
    since_generation: int
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """Something that happened to the id: changes of records are counted by run and cause."""

    generation: int
    day: str
    event: str
    from_id: str | None
    to_id: str | None
    record_count: int
    cause: str


@dataclass(frozen=True)
class StewardDecision:
    """A line of the overrides file about records at hand."""

    decision: str
    left: str
    right: str
    author: str
    reason: str
    valid_from: str
    valid_to: str
    is_in_force: bool


@dataclass(frozen=True)
class Group:
    """A customer or account with all that speaks for it. asked: the id asked about."""

    entity: str
    id: str
    asked: str
    records: tuple[SourceRecord, ...] = ()
    links: tuple[Link, ...] = ()
    changes: tuple[Change, ...] = ()
    decisions: tuple[StewardDecision, ...] = ()

    @property
    def noun(self) -> str:
        """`person` or `company`."""
        return "person" if self.entity == "person" else "company"

    @property
    def is_merged(self) -> bool:
        """Whether the id asked about gave way to another."""
        return self.asked != self.id


@contextmanager
def opened(place: Path | Profile) -> Iterator[Connection]:
    """A DuckDB file or a target, read only; KindredError where there is none, or no matches."""
    with target.read(place) as con:
        target.refuse_unbuilt(con, place, "kindred", _MARTS, "matches")
        yield con


def owner_of(con: Connection, record: str) -> tuple[str, str]:
    """Entity and id that `record` belongs to; KindredError where there is no such live record."""
    found = con.execute(
        """
        select 'person', customer_id from kindred.customer_source_records where record_id = ?
        union all
        select 'account', account_id from kindred.account_source_records where record_id = ?
        """,
        [record, record],
    ).fetchall()
    if not found:
        raise KindredError(
            f"There is no live record {_brief(record)}.",
            "write it as source:object:id; test and deleted records take no part.",
        )
    return str(found[0][0]), str(found[0][1])


def group_of(con: Connection, name: str, *, with_values: bool = False) -> Group:
    """The customer or account `name`, or the one that stands for it now.

    Without records where all of them are gone; KindredError where the id was never given.
    """
    entity = "account" if name.startswith("acc_") else "person"
    base = _BASE[entity]
    row = con.execute(
        f"select current_{base}_id from kindred.{base}_id_map where {base}_id = ?", [name]
    ).fetchall()
    if not row:
        raise KindredError(
            f"There is no {base} {_brief(name)}, and never was.", f"take an id from `{base}s`."
        )
    current = row[0][0]
    if current is None:
        gone = Group(entity, name, name)
        return replace(gone, changes=_changes(con, gone))
    records = _records(con, entity, str(current))
    if with_values:
        records = _with_values(con, entity, records)
    group = Group(entity, str(current), name, records, _links(con, entity, str(current)))
    return replace(
        group,
        changes=_changes(con, group),
        decisions=decisions_about(con, entity, [record.record_id for record in records]),
    )


def widest_customer(con: Connection) -> str:
    """The customer whose records come from the most sources; the first id where several tie."""
    rows = con.execute(
        """
        select customer_id
        from kindred.customer_source_records
        group by customer_id
        order by count(distinct source) desc, count(*) desc, customer_id
        limit 1
        """
    ).fetchall()
    if not rows:
        raise KindredError("There is no customer yet.", "load some data, then run `kindred build`.")
    return str(rows[0][0])


def last_run(con: Connection) -> tuple[int, str]:
    """Number and moment of the last finished run; 0 where none is known."""
    if not has_relation(con, "kindred", "run_history"):
        return 0, ""
    rows = con.execute(
        "select generation, as_of from kindred.run_history order by generation desc limit 1"
    ).fetchall()
    return (int(rows[0][0]), f"{rows[0][1]:%Y-%m-%d %H:%M}") if rows else (0, "")


def cut_of(con: Connection, entity: str) -> float:
    """The weight at which the last run merged no more groups, or that of the settings."""
    if has_relation(con, "identity", f"int_{entity}_model"):
        rows = con.execute(f"select cut from identity.int_{entity}_model").fetchall()
        if rows:
            return float(rows[0][0])
    return entity_named(entity).cut


def decisions_about(
    con: Connection, entity: str, records: list[str]
) -> tuple[StewardDecision, ...]:
    """The stewards' decisions that name one of `records`, those in force first."""
    if not has_relation(con, "stewardship", "identity_overrides"):
        return ()
    asked = values_of(records)
    rows = con.execute(
        f"""
        with run as (
            select max(as_of) as as_of from kindred.run_history
        )
        select
            o.decision, o.record_id_l, o.record_id_r, coalesce(o.author, ''),
            coalesce(o.reason, ''), o.valid_from, o.valid_to,
            coalesce(o.valid_from <= run.as_of, true) and coalesce(o.valid_to > run.as_of, true)
                as is_in_force
        from stewardship.identity_overrides as o
        cross join run
        where
            o.entity = {literal(entity)}
            and (o.record_id_l in {asked} or o.record_id_r in {asked})
        order by is_in_force desc, o.decision, o.record_id_l, o.record_id_r
        """
    ).fetchall()
    return tuple(
        StewardDecision(kind, left, right, author, reason, _day(since), _day(until), is_in_force)
        for kind, left, right, author, reason, since, until, is_in_force in rows
    )


def field_weights(
    entity: str, weights: dict[str, float], levels: dict[str, str]
) -> tuple[FieldWeight, ...]:
    """Weights by field as the mart keeps them, with the words of the entity's settings."""
    settings = {c.field: c for c in entity_named(entity).comparisons}
    return tuple(
        FieldWeight(
            name,
            settings[name].label if name in settings else name.replace("_", " "),
            levels.get(name, ""),
            float(weight),
            name in settings and settings[name].rarity,
        )
        for name, weight in weights.items()
        if name != "starting_weight"
    )


def _records(con: Connection, entity: str, owner: str) -> tuple[SourceRecord, ...]:
    base = _BASE[entity]
    rows = con.execute(
        f"""
        select record_id, source, source_object, source_record_id, since_generation
        from kindred.{base}_source_records
        where {base}_id = ?
        order by record_id
        """,
        [owner],
    ).fetchall()
    return tuple(
        SourceRecord(str(name), str(source), str(kind or ""), str(key or ""), int(since))
        for name, source, kind, key, since in rows
    )


def _with_values(
    con: Connection, entity: str, records: tuple[SourceRecord, ...]
) -> tuple[SourceRecord, ...]:
    """The records with the fields that are compared, as the streams hold them."""
    stream = f"{entity}_records"
    have = columns_of(con, "streams", stream)
    names = [name for name in entity_named(entity).inputs if name in have]
    if not names:
        raise KindredError(
            "This database does not hold the values that were compared.",
            "name the working database with --database, or leave out --with-values.",
        )
    shown = ", ".join(f"cast({name} as text)" for name in names)
    rows = con.execute(
        f"select record_id, {shown} from streams.{stream}"
        f" where record_id in {values_of(record.record_id for record in records)}"
    ).fetchall()
    values = {
        str(row[0]): {n: str(v) for n, v in zip(names, row[1:], strict=True) if v is not None}
        for row in rows
    }
    return tuple(replace(record, values=values.get(record.record_id, {})) for record in records)


def _links(con: Connection, entity: str, owner: str) -> tuple[Link, ...]:
    have = columns_of(con, "kindred", "identity_links")
    levels = "field_levels" if "field_levels" in have else "null"
    version = "model_version" if "model_version" in have else "null"
    rows = con.execute(
        f"""
        select
            record_id_l, record_id_r, link_type, rule, match_weight, field_weights, {levels},
            {version}
        from kindred.identity_links
        where {_BASE[entity]}_id = ?
        order by link_type, match_weight desc nulls last, record_id_l, record_id_r, rule
        """,
        [owner],
    ).fetchall()
    return tuple(_link(entity, row) for row in rows)


def _link(entity: str, row: tuple[Any, ...]) -> Link:
    left, right, link_type, rule, weight, weights, levels, version = row
    parts: dict[str, float] = json.loads(weights or "{}")
    return Link(
        str(left),
        str(right),
        _KINDS[link_type],
        str(rule),
        None if weight is None else float(weight),
        float(parts.get("starting_weight", 0.0)),
        field_weights(entity, parts, json.loads(levels or "{}")),
        str(version or ""),
    )


def _changes(con: Connection, group: Group) -> tuple[Change, ...]:
    """What happened to the id and to those that became one with it; moves counted, not listed."""
    base = _BASE[group.entity]
    rows = con.execute(
        f"""
        with recursive family as (
            select cast(? as text) as id
            union
            select c.from_{base}_id
            from kindred.{base}_id_changes as c
            inner join family as f on c.to_{base}_id = f.id
            where c.event = 'merged'
        ),
        told as (
            select
                c.generation,
                cast(c.occurred_at as date) as day,
                c.event,
                c.from_{base}_id as from_id,
                c.to_{base}_id as to_id,
                c.record_count,
                c.cause
            from kindred.{base}_id_changes as c
            where c.from_{base}_id in (select id from family)
                or c.to_{base}_id in (select id from family)
        )
        select
            generation, day, event, from_id, to_id, cast(sum(record_count) as bigint), cause
        from told
        group by generation, day, event, from_id, to_id, cause
        order by generation, case event when 'created' then 0 when 'record_moved' then 2 else 1 end,
            from_id nulls first, to_id nulls first, cause
        """,
        [group.id],
    ).fetchall()
    return tuple(
        Change(int(g), f"{day:%Y-%m-%d}", event, f, t, int(count or 0), str(cause or ""))
        for g, day, event, f, t, count, cause in rows
    )


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}"


def _brief(name: str) -> str:
    """A name given by a user, short enough for a message."""
    return name if len(name) <= 80 else name[:80] + "..."
