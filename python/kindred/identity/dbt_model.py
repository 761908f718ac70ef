"""What the dbt Python models call: relations in, one Arrow table out."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from kindred.identity import incremental, kept, records, settling, unchanged
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
# Bytes of what was kept that are read at once.
MOST_AT_ONCE = 1_500_000_000
_PACKED = pa.schema({"kind": pa.string(), "settings": pa.string(), "packed": pa.large_binary()})


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
    chosen = entity_named(entity)
    identifiers = _strong(given["identifiers"], chosen)
    files = () if model in MODELS else (Path(model),)
    told = unchanged.fingerprint(entity, reference, settings, files)
    earlier = packed_of(given["earlier"])
    before = kept.unpack(earlier, told) if changes_only else None
    read = {"records": given["records"], "identifiers": identifiers,
            "overrides": given["overrides"]}  # fmt: skip

    def asked() -> str:
        return unchanged.fingerprint(entity, {**read, **reference}, settings, files)

    if before is None and unchanged.has_kept(earlier) and unchanged.is_kept(earlier, asked()):
        return nothing() if changes_only else _arrow(given["last"]())
    # It takes its time to be loaded: beside reading the records that costs nothing.
    Thread(target=import_module, args=("splink",), daemon=True).start()
    now = now_of(given["records"], _arrow(identifiers), chosen, session, hashes=keeps)
    if not len(now.ids):
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


def now_of(
    relation: Any,
    identifiers: pa.Table,
    entity: Entity,
    session: duckdb.DuckDBPyConnection | None,
    *,
    hashes: bool = True,
) -> Now:
    """The records of a relation, with a hash of what is given of each, where it is asked for."""
    have = relation.column_names if isinstance(relation, pa.Table) else relation.columns
    columns = [name for name in ("source", *entity.inputs) if name in have]
    records.check_columns(have, entity)
    with records.connect() as own:
        own.register("identifiers_now", in_batches(identifiers))
        if isinstance(relation, pa.Table):
            own.register("records_now", in_batches(relation))
            hashed = own.sql("select * from records_now")
        else:
            hashed = relation
        told = f"hash({', '.join(columns)})" if hashes else "0::ubigint"
        rows = hashed.project(
            f"cast(record_id as text) as record_id, {told} as row"
        ).to_arrow_table()
        if hashes:
            own.register("rows_now", in_batches(rows))
            rows = own.execute(
                f"""
                select r.record_id, hash(r.row, coalesce(i.held, 0)) as row
                from rows_now as r
                left join (
                    select cast(record_id as text) as record_id, sum({IDENTIFIER}::hugeint) as held
                    from identifiers_now as i
                    group by all
                ) as i using (record_id)
                """
            ).to_arrow_table()

    def fetch(ids: pa.Array) -> pa.Table:
        if len(ids) == rows.num_rows:
            return _arrow(relation)
        asked = pa.table({"record_id": ids})
        if isinstance(relation, pa.Table) or session is None:
            return _arrow(relation).join(asked, "record_id", join_type="left semi")
        session.register("records_asked_for", asked)
        some = relation.filter("record_id in (select record_id from records_asked_for)")
        table = some.to_arrow_table()
        session.unregister("records_asked_for")
        return table

    return Now(
        rows["record_id"].combine_chunks(), rows["row"].to_numpy().astype(np.uint64), fetch,
        identifiers,
    )  # fmt: skip


def _strong(identifiers: Any, entity: Entity) -> Any:
    """The identifiers that may link: two thirds are emails and phones, and need not be read."""
    if isinstance(identifiers, pa.Table):
        return identifiers
    weak = ", ".join(f"'{name}'" for name in entity.weak_identifiers)
    strong = identifiers.filter(
        f"identifier_type not in ({weak})"
        " and nullif(trim(cast(identifier_value as text)), '') is not null"
    )
    return strong.project("record_id, identifier_type, identifier_value")


def packed_of(relation: Any) -> pa.Table:
    """What the last run kept. Some parcels at a time: DuckDB hands over at most 2 GB of a column at
    once."""
    if isinstance(relation, pa.Table):
        return relation
    sizes = relation.project("kind, octet_length(packed)").fetchall()
    read = [_PACKED.empty_table()]
    while sizes:
        ends = np.cumsum([size for _, size in sizes])
        count = max(int(np.searchsorted(ends, MOST_AT_ONCE, side="right")), 1)
        kinds = ", ".join(f"'{kind}'" for kind, _ in sizes[:count])
        some = relation.filter(f"kind in ({kinds})").project("kind, settings, packed")
        read.append(some.to_arrow_table().cast(_PACKED))
        sizes = sizes[count:]
    return pa.concat_tables(read)


def _arrow(relation: Any) -> pa.Table:
    return relation if isinstance(relation, pa.Table) else relation.to_arrow_table()
