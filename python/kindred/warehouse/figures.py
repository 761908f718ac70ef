"""The figures of a build that people ask for first, each from the table that holds it."""

from __future__ import annotations

from dataclasses import dataclass, field

from kindred.project import Profile, Project
from kindred.warehouse.database import Connection, columns_of, has_relation, quoted

STREAMS = (
    "person_records",
    "account_records",
    "record_identifiers",
    "record_activities",
    "record_transactions",
    "consent_events",
)
CONSENTS: dict[str, str] = {
    "can_email": "email",
    "can_sms": "text message",
    "can_phone": "phone call",
    "can_post": "post",
    "can_personalise": "personal offers",
    "can_profile": "profiling",
    "can_share_with_ads": "ad platforms",
}


@dataclass(frozen=True)
class SourceRows:
    """The rows of one source, from raw to staged; the four terms add up to the raw rows."""

    source: str
    raw: int
    staged: int
    quarantined: int
    suppressed: int
    collapsed: int

    @property
    def is_complete(self) -> bool:
        """Whether every raw row is accounted for."""
        return self.raw == self.staged + self.quarantined + self.suppressed + self.collapsed


@dataclass(frozen=True)
class Figures:
    """Figures of a finished build; a figure whose table is missing is None or left out."""

    sources: list[SourceRows] = field(default_factory=list)
    values_set_aside: int | None = None
    streams: dict[str, int] = field(default_factory=dict)
    customers: int | None = None
    accounts: int | None = None
    matched_records: int | None = None
    linked_records: int | None = None
    consents: dict[str, float] = field(default_factory=dict)
    segments: dict[str, int] = field(default_factory=dict)
    example_customer: str | None = None

    @property
    def records_per_customer(self) -> float | None:
        """How many records make up a customer on average."""
        if not self.customers or self.matched_records is None:
            return None
        return self.matched_records / self.customers

    @property
    def share_linked(self) -> float | None:
        """Share of person records that were matched with at least one other."""
        if not self.matched_records or self.linked_records is None:
            return None
        return self.linked_records / self.matched_records


def read_figures(connection: Connection, project: Project, profile: Profile) -> Figures:
    """Read the figures of the working database."""
    streams, identity = profile.schema_of("streams"), profile.schema_of("identity")
    matched = _matched(connection, identity)
    return Figures(
        sources=_source_rows(connection, project, profile),
        values_set_aside=_count(connection, streams, "quarantine", "not is_whole_row"),
        streams={
            name: rows
            for name in STREAMS
            if (rows := _count(connection, streams, name)) is not None
        },
        customers=_count(connection, profile.schema, "customers"),
        accounts=_count(connection, profile.schema, "accounts"),
        matched_records=matched[0],
        linked_records=matched[1],
        consents=_consents(connection, profile.schema),
        segments={
            name: rows
            for name in project.segments
            if (rows := _count(connection, profile.schema_of("segments"), f"seg_{name}"))
            is not None
        },
        example_customer=matched[2],
    )


def _count(connection: Connection, schema: str, name: str, condition: str = "true") -> int | None:
    if not has_relation(connection, schema, name):
        return None
    sql = f"select count(*) from {quoted(schema, name)} where {condition}"  # noqa: S608
    return int(connection.execute(sql).fetchall()[0][0])


def _sums(connection: Connection, schema: str, name: str, measure: str) -> dict[str, int]:
    """`measure` by source; empty where the table is missing."""
    if not has_relation(connection, schema, name):
        return {}
    sql = f"select source, {measure} from {quoted(schema, name)} group by source"  # noqa: S608
    return {str(source): int(value or 0) for source, value in connection.execute(sql).fetchall()}


def _source_rows(connection: Connection, project: Project, profile: Profile) -> list[SourceRows]:
    streams = profile.schema_of("streams")
    raw = _sums(connection, streams, "row_counts", "sum(raw_count)")
    staged = _sums(connection, streams, "row_counts", "sum(staged_count)")
    out = _sums(connection, streams, "quarantine", "count(*) filter (where is_whole_row)")
    collapsed = _sums(connection, streams, "collapsed_rows", "sum(collapsed_count)")
    suppressed = _sums(
        connection, profile.schema_of("staging"), "privacy__suppressed_rows", "sum(row_count)"
    )
    return [
        SourceRows(
            source=source,
            raw=raw.get(source, 0),
            staged=staged.get(source, 0),
            quarantined=out.get(source, 0),
            suppressed=suppressed.get(source, 0),
            collapsed=collapsed.get(source, 0),
        )
        for source in project.sources
        if source in raw
    ]


def _matched(connection: Connection, identity: str) -> tuple[int | None, int | None, str | None]:
    """Records in customers, those that share a customer, and a customer worth a look."""
    if not has_relation(connection, identity, "int_person_ids"):
        return None, None, None
    sizes = (
        "select customer_id, count(*) as record_count"  # noqa: S608 - quoted names
        f" from {quoted(identity, 'int_person_ids')} group by customer_id"
    )
    found = connection.execute(
        "select sum(record_count), coalesce(sum(record_count) filter (where record_count > 1), 0),"  # noqa: S608
        f" min(example) from ({sizes}) as sizes cross join ("
        f"select customer_id as example from ({sizes}) as largest"
        " order by least(record_count, 6) desc, customer_id desc limit 1) as examples"
    ).fetchall()
    return int(found[0][0] or 0), int(found[0][1] or 0), found[0][2]


def _consents(connection: Connection, marts: str) -> dict[str, float]:
    have = [name for name in CONSENTS if name in columns_of(connection, marts, "customers")]
    if not have:
        return {}
    shares = ", ".join(f"avg(cast({name} as integer))" for name in have)
    sql = f"select {shares} from {quoted(marts, 'customers')}"  # noqa: S608 - known names
    row = connection.execute(sql).fetchall()[0]
    return {CONSENTS[name]: float(value or 0) for name, value in zip(have, row, strict=True)}
