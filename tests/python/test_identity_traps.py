"""Traps that matching falls into elsewhere: ours is tried on each."""

from __future__ import annotations

import random
from functools import cache

import pyarrow as pa
import pytest

from identity_town import COLUMNS, people, record
from kindred.identity import guard, metrics
from kindred.identity.account import ACCOUNT
from kindred.identity.person import PERSON
from kindred.identity.pipeline import resolve
from kindred.sample.generate import generate
from scenario_data import state
from test_sample_hardness import person_records
from whole_project import WholeProject

PEOPLE, COMPANIES = 300, 40
ALWAYS = ("record_id", "source", "first_name", "last_name", "email")
# Less than one record in five hundred: chance decides so much in a sample of this size.
TOLERANCE = 0.002
# Records of the large customer and company, and the size from which on one is looked at.
SIZE, LOOKED_AT = 140, 100


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> tuple[pa.Table, pa.Table]:
    """Records of a small sample of all sources, and whose they are."""
    folder = tmp_path_factory.mktemp("sample") / "raw"
    generate(PEOPLE, COMPANIES, folder, seed=5)
    return person_records(folder)


@pytest.fixture(scope="module")
def without(labelled: tuple[pa.Table, pa.Table]) -> float:
    """How right matching is by names and emails alone."""
    return _accuracy(labelled, ALWAYS)


def _accuracy(labelled: tuple[pa.Table, pa.Table], columns: tuple[str, ...]) -> float:
    records, truth = labelled
    found = resolve(records.select(columns), PERSON, with_links=False)
    return metrics.bcubed(found.assignments, truth).f1


@pytest.mark.parametrize("column", ["phone", "birth_date", "postcode", "company_name"])
def test_another_column_never_makes_matching_worse(
    labelled: tuple[pa.Table, pa.Table], without: float, column: str
) -> None:
    """Whoever connects a source with one more column gets people at least as right as before."""
    assert _accuracy(labelled, (*ALWAYS, column)) >= without - TOLERANCE


def _spellings(rng: random.Random, number: int) -> dict[str, str | None]:
    """One of many records of a customer of many years; each leaves some fields out."""
    user = rng.choice(("theodora.vandenberg", "tvandenberg", "theovdb"))
    full = {
        "first_name": rng.choice(("Theodora", "Teodora", "Theodora M", "Theo")),
        "last_name": rng.choice(("Vandenberg", "Van den Berg", "Vandenbergh")),
        "email": f"{user}@mail{number % 9}.org",
        "phone": rng.choice(("+49301112223", "+491701112223", "+49891112223")),
        "birth_date": rng.choice(("1970-05-17",) * 9 + ("1970-05-11",)),
        "postcode": rng.choice(("10115", "80331")),
        "city": rng.choice(("Berlin", "München")),
    }
    for gap in rng.sample(("email", "phone", "birth_date", "postcode", "city"), 2):
        full[gap] = ""
    return {name: value or None for name, value in full.items()}


def _branches(rng: random.Random, number: int) -> dict[str, str | None]:
    """One of many records of a company with branches; each leaves some fields out."""
    full = {
        "name": rng.choice(
            ("Silberpfad Logistik", "Silberpfad Logistik GmbH", "Silberpfad Logistics")
        ),
        "domain": "silberpfad-logistik.net",
        "phone": f"+4930555100{number % 7}",
        "street": rng.choice(("Lagerstrasse 12", "Lagerstr. 12", "Kaiweg 4", "Torgasse 9")),
        "city": rng.choice(("Hamburg", "Bremen", "Kiel")),
    }
    for gap in rng.sample(("domain", "phone", "street", "city"), 2):
        full[gap] = ""
    return {name: value or None for name, value in full.items()}


@cache
def _crowd(entity: str) -> pa.Table:
    """A customer, or a company, of 140 records among others."""
    rng = random.Random(11)
    if entity == "person":
        columns = pa.schema([(name, pa.string()) for name in COLUMNS])
        large = [record(f"large-{i}", "large", **_spellings(rng, i)) for i in range(SIZE)]
        rows = large + people(60, seed=2)
        return pa.Table.from_pylist(rows, schema=columns).drop_columns(["truth"])
    others = state(1, []).records["account"].drop_columns(["is_test", "is_deleted"])
    rows = [{"record_id": f"large-{i}", "source": "crm", **_branches(rng, i)} for i in range(SIZE)]
    return pa.concat_tables([pa.Table.from_pylist(rows, schema=others.schema), others])


def _pieces(entity: str) -> int:
    settings = {"person": PERSON, "account": ACCOUNT}[entity]
    found = resolve(_crowd(entity), settings, with_links=False, largest=LOOKED_AT)
    entities = {row["record_id"]: row["entity"] for row in found.assignments.to_pylist()}
    return len({held for name, held in entities.items() if name.startswith("large-")})


@pytest.mark.parametrize("entity", ["person", "account"])
def test_a_true_large_entity_stays_whole(entity: str) -> None:
    """Who has many records that agree is one, beyond the size from which on it is looked at."""
    assert _pieces(entity) == 1


@pytest.mark.parametrize("entity", ["person", "account"])
def test_a_plain_cap_would_split_it(entity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above is no idle one: were size all that counts, the entity would fall apart."""
    monkeypatch.setattr(guard, "SHARE", 2.0)
    assert _pieces(entity) > 1


# Where a source's raw table keeps the postcode of a record, and the record's key.
POSTCODES = {
    "salesforce:contact": ("salesforce.contact", "id", "mailing_postal_code"),
    "salesforce:lead": ("salesforce.lead", "id", "postal_code"),
    "hubspot:contact": ("hubspot.contact", "id", "property_zip"),
    "stripe:customer": ("stripe.customer", "id", "address_postal_code"),
    "klaviyo:person": ("klaviyo.person", "id", "zip"),
    "pos:loyalty_member": ("pos.loyalty_member", "loyalty_id", "postal_code"),
}


@pytest.mark.parametrize("held", POSTCODES)
def test_postcodes_arrive_as_they_were_written(built_project: WholeProject, held: str) -> None:
    """Whoever sends a letter finds each postcode as its source has it, leading zeros and all."""
    table, key, column = POSTCODES[held]
    rows = built_project.query(
        f"""
        select upper(trim(cast(raw.{column} as text))), person.postcode, matched.postcode
        from {table} as raw
        inner join streams.person_records as person
            on person.record_id = '{held}:' || cast(raw.{key} as text)
        left join identity.int_person_match_records as matched
            on person.record_id = matched.record_id
        where raw.{column} is not null
        """
    )
    assert rows
    assert {(given, told) for given, told, _ in rows if given != told} == set()
    assert {(given, used) for given, _, used in rows if used not in (given, None)} == set()
