"""Likeness has no direction: which of two records stands left changes nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from splink import DuckDBAPI, Linker

from identity_town import people, table_of
from kindred.identity import mixture, model_files, records, scoring
from kindred.identity.entity import Comparison, Entity
from kindred.identity.pipeline import entity_named
from kindred.identity.reference import load_reference

COMPANIES = (
    ("Nordwind Holding GmbH", "nordwind.de", "+49301234567", "Hafenstr. 5", "HRB 1234 B"),
    ("Nordwind Logistik", "nordwind.com", "+49301234568", "Hafenstrasse 5", "HRB 1234"),
    ("Nord-Wind Holding AG", "shop.nordwind.de", None, "Hafenstr 7", "HRB 1243 B"),
    ("Philips Medical Systems NV", "philips.com", "+31201234567", "Amstel 1", None),
    ("N.V. Philips", None, "+31201234567", "Amstel 1", "NL 33031431"),
    ("Koninklijke Philips Electronics", "philips.nl", None, None, "NL 33031431"),
    ("Ibis", None, None, "Rue de la Paix 2", "552 100 554"),
    ("International Biscuits", "ibis.fr", "+33123456789", "2 rue de la Paix", "552100554"),
)


def _records(entity: str) -> pa.Table:
    if entity == "person":
        return table_of(people(40)).drop_columns(["truth"])
    names = ("name", "domain", "phone", "street", "registration_number")
    rows = [
        {"record_id": f"c{i}", **dict(zip(names, row, strict=True))}
        for i, row in enumerate(COMPANIES)
    ]
    return pa.Table.from_pylist(rows)


def _swapped(condition: str) -> str:
    return re.sub(r"\b(\w+?)_(l|r)\b", lambda m: f"{m[1]}_{'r' if m[2] == 'l' else 'l'}", condition)


def _conditions(comparison: Comparison) -> list[str]:
    levels = [one.condition for one in comparison.levels if one.condition != "ELSE"]
    return [*levels, *([comparison.skip] if comparison.skip else [])]


@pytest.mark.parametrize("name", ["person", "account"])
def test_levels_are_symmetric(name: str) -> None:
    """Each level, and each reason to say nothing, holds for two records in either order."""
    entity: Entity = entity_named(name)
    with records.connect() as con:
        records.prepare(con, _records(name), entity, load_reference())
        helped = records.helped(entity, "select * from prepared")
        con.execute(f"create table held as select row_number() over () as n, * from ({helped})")
        columns = [row[0] for row in con.execute("describe held").fetchall()]
        sides = ", ".join(f"l.{c} as {c}_l, r.{c} as {c}_r" for c in columns)
        con.execute(f"create table pairs as select {sides} from held as l, held as r")
        tried = 0
        for comparison in entity.comparisons:
            if comparison.holders_of:
                continue
            for condition in _conditions(comparison):
                differing = con.execute(
                    f"select count(*) from pairs where coalesce({condition}, false)"
                    f" <> coalesce({_swapped(condition)}, false)"
                ).fetchall()[0][0]
                assert differing == 0, f"{comparison.field}: {condition}"
                tried += 1
        assert tried > 20


def test_a_level_with_a_direction_is_found() -> None:
    """The test above can fail: swapping really turns a condition around."""
    assert _swapped("given_l = family_r and length(email_user_l) > 3") == (
        "given_r = family_l and length(email_user_r) > 3"
    )


def test_nothing_is_impossible() -> None:
    """A level that a kind of pair never showed weighs much, and yet something: no field of a link
    is left without a number."""
    for name in ("person", "account"):
        entity = entity_named(name)
        model = model_files.shipped(entity)
        assert model is not None
        shared = {
            kind: {field: np.append(0.0, table[1:]) for field, table in tables.items()}
            for kind, tables in model.shared.items()
        }
        levels = np.zeros((1, len(model.fields)), dtype=np.int8)
        weight, detail = mixture.weigh(
            replace(model, shared=shared), entity.matches, entity.others, 1000, levels, {},
            detail=True,
        )  # fmt: skip
        assert np.isfinite(weight).all()
        assert np.isfinite(detail).all()


@pytest.mark.parametrize("name", ["person", "account"])
def test_levels_are_those_of_splink(name: str) -> None:
    """Whoever reads Splink's documentation may trust it: its `predict` finds the same levels."""
    entity = entity_named(name)
    with records.connect() as con:
        records.prepare(con, _records(name), entity, load_reference())
        con.execute(
            "create table fields as"
            " select row_number() over (order by record_id) - 1 as n, *"
            f" from ({records.helped(entity, 'select * from prepared')})"
        )
        size = con.execute("select count(*) from fields").fetchall()[0][0]
        scorer = scoring.Scorer(con, tuple(c for c in entity.comparisons if not c.holders_of))
        left, right = np.triu_indices(size, 1)
        ours = scorer.compare(left, right)

        api = DuckDBAPI(connection=con)
        asked = {
            **scoring.splink_settings(scorer.compared),
            "retain_intermediate_calculation_columns": True,
        }
        for comparison in asked["comparisons"]:
            # Splink hands out log2(m / u) only, so let that be the number of the level.
            for number, level in enumerate(reversed(comparison["comparison_levels"][1:]), 1):
                level |= {"m_probability": 0.5, "u_probability": 0.5 / 2**number}
        linker = Linker(api.register(con.table("fields")), asked, log_level="ERROR")
        linker.table_management.register_blocked_pairs_for_predict(
            api.register(
                pa.table({"match_key": ["0"] * len(left), "join_key_l": left, "join_key_r": right})
            )
        )
        told = linker.inference.predict(warning_mode="never").physical_name
        found = con.execute(f"select * from {told} order by n_l, n_r").fetchnumpy()
    assert len(np.unique(ours)) > 5
    for i, comparison in enumerate(scorer.compared):
        levels = np.round(found[f"mw_{comparison.field}"]) - 1
        assert (levels == ours[:, i]).all(), comparison.field
