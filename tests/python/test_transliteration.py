"""Names of other scripts meet their Latin spelling; what is written stays as it is."""

# Letters that look like Latin ones are the matter of this module.
# ruff: noqa: RUF001

from __future__ import annotations

import pyarrow as pa
import pytest

from identity_town import people, record, table_of
from kindred.identity import records
from kindred.identity.account import ACCOUNT
from kindred.identity.person import PERSON
from kindred.identity.pipeline import resolve
from kindred.identity.reference import load_reference
from kindred.identity.transliteration import in_latin_letters, latin


@pytest.mark.parametrize(
    ("written", "column", "spelled"),
    [
        ("Иванов", "last_name", "ivanov"),
        ("Дмитрий", "first_name", "dmitry"),
        ("Юлия", "first_name", "yuliya"),
        ("Щербаков", "last_name", "shcherbakov"),
        ("Зеленський", "last_name", "zelensky"),
        ("Живковић", "last_name", "zivkovic"),
        ("Γιώργος", "first_name", "giorgos"),
        ("Παπαδόπουλος", "last_name", "papadopoulos"),
        ("Ευάγγελος", "first_name", "evangelos"),
        ("Αϊβαλιώτης", "last_name", "aivaliotis"),
        ("Ντίνος", "first_name", "dinos"),
        ("王小明", "full_name", "xiaoming wang"),
        ("小明", "first_name", "xiaoming"),
        ("김철수", "full_name", "cheolsu kim"),
        ("さくら", "first_name", "sakura"),
        ("გიორგი", "first_name", "giorgi"),
        ("Işık", "last_name", "işik"),
        ("Đặng", "last_name", "dặng"),
        ("ООО Ромашка", "name", "ооо romashka"),
        ("Όμηρος ΑΕ", "name", "omiros αε"),
        ("深圳华为", "name", "深圳华为"),
        ("محمد", "first_name", "محمد"),
        ("Müller-Lüdenscheidt", "last_name", "Müller-Lüdenscheidt"),
        ("Zoë", "first_name", "Zoë"),
    ],
)
def test_a_name_is_spelled_as_abroad(written: str, column: str, spelled: str) -> None:
    """Whoever has the same customer from two countries finds the name spelled as in passports;
    where no spelling is known, and in Latin letters, it stays as it is."""
    assert latin(written, column) == spelled


def test_plain_records_are_not_touched() -> None:
    """Whoever has names in plain letters pays nothing: the very columns are handed back."""
    given = table_of(people(50))
    assert in_latin_letters(given) is given


def test_gaps_and_plain_neighbours_stay() -> None:
    """Only the values with other letters change, wherever they stand in a column."""
    chunks = pa.chunked_array([["Anna", None, "Ольга"], [None, "Ольга", "Zoë"]], pa.string())
    spelled = in_latin_letters(pa.table({"first_name": chunks}))
    assert spelled["first_name"].to_pylist() == ["Anna", None, "olga", None, "olga", "Zoë"]


def test_people_of_two_alphabets_are_found() -> None:
    """Customers written in Cyrillic, Greek or Chinese by one system and in Latin letters by another
    are one, and those of other names on one landline stay apart."""
    told = [
        ("Дмитрий", "Иванов", "Dmitry", "Ivanov", "1981-04-02"),
        ("Γιώργος", "Παπαδόπουλος", "Giorgos", "Papadopoulos", "1975-09-13"),
        ("小明", "王", "Xiaoming", "Wang", "1990-01-22"),
    ]
    rows = people(150)
    for i, (first, last, spelled_first, spelled_last, born) in enumerate(told):
        same = {"phone": f"+4930555000{i}", "birth_date": born}
        rows.append(record(f"own-{i}", f"t{i}", first_name=first, last_name=last, **same))
        rows.append(
            record(f"latin-{i}", f"t{i}", first_name=spelled_first, last_name=spelled_last, **same)
        )
        rows.append(
            record(f"other-{i}", f"o{i}", first_name="Ольга", last_name=last,
                   phone=same["phone"], birth_date="1958-12-01")
        )  # fmt: skip
    given = table_of(rows).drop_columns(["truth"])
    found = resolve(given, PERSON, with_links=False).assignments.to_pylist()
    entity = {row["record_id"]: row["entity"] for row in found}
    for i in range(len(told)):
        assert entity[f"own-{i}"] == entity[f"latin-{i}"] != entity[f"other-{i}"]


def test_companies_of_two_alphabets_have_one_name() -> None:
    """A company's name is compared in Latin letters, without the legal form of either language."""
    names = ["ООО Ромашка", "Romashka LLC", "Όμηρος ΑΕ", "Omiros SA"]
    given = pa.table({"record_id": [str(i) for i in range(4)], "name": names})
    with records.connect() as con:
        records.prepare(con, given, ACCOUNT, load_reference())
        rows = con.execute("select name from prepared order by record_id").fetchall()
    spelled = [row[0] for row in rows]
    assert spelled[0] == spelled[1] == "romashka"
    assert spelled[2] == spelled[3] == "omiros"
