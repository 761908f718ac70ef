"""What the dbt Python models call: relations in, one Arrow table out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from kindred.identity.deduplicated import sources_of
from kindred.identity.guard import largest_of
from kindred.identity.pipeline import entity_named, resolve
from kindred.identity.resolution import as_one_table, nothing
from kindred.identity.review import limit_of


def resolve_relations(
    entity: str,
    given: Mapping[str, Any],
    reference: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> pa.Table:
    """Resolve relations of the warehouse; see `kindred.identity.resolution.as_one_table`.

    given: records, identifiers, overrides, earlier (what the last run compared). settings:
    identity_model, identity_cut, junk_max_names_per_contact, junk_max_names_per_address, and
    identity_policy: deduplicated_sources, largest_cluster, review_limit (as dbt renders them).
    """
    contact = int(settings.get("junk_max_names_per_contact") or 20)
    address = int(settings.get("junk_max_names_per_address") or 40)
    model = str(settings.get("identity_model") or "auto")
    if model not in ("auto", "shipped", "train"):
        model = str(Path(model))
    policy = settings.get("identity_policy") or {}
    cut = str(settings.get("identity_cut"))
    records = _arrow(given["records"])
    if records.num_rows == 0:
        return nothing()
    found = resolve(
        records,
        entity_named(entity),
        identifiers=_arrow(given["identifiers"]),
        overrides=_arrow(given["overrides"]),
        reference={name: _as_text(_arrow(relation)) for name, relation in reference.items()},
        model=model,
        cut=None if cut in ("None", "") else float(cut),
        earlier=_arrow(given["earlier"]),
        deduplicated=sources_of(policy.get("deduplicated_sources"), entity),
        largest=largest_of(policy.get("largest_cluster"), entity),
        review_limit=limit_of(policy.get("review_limit")),
        junk_limits={"email": contact, "phone": contact, "address": address},
    )
    return as_one_table(found)


def _arrow(relation: Any) -> pa.Table:
    return relation if isinstance(relation, pa.Table) else relation.to_arrow_table()


def _as_text(table: pa.Table) -> pa.Table:
    return table.cast(pa.schema([pa.field(name, pa.string()) for name in table.column_names]))
