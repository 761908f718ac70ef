"""Relatives stay apart under the default configuration, in towns of several sizes."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from identity_town import GIVEN, people, record, table_of
from kindred.identity import learning, records
from kindred.identity.entity import Entity, Level
from kindred.identity.person import PERSON
from kindred.identity.pipeline import Resolution, resolve
from kindred.identity.reference import load_reference

Row = dict[str, str | None]

BORN = ("1949-02-11", "1952-07-30", "1979-10-25", "1983-04-02")


def _family(number: int) -> list[Row]:
    """Pairs of relatives on one landline, none of whom is the other; truth names the person."""
    rng = random.Random(number)
    first = rng.sample(GIVEN, 8)
    rows: list[Row] = []

    def home(name: str) -> dict[str, str]:
        return {
            "last_name": f"{name}stamm{'abcdefghij'[number % 10]}er",
            "phone": f"+4930{rng.randint(10**6, 10**7 - 1)}",
            "street": f"{name}allee {rng.randint(1, 200)}",
            "city": f"{name}stadt",
            "postcode": f"{rng.randint(10000, 99999)}",
        }

    def add(story: str, who: str, **values: str) -> None:
        rows.append(record(f"{story}-{number}-{who}", f"{story}-{number}-{who}", **values))

    both = home("Sohn")
    add("father_and_son", "father", first_name=first[0], birth_date=BORN[0], **both)
    add("father_and_son", "son", first_name=first[0], birth_date=BORN[2], **both)
    both = home("Paar")
    mailbox = f"familie{number}@eigenheim.net"
    add("one_mailbox", "wife", first_name=first[1], email=mailbox, **both)
    add("one_mailbox", "husband", first_name=first[2], email=mailbox, **both)
    both = home("Ehe")
    add("couple", "wife", first_name=first[3], birth_date=BORN[1], **both)
    add("couple", "husband", first_name=first[4], birth_date=BORN[0], **both)
    both = home("Zwilling")
    add("twins", "one", first_name=first[5], birth_date=BORN[3], **both)
    add("twins", "other", first_name=first[6], birth_date=BORN[3], **both)
    both = home("Geschwister")
    add("siblings", "one", first_name=first[6], birth_date="1991-03-12", **both)
    add("siblings", "other", first_name=first[7], birth_date="1993-03-12", **both)
    return rows


@cache
def _town(size: int, families: int) -> pa.Table:
    rows = people(size)
    for number in range(families):
        rows += _family(number)
    return table_of(rows)


def _resolved(town: pa.Table, entity: Entity = PERSON) -> Resolution:
    return resolve(town.drop_columns(["truth"]), entity, with_links=False)


def _merged(found: Resolution) -> set[str]:
    """The stories whose two people became one."""
    entity = dict(
        zip(
            found.assignments["record_id"].to_pylist(),
            found.assignments["entity"].to_pylist(),
            strict=True,
        )
    )
    by_story: dict[str, list[str]] = {}
    for name, group in entity.items():
        story, _, who = name.rpartition("-")
        if who in ("father", "son", "wife", "husband", "one", "other"):
            by_story.setdefault(story, []).append(group)
    return {story.partition("-")[0] for story, groups in by_story.items() if len(set(groups)) == 1}


@pytest.mark.parametrize(("size", "families"), [(40, 1), (200, 1), (200, 8), (900, 2)])
def test_relatives_stay_apart(size: int, families: int) -> None:
    """Households, twins, siblings, couples with one mailbox, and fathers and sons of one name stay
    apart, in a small town and a larger one, be families rare or frequent."""
    assert _merged(_resolved(_town(size, families))) == set()


def test_people_are_still_found() -> None:
    """Keeping relatives apart does not tear people apart."""
    town = _town(200, 8)
    entity = dict(
        zip(
            _resolved(town).assignments["record_id"].to_pylist(),
            _resolved(town).assignments["entity"].to_pylist(),
            strict=True,
        )
    )
    groups: dict[str, set[str]] = {}
    for row in town.to_pylist():
        groups.setdefault(row["truth"], set()).add(entity[row["record_id"]])
    torn = [person for person, found in groups.items() if len(found) > 1]
    assert len(torn) <= 0.02 * len(groups)


def test_without_the_kind_of_households_relatives_merge() -> None:
    """It is the kinds of relatives that keep them apart."""
    alone = replace(
        PERSON,
        others=tuple(
            kind
            for kind in PERSON.others
            if kind.name not in ("one household", "parent and child of one name")
        ),
    )
    assert {"one_mailbox", "twins"} <= _merged(_resolved(_town(200, 1), alone))


def test_unbounded_errors_merge_fathers_and_sons() -> None:
    """How often a birth date is wrong is bounded by how often last names are: without that bound,
    relatives teach the model that first names and birth dates are often wrong."""
    free = replace(PERSON, comparisons=tuple(replace(c, errs_as="") for c in PERSON.comparisons))
    assert "father_and_son" in _merged(_resolved(_town(200, 8), free))


def test_a_suffix_tells_father_from_son() -> None:
    """Sr. and Jr. of one name, landline and address stay two; without the suffix they are one."""
    home = {"phone": "+493012345678", "street": "Namensallee 3", "postcode": "10999"}
    rows = people(200)
    for who, suffix in (("father", "Sr."), ("son", "Jr.")):
        name = f"senior-0-{who}"
        rows.append(record(name, name, first_name="Otto", last_name=f"Namensmann {suffix}", **home))
    town = table_of(rows)
    assert _merged(_resolved(town)) == set()
    levels = (Level("same", "true", 0.99), Level("different", "ELSE", 0.01))
    blind = replace(
        PERSON,
        comparisons=tuple(
            replace(c, levels=levels, distinct=False) if c.field == "suffix" else c
            for c in PERSON.comparisons
        ),
        rules=tuple(
            replace(rule, unless=tuple(name for name in rule.unless if name != "suffix"))
            for rule in PERSON.rules
        ),
    )
    assert _merged(_resolved(town, blind)) == {"senior"}


@pytest.mark.parametrize(
    ("written", "entities"),
    [
        (("Smith Sr.", "Smith Jr"), 2),
        (("Smith Senior", "Smith Junior"), 2),
        (("Smith Senior", "Smith Sr."), 1),
        (("Smith, II", "Smith III"), 2),
        (("Smith Jr.", "Smith II"), 1),
        (("Smith Jr.", "Smith"), 1),
        (("Smith", "Smith"), 1),
    ],
)
def test_a_suffix_that_is_not_written_says_nothing(written: tuple[str, str], entities: int) -> None:
    """For people whose shop knows them without it: only two suffixes that differ part them."""
    rows = people(40)
    for place, last in enumerate(written):
        rows.append(
            record(f"crm:a:{place}", "", first_name="Harold", last_name=last, phone="+442079460958")
        )
    held = pa.table(
        {
            "record_id": ["crm:a:0", "crm:a:1"],
            "identifier_type": ["loyalty_id"] * 2,
            "identifier_value": ["L1"] * 2,
        }
    )
    found = resolve(
        table_of(rows).drop_columns(["truth"]), PERSON, identifiers=held, with_links=False
    ).assignments.to_pylist()
    assert (
        len({row["entity"] for row in found if row["record_id"].startswith("crm:a:")}) == entities
    )


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        ("Harold", "Smith Junior", ("harold", "smith", "2")),
        ("Harold II", "Smith", ("harold", "smith", "2")),
        ("Harold Sr", "Smith Jr", ("harold", "smith", "2")),
        ("Junior", "Silva", ("junior", "silva", None)),
        ("Harold", "Junior", ("harold", "junior", None)),
    ],
)
def test_where_a_suffix_may_stand(
    first: str, last: str, found: tuple[str, str, str | None]
) -> None:
    """Behind either name, written out or not; a whole name is none."""
    with records.connect() as con:
        row = table_of([record("crm:a:1", "", first_name=first, last_name=last)])
        records.prepare(con, row, PERSON, load_reference())
        assert con.execute("select given, family, suffix from prepared").fetchall() == [found]


def test_dirty_data_may_err_more() -> None:
    """Where last names are often wrong, birth dates may be too: the bound follows the data."""
    comparison = next(c for c in PERSON.comparisons if c.field == "birth")
    fields = ["family", "birth"]
    birth = np.array([0.08, 0.05, 0.02, 0.05, 0.8])

    def bounded(wrong: float) -> float:
        family = np.array([wrong, 0.02, 0.03, 0.1, 0.85 - wrong])
        return float(learning.errs_as(comparison, birth, [family, birth], fields)[0])

    assert bounded(0.01) == pytest.approx(comparison.least_errors)
    assert bounded(0.01) < bounded(0.05) < bounded(0.15) <= 0.08


def test_filled_in_values_say_nothing() -> None:
    """A date that a system fills in, and a placeholder in a name, link nobody and part nobody."""
    rows = people(150)
    same = {"last_name": "Platzhalter", "email": "uta.platzhalter@mail3.org"}
    rows.append(record("p-1", "p", first_name="Uta", birth_date="1961-05-17", **same))
    rows.append(record("p-2", "p", first_name="unknown", birth_date="1970-01-01", **same))
    crowd = [
        record(f"c-{i}", f"c{i}", first_name=GIVEN[i % 20], last_name=f"Menge{i}x",
               birth_date="1988-08-08")
        for i in range(60)
    ]  # fmt: skip
    found = _resolved(table_of(rows + crowd))
    entity = {row["record_id"]: row["entity"] for row in found.assignments.to_pylist()}
    assert entity["p-1"] == entity["p-2"]
    junk = {(row["identifier_type"], row["identifier_value"]) for row in found.junk.to_pylist()}
    assert {("birth_date", "19700101"), ("first_name", "unknown")} <= junk
    assert ("birth_date", "19880808") in junk
    assert ("birth_date", "19610517") not in junk
