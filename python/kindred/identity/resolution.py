"""What a run of identity resolution hands back, and the one table that a dbt model makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa

from kindred.identity.kept import WHOLE, KeyArray
from kindred.identity.mixture import Model
from kindred.identity.records import in_batches


@dataclass(frozen=True)
class Resolution:
    """What a run of identity resolution found.

    assignments: record_id, entity (label; an id of no meaning). links: record_id_l, record_id_r,
    link_type, rule, match_weight, field_weights and field_levels (JSON), rule_version,
    model_version, entity. junk: the table of decisions.
    numbers: name, dimension, value. review: what is worth a steward's minute
    (columns: kindred.identity.settling.REVIEW). weighed_by: the model as one row
    (see kindred.identity.model_files.as_table).
    """

    assignments: pa.Table
    links: pa.Table
    junk: pa.Table
    numbers: pa.Table
    model: Model
    model_choice: str
    review: pa.Table
    weighed_by: pa.Table = field(default_factory=lambda: pa.table({}))
    notes: tuple[str, ...] = field(default_factory=tuple)


PARTS: dict[str, pa.DataType] = {
    "part": pa.string(),
    "record_id": pa.string(),
    "entity": pa.string(),
    "record_id_l": pa.string(),
    "record_id_r": pa.string(),
    "link_type": pa.string(),
    "rule": pa.string(),
    "match_weight": pa.float64(),
    "field_weights": pa.string(),
    "field_levels": pa.string(),
    "rule_version": pa.string(),
    "model_version": pa.string(),
    "identifier_type": pa.string(),
    "identifier_value": pa.string(),
    "decision": pa.string(),
    "reason": pa.string(),
    "record_count": pa.int64(),
    "name_count": pa.int64(),
    "name_limit": pa.int64(),
    "priority": pa.int64(),
    "records_at_stake": pa.int64(),
    "doubt": pa.float64(),
    "metric_name": pa.string(),
    "dimension": pa.string(),
    "value": pa.float64(),
    "kind": pa.string(),
    "chunk": pa.int64(),
    "settings": pa.string(),
    "policy": pa.string(),
    "packed": pa.binary(),
    "component": pa.int64(),
    "row_hash": pa.int64(),
}

# The same, with the texts that many links share written once: a tenth of the memory.
_SHARED = pa.dictionary(pa.int32(), pa.string())
_KINDS = {
    **PARTS,
    "field_weights": _SHARED,
    "field_levels": _SHARED,
    # More than 2 GB of it, where there are many records.
    "packed": pa.large_binary(),
}


def as_one_table(
    found: Resolution | None, gone: KeyArray | None, kept: pa.Table, changes_only: bool = False
) -> pa.Table:
    """Everything of a run in one table, as a dbt Python model returns one; `part` tells which.

    cluster: record_id, entity, component, row_hash (a hash of all that the row tells). link:
    record_id_l, record_id_r, link_type, rule, match_weight, field_weights, field_levels,
    rule_version, model_version, component, row_hash.
    junk: identifier_type, identifier_value, decision, reason, counts. number: metric_name,
    dimension, value. kept: kind, chunk, settings, packed. review: priority, reason,
    record_id_l, record_id_r, match_weight, field_weights, record_count, records_at_stake, doubt.
    model: model_version, reason, value (the cut), settings and policy (JSON).

    changes_only: the rows are to be put in the place of those of the same components; `gone` are
    the components of which nothing else stays, or None: nothing stays. Rows of part `gone` and
    `all` say so.
    """
    parts = {"kept": kept}
    if found is not None:
        parts |= {
            "cluster": found.assignments,
            # The cluster of a link is that of its records.
            "link": found.links.drop_columns(["entity"]),
            "junk": found.junk,
            "number": found.numbers,
            "review": found.review,
            "model": found.weighed_by,
        }
    if changes_only and gone is None:
        parts["all"] = pa.table({"component": [WHOLE]})
    elif changes_only:
        parts["gone"] = pa.table({"component": gone})
    tables = []
    for part, table in parts.items():
        rows = table.num_rows
        columns = {
            name: table[name].cast(kind) if name in table.column_names else pa.nulls(rows, kind)
            for name, kind in _KINDS.items()
            if name not in ("part", "component", "row_hash")
        }
        columns["part"] = pa.repeat(pa.scalar(part), rows)
        columns["component"] = _signed(table, rows)
        is_compared = part in ("cluster", "link")
        columns["row_hash"] = _row_hash(part, table) if is_compared else pa.nulls(rows, pa.int64())
        tables.append(pa.table(columns, schema=pa.schema(list(_KINDS.items()))))
    return pa.concat_tables(tables)


def _row_hash(part: str, table: pa.Table) -> pa.Array:
    """A hash of each row, of all its columns: by it the next run sees what it would tell alike."""
    told = ", ".join((f"'{part}'", *table.column_names))
    with duckdb.connect() as con:
        hashed = con.from_arrow(in_batches(table)).project(f"hash({told}) as row_hash")
        return pa.array(hashed.fetchnumpy()["row_hash"].view(np.int64))


def _signed(table: pa.Table, rows: int) -> pa.Array:
    """The components as signed numbers, which every warehouse has."""
    if "component" not in table.column_names:
        return pa.repeat(pa.scalar(WHOLE, pa.int64()), rows)
    given = table["component"].to_numpy()
    return pa.array(given.view(np.int64) if given.dtype == np.uint64 else given, pa.int64())


def nothing() -> pa.Table:
    """The same table of a run without records."""
    return pa.table(
        {name: pa.nulls(0, kind) for name, kind in PARTS.items()},
        schema=pa.schema(list(PARTS.items())),
    )
