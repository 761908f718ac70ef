"""What the dbt Python models call: relations in, one Arrow table out."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb
import pyarrow as pa

from kindred.identity import incremental, kept, records, scoring, settling, unchanged
from kindred.identity.deduplicated import sources_of
from kindred.identity.entity import Entity
from kindred.identity.guard import largest_of
from kindred.identity.links import IDENTIFIER
from kindred.identity.pipeline import Asked, entity_named
from kindred.identity.records import in_batches
from kindred.identity.reference import as_text
from kindred.identity.resolution import as_one_table, nothing
from kindred.identity.review import limit_of
from kindred.identity.touched import Now

MODELS = ("auto", "shipped", "train")
_MOVED = """
select b.place, n.record_id, n.row
from rows_now as n
full outer join rows_before as b on n.row = b.row
where n.row is null or b.row is null
"""


def set_dbt_aside() -> None:
    """Let garbage be looked for among what is made from now on.

    dbt holds half a million objects, which live until its run ends. Once in a process: what a
    later run in it leaves behind is found again.
    """
    if not gc.get_freeze_count():
        gc.freeze()


@contextmanager
def memory_of_the_system() -> Iterator[None]:
    """Arrow takes its memory from the system's allocator.

    Its own asks for huge pages; whoever fills these for the first time waits for each to be made
    empty, which takes several times as long as to unpack into small ones. Where people and
    companies are resolved side by side, the one that ends last may leave it so until dbt ends.
    """
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


@memory_of_the_system()
def resolve_relations(
    entity: str,
    given: Mapping[str, Any],
    reference: Mapping[str, Any],
    settings: Mapping[str, Any],
    session: duckdb.DuckDBPyConnection | None = None,
    *,
    keeps: bool = False,
    changes_only: bool = False,
) -> pa.Table:
    """Resolve relations of the warehouse; see `kindred.identity.resolution.as_one_table`.

    given: records, identifiers, overrides, earlier (what the last run kept), and last: a function
    that fetches all that the last run found, asked only where nothing has changed since.
    settings: identity_model, identity_cut, junk_max_names_per_contact, junk_max_names_per_address,
    and identity_policy: deduplicated_sources, largest_cluster, review_limit (as dbt renders them).
    session: the connection of the relations. keeps: whether the next run will be given what this
    one keeps. changes_only: what the last run found is still there, and only what differs from it
    is wanted (see macro get_incremental_by_component_sql).
    """
    contact = int(settings.get("junk_max_names_per_contact") or 20)
    address = int(settings.get("junk_max_names_per_address") or 40)
    model = str(settings.get("identity_model") or "auto")
    if model not in MODELS:
        model = str(Path(model))
    policy = settings.get("identity_policy") or {}
    cut = str(settings.get("identity_cut"))
    set_dbt_aside()
    chosen = entity_named(entity)
    identifiers = _strong(given["identifiers"], chosen)
    files = () if model in MODELS else (Path(model),)
    told = unchanged.fingerprint(entity, reference, settings, files)
    read = {"records": given["records"], "identifiers": identifiers,
            "overrides": given["overrides"]}  # fmt: skip

    def asked() -> str:
        return unchanged.fingerprint(entity, {**read, **reference}, settings, files)

    fingerprints = unchanged.kept_in(given["earlier"])
    if fingerprints and asked() in fingerprints:
        return nothing() if changes_only else _arrow(given["last"]())
    # They take their time to be loaded: beside reading the records that costs nothing.
    loaded = ("pandas", "scipy.sparse.csgraph", *(() if changes_only else ("splink",)))
    Thread(target=_load, args=loaded, daemon=True).start()
    now = now_of(given["records"], identifiers, chosen, session)
    earlier = packed_of(given["earlier"], session) if changes_only else []
    before = kept.unpack_side_by_side(earlier, told)
    if before is not None:
        usable = scoring.usable_comparisons(chosen, list(before.filled))
        scoring.know_sql(scoring.compared(usable), before.compared)
    if not now.size:
        return as_one_table(None, None, pa.table({}), changes_only)
    part = incremental.resolve(
        now,
        chosen,
        settling.policy_of(
            entity,
            _arrow(given["overrides"]),
            sources_of(policy.get("deduplicated_sources"), entity),
            largest_of(policy.get("largest_cluster"), entity),
            limit_of(policy.get("review_limit")),
        ),
        Asked(model, None if cut in ("None", "") else float(cut), keeps=bool(keeps)),
        kept=before,
        settings=told,
        reference={name: as_text(_arrow(relation)) for name, relation in reference.items()},
        junk_limits={"email": contact, "phone": contact, "address": address},
    )
    if part.kept is None:
        keeping = unchanged.as_table(asked())
    else:
        keeping = kept.pack(part.kept, is_added=part.gone is not None)
    return in_batches(as_one_table(part.resolution, part.gone, keeping, changes_only))


def _load(*names: str) -> None:
    """Load modules that others load when they first ask for them: Arrow asks for pandas."""
    for name in names:
        import_module(name)


def now_of(
    relation: Any,
    identifiers: Any,
    entity: Entity,
    session: duckdb.DuckDBPyConnection | None,
) -> Now:
    """The records of a relation, and what is otherwise than it was.

    session: the connection of the relations; None where these are Arrow tables.
    """
    are_arrow = isinstance(relation, pa.Table)
    have = relation.column_names if are_arrow else relation.columns
    records.check_columns(have, entity)
    columns = ", ".join(f"r.{name}" for name in ("source", *entity.inputs) if name in have)
    size = relation.num_rows if are_arrow else relation.aggregate("count(*)").fetchall()[0][0]

    def hashed(con: duckdb.DuckDBPyConnection) -> Any:
        given = _relation(con, relation).set_alias("r")
        told = "cast(r.record_id as text)"
        rows = given.project(f"{told} as record_id, hash({told}, {columns}) as told")
        held = _relation(con, identifiers).set_alias("i").project(
            f"hash(cast(i.record_id as text)) as holder, {IDENTIFIER}::hugeint as value"
        ).aggregate("holder, sum(value) as held", "holder")  # fmt: skip
        rows = rows.project("*, hash(record_id) as holder").join(held, "holder", how="left")
        return rows.project("record_id, hash(told, coalesce(held, 0)) as row")

    def all_hashed() -> pa.Table:
        with _connection(session) as con:
            return hashed(con).to_arrow_table()

    def moved(before: pa.Table) -> pa.Table:
        with _connection(session) as con:
            con.register("rows_before", in_batches(before))
            found = hashed(con).query("rows_now", _MOVED).to_arrow_table()
            con.execute("drop view rows_now")
            con.unregister("rows_before")
        return found

    def some_of(table: Any, ids: pa.Array | None) -> pa.Table:
        if ids is None or len(ids) == size:
            return _arrow(table)
        asked = pa.table({"record_id": ids})
        if isinstance(table, pa.Table) or session is None:
            return _arrow(table).join(asked, "record_id", join_type="left semi")
        session.register("records_asked_for", asked)
        some = table.filter("record_id in (select record_id from records_asked_for)")
        taken = some.to_arrow_table()
        session.unregister("records_asked_for")
        return taken

    return Now(size, all_hashed, moved, partial(some_of, relation), partial(some_of, identifiers))


@contextmanager
def _connection(
    session: duckdb.DuckDBPyConnection | None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The connection of the relations, or one of our own."""
    if session is not None:
        yield session
        return
    with records.connect() as own:
        yield own


def _relation(con: duckdb.DuckDBPyConnection, table: Any) -> Any:
    return con.from_arrow(in_batches(table)) if isinstance(table, pa.Table) else table


def _strong(identifiers: Any, entity: Entity) -> Any:
    """The identifiers that may link: two thirds are emails and phones, and need not be read."""
    if isinstance(identifiers, pa.Table):
        return identifiers
    weak = ", ".join(f"'{name}'" for name in entity.weak_identifiers)
    value = "cast(identifier_value as text)"
    # What begins with another sign than a space is not empty: this is told sooner than by trimming.
    strong = identifiers.filter(
        f"identifier_type not in ({weak}) and ({value} >= '!' or trim({value}) <> '')"
    )
    return strong.project("record_id, identifier_type, identifier_value")


def packed_of(
    relation: Any, session: duckdb.DuckDBPyConnection | None = None
) -> list[Iterable[pa.RecordBatch]]:
    """What the last run kept, by ways that can be read side by side. Row by row: a piece of Arrow
    holds at most 2 GB of bytes.

    session: the connection of the relation; each way is read by one of its own.
    """
    if isinstance(relation, pa.Table):
        return [relation.to_batches()]
    is_record = f"starts_with(kind, '{kept.RECORDS}')"
    return [
        _row_by_row(relation.filter(one).project("kind, settings, packed"), session)
        for one in (is_record, f"not {is_record}")
    ]


def _row_by_row(
    packed: duckdb.DuckDBPyRelation, session: duckdb.DuckDBPyConnection | None
) -> Iterator[pa.RecordBatch]:
    if session is None:
        yield from packed.to_arrow_reader(1)
        return
    with session.cursor() as beside:
        yield from beside.sql(packed.sql_query()).to_arrow_reader(1)


def _arrow(relation: Any) -> pa.Table:
    return relation if isinstance(relation, pa.Table) else relation.to_arrow_table()
