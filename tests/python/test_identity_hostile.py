"""Matching of records that an enemy filled in: it ends, loses nobody, leaves the others alone."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from hostile_values import HOSTILE, LONG
from identity_town import people, table_of
from kindred.identity.entity import Entity
from kindred.identity.person import PERSON
from kindred.identity.pipeline import entity_named, resolve
from kindred.identity.resolution import Resolution

COMPANIES = [
    {"record_id": f"crm:account:{n}", "name": f"{word} Works Ltd", "domain": f"{word}.example"}
    for n, word in enumerate(("amber", "basalt", "cobalt", "dune", "ember", "fjord"))
]


def hostile_records(entity: Entity) -> list[dict[str, Any]]:
    """A record for each text, which stands in every field; two for the long ones."""
    texts = [*HOSTILE.values(), LONG, "x" * 1_000_000]
    return [
        {"record_id": f"odd:form:{n}-{twin}"} | dict.fromkeys(entity.inputs, text)
        for n, text in enumerate(texts)
        for twin in range(2)
    ]


def groups(found: Resolution) -> list[set[str]]:
    """The records of each entity."""
    members: dict[str, set[str]] = {}
    for row in found.assignments.to_pylist():
        members.setdefault(row["entity"], set()).add(row["record_id"])
    return list(members.values())


@pytest.mark.parametrize("name", ["person", "account"])
def test_hostile_records_neither_end_matching_nor_vanish(name: str) -> None:
    """SQL, markup, control signs and megabytes in every field: each record has its entity."""
    entity = entity_named(name)
    ordinary = (
        table_of(people()).drop_columns(["truth"]) if entity is PERSON else pa.table(_columns())
    )
    columns = [column for column in ordinary.column_names if column in entity.inputs]
    odd = pa.Table.from_pylist(hostile_records(entity)).select(["record_id", *columns])
    alone = ordinary.select(["record_id", *columns])
    found = resolve(pa.concat_tables([alone, odd.cast(alone.schema)]), entity)
    wanted = sorted(alone["record_id"].to_pylist() + odd["record_id"].to_pylist())
    assert sorted(found.assignments["record_id"].to_pylist()) == wanted
    for group in groups(found):
        assert len({record.startswith("odd:") for record in group}) == 1, "joined an ordinary one"


def _columns() -> dict[str, list[str]]:
    return {key: [company[key] for company in COMPANIES] for key in COMPANIES[0]}
