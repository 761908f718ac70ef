"""What the dbt Python models call: relations in, one Arrow table out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from kindred.identity.pipeline import as_one_table, entity_named, resolve


def resolve_relations(
    entity: str,
    records: Any,
    identifiers: Any,
    overrides: Any,
    reference: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> pa.Table:
    """Resolve relations of the warehouse; see `kindred.identity.pipeline.as_one_table`.

    settings: identity_model, identity_cut, junk_max_names_per_contact, junk_max_names_per_address.
    """
    contact = int(settings.get("junk_max_names_per_contact") or 20)
    address = int(settings.get("junk_max_names_per_address") or 40)
    model = str(settings.get("identity_model") or "auto")
    if model not in ("auto", "shipped", "train"):
        model = str(Path(model))
    cut = str(settings.get("identity_cut"))
    given = _arrow(records)
    if given.num_rows == 0:
        return _nothing()
    found = resolve(
        given,
        entity_named(entity),
        identifiers=_arrow(identifiers),
        overrides=_arrow(overrides),
        reference={name: _as_text(_arrow(relation)) for name, relation in reference.items()},
        model=model,
        cut=None if cut in ("None", "") else float(cut),
        junk_limits={"email": contact, "phone": contact, "address": address},
    )
    return as_one_table(found)


def _nothing() -> pa.Table:
    from kindred.identity.pipeline import PARTS

    return pa.table(
        {name: pa.nulls(0, kind) for name, kind in PARTS.items()},
        schema=pa.schema(list(PARTS.items())),
    )


def _arrow(relation: Any) -> pa.Table:
    return relation if isinstance(relation, pa.Table) else relation.to_arrow_table()


def _as_text(table: pa.Table) -> pa.Table:
    return table.cast(pa.schema([pa.field(name, pa.string()) for name in table.column_names]))
