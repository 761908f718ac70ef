"""What the dbt Python models call: relations in, one Arrow table out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from kindred.identity import unchanged
from kindred.identity.deduplicated import sources_of
from kindred.identity.entity import Entity
from kindred.identity.guard import largest_of
from kindred.identity.pipeline import entity_named, resolve
from kindred.identity.records import in_batches
from kindred.identity.reference import as_text
from kindred.identity.resolution import as_one_table, nothing
from kindred.identity.review import limit_of

MODELS = ("auto", "shipped", "train")


def resolve_relations(
    entity: str,
    given: Mapping[str, Any],
    reference: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> pa.Table:
    """Resolve relations of the warehouse; see `kindred.identity.resolution.as_one_table`.

    given: records, identifiers, overrides, earlier (what the last run compared), and last: a
    function that fetches all that the last run found, asked only where nothing has changed since.
    settings: identity_model, identity_cut, junk_max_names_per_contact, junk_max_names_per_address,
    and identity_policy: deduplicated_sources, largest_cluster, review_limit (as dbt renders them).
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
    read = {
        "records": given["records"],
        "identifiers": identifiers,
        "overrides": given["overrides"],
    }
    asked = unchanged.fingerprint(
        entity,
        {**read, **reference},
        settings,
        () if model in MODELS else (Path(model),),
    )
    earlier = _arrow(given["earlier"])
    if unchanged.is_kept(earlier, asked):
        return _arrow(given["last"]())
    records = _arrow(given["records"])
    if records.num_rows == 0:
        return nothing()
    found = resolve(
        records,
        chosen,
        identifiers=_arrow(identifiers),
        overrides=_arrow(given["overrides"]),
        reference={name: as_text(_arrow(relation)) for name, relation in reference.items()},
        model=model,
        cut=None if cut in ("None", "") else float(cut),
        earlier=earlier,
        deduplicated=sources_of(policy.get("deduplicated_sources"), entity),
        largest=largest_of(policy.get("largest_cluster"), entity),
        review_limit=limit_of(policy.get("review_limit")),
        junk_limits={"email": contact, "phone": contact, "address": address},
    )
    kept = unchanged.with_fingerprint(found.compared, asked)
    return in_batches(as_one_table(replace(found, compared=kept)))


def _strong(identifiers: Any, entity: Entity) -> Any:
    """The identifiers that may link: two thirds are emails and phones, and need not be read."""
    if isinstance(identifiers, pa.Table):
        return identifiers
    weak = ", ".join(f"'{name}'" for name in entity.weak_identifiers)
    return identifiers.filter(f"identifier_type not in ({weak})")


def _arrow(relation: Any) -> pa.Table:
    return relation if isinstance(relation, pa.Table) else relation.to_arrow_table()
