"""Records that err often: what is one stays one, whichever fields are there to tell."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from identity_town import FAMILY, GIVEN, people, record, table_of
from kindred.identity import metrics, model_files, records, scoring, training
from kindred.identity.entity import Entity
from kindred.identity.mixture import Model, of_fields
from kindred.identity.person import PERSON
from kindred.identity.pipeline import Resolution, resolve
from kindred.identity.reference import load_reference

SOUNDS = ("ba", "do", "fe", "gu", "ka", "le", "mi", "no", "pu", "ra", "si", "to", "wa", "ze")


def _surname(rng: random.Random) -> str:
    return "".join(rng.choice(SOUNDS) for _ in range(3)).title()


def _resolved(town: pa.Table, entity: Entity = PERSON) -> Resolution:
    filled = [c for c in town.column_names if c != "truth" and town[c].null_count < town.num_rows]
    return resolve(town.select(filled), entity, with_links=False)


def _recall(town: pa.Table, found: Resolution) -> float:
    truth = pa.table({"record_id": town["record_id"], "entity": town["truth"]})
    return metrics.bcubed(found.assignments, truth).recall


def _without(field: str, **changed: float) -> Entity:
    return replace(
        PERSON,
        comparisons=tuple(
            replace(c, **changed) if c.field == field else c for c in PERSON.comparisons
        ),
    )


def _wrong_names(share: float) -> pa.Table:
    """People of two or three records with an address and nothing else; that share of first names,
    and of last names, is another's."""
    rng = random.Random(3)
    rows = []
    for i in range(500):
        home = {
            "street": f"{_surname(rng)}weg {rng.randint(1, 200)}",
            "city": f"{_surname(rng)}stadt",
            "postcode": f"{rng.randint(10000, 99999)}",
        }
        first, last = rng.choice(GIVEN), _surname(rng)
        for copy in range(rng.choice((2, 2, 3))):
            rows.append(
                record(
                    f"r{i}-{copy}",
                    f"p{i}",
                    first_name=rng.choice(GIVEN) if copy and rng.random() < share else first,
                    last_name=_surname(rng) if copy and rng.random() < share else last,
                    **home,
                )
            )
    return table_of(rows)


def test_first_names_are_wrong_as_often_as_last_names() -> None:
    """Where last names are another's, which no relative explains, a first name that differs is an
    error too and no household: without a birth date the pair itself cannot tell."""
    town = _wrong_names(0.15)
    assert _recall(town, _resolved(town)) > 0.97
    assert _recall(town, _resolved(town, _without("given", as_wrong=0.0))) < 0.95


def test_households_of_clean_records_stay_apart() -> None:
    """Where last names are right, two first names at one address remain two people."""
    rng = random.Random(4)
    rows = _wrong_names(0.0).to_pylist()
    couples = [row for row in rows if row["record_id"].endswith("-0")][:60]
    for row in couples:
        other = rng.choice([name for name in GIVEN if name != row["first_name"]])
        name = f"spouse-{row['record_id']}"
        rows.append({**row, "record_id": name, "truth": name, "first_name": other})
    found = _resolved(table_of(rows)).assignments.to_pylist()
    entity = {row["record_id"]: row["entity"] for row in found}
    names = [row["record_id"] for row in couples]
    assert not [name for name in names if entity[name] == entity[f"spouse-{name}"]]


def _wrong_dates() -> pa.Table:
    """People of two to four records with a mailbox; a fifth of the birth dates is another's."""
    rng = random.Random(5)

    def born() -> str:
        return f"{rng.randint(1940, 2004)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"

    rows = []
    for i in range(300):
        first, last, date = rng.choice(GIVEN), rng.choice(FAMILY), born()
        mailbox = f"{first[0]}{last}{rng.randint(1, 999)}@{_surname(rng)}.org".lower()
        for copy in range(rng.randint(2, 4)):
            values = {
                "first_name": first,
                "last_name": _surname(rng) if rng.random() < 0.1 else last,
                "email": mailbox,
                "birth_date": born() if rng.random() < 0.2 else date,
            }
            for name in ("first_name", "last_name", "email"):
                if rng.random() < 0.2:
                    values.pop(name)
            rows.append(record(f"r{i}-{copy}", f"p{i}", **values))
    return table_of(rows)


def test_namesakes_share_no_mailbox() -> None:
    """Records of one name and one mailbox whose birth dates differ are one person, whose birth date
    is wrong: namesakes have mailboxes of their own, if often of the same name."""
    town = _wrong_dates()
    free = replace(PERSON, others=tuple(replace(kind, seldom=()) for kind in PERSON.others))
    kept, lost = _recall(town, _resolved(town)), _recall(town, _resolved(town, free))
    assert kept > lost + 0.02


def _model(wrong_names: float) -> Model:
    shipped = model_files.shipped(PERSON)
    assert shipped is not None
    place = shipped.fields.index("family")
    names = shipped.m[place].copy()
    names[1:] *= (1 - wrong_names) / names[1:].sum()
    names[0] = wrong_names
    return replace(shipped, m=(*shipped.m[:place], names, *shipped.m[place + 1 :]))


@pytest.mark.parametrize(("wrong_names", "cut"), [(0.01, -1.0), (0.045, -1.75), (0.2, -2.5)])
def test_records_that_err_are_joined_for_less(wrong_names: float, cut: float) -> None:
    """Whoever holds dirty records gets clusters merged at a lower mean weight; clean ones, in which
    a contradiction means something, are held to the usual one, as are those without last names."""
    model = _model(wrong_names)
    comparisons = tuple(c for c in PERSON.comparisons if c.field in model.fields)
    assert training.cut_of(PERSON, comparisons, model) == pytest.approx(cut)
    nameless = tuple(c for c in comparisons if c.field != "family")
    bare = of_fields(model, tuple(c.field for c in nameless))
    assert training.cut_of(PERSON, nameless, bare) == PERSON.cut


def test_a_run_tells_the_cut_it_used() -> None:
    """A steward who asks why two are one reads the cut of this run, and one that was asked for
    holds whatever the records are like."""
    town = _wrong_names(0.15).drop_columns(["truth"])

    def told(cut: float | None) -> float:
        found = resolve(town, PERSON, cut=cut, with_links=False)
        return float(found.weighed_by["value"][0].as_py())

    assert told(None) == PERSON.cut - PERSON.leniency
    assert told(-0.5) == -0.5
    clean = resolve(table_of(people(100)).drop_columns(["truth"]), PERSON, with_links=False)
    assert clean.weighed_by["value"][0].as_py() == PERSON.cut


@pytest.mark.parametrize(
    ("one", "other", "swapped"),
    [
        (("Hannah", "Newberry"), ("Newberry", "Hannah"), True),
        (("Weberry", "Hannah"), ("Hannah", "Newberry"), True),
        (("Newbery", "Hanna"), ("Hannah", "Newberry"), True),
        (("Hannah", "Newberry"), ("Newberry", "Chelsea"), False),
        (("Hannah", "Martin"), ("Martin", "Walter"), False),
    ],
)
def test_swapped_names_may_hold_a_typo(
    one: tuple[str, str], other: tuple[str, str], swapped: bool
) -> None:
    """A form filled in the wrong way round is not always filled in without a slip; but a person
    whose last name is another's first name is somebody else."""
    rows = [
        record(f"r{i}", "p", first_name=first, last_name=last)
        for i, (first, last) in enumerate((one, other))
    ]
    with records.connect() as con:
        records.prepare(con, table_of(rows), PERSON, load_reference())
        con.execute(
            "create table fields as"
            " select row_number() over (order by record_id) - 1 as n, *"
            f" from ({records.helped(PERSON, 'select * from prepared')})"
        )
        given = next(c for c in PERSON.comparisons if c.field == "given")
        level = int(scoring.Scorer(con, (given,)).compare(np.array([0]), np.array([1]))[0, 0])
    assert ("swapped" in given.levels[len(given.levels) - 1 - level].name) == swapped
