"""A made-up town for tests of matching: people in two or three records each, and traps."""

from __future__ import annotations

import random

import pyarrow as pa

COLUMNS = (
    "record_id", "first_name", "last_name", "email", "phone", "street", "city", "postcode",
    "birth_date", "truth",
)  # fmt: skip
GIVEN = [
    "Anna", "Bruno", "Carla", "Dmitri", "Edith", "Felix", "Gerda", "Hugo", "Irma",
    "Jonas", "Klara", "Ludwig", "Marta", "Nils", "Olga", "Paul", "Quentin", "Rosa",
    "Stefan", "Thea", "Ulrich", "Vera", "Walter", "Xenia", "Yannick", "Zita",
]  # fmt: skip
FAMILY = [
    "Ahorn", "Birke", "Calvet", "Dornfeld", "Eschen", "Fichtel", "Ginster", "Hasel",
    "Immergruen", "Jasmund", "Kiefer", "Linde", "Mahler", "Nussbaum", "Oelmann", "Pappel",
    "Quast", "Rotdorn", "Salwei", "Tanner", "Ulmer", "Vogelbeer", "Weidner", "Zeder",
]  # fmt: skip


def record(record_id: str, truth: str, **values: str | None) -> dict[str, str | None]:
    return {**dict.fromkeys(COLUMNS), "record_id": record_id, "truth": truth, **values}


def people(count: int = 200, seed: int = 7) -> list[dict[str, str | None]]:
    """A town: each person in two or three records, with typos and gaps."""
    rng = random.Random(seed)
    rows = []
    for i in range(count):
        first, last = rng.choice(GIVEN), rng.choice(FAMILY)
        born = f"{rng.randint(1940, 2004)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        base = {
            "first_name": first,
            "last_name": last,
            "email": f"{first}.{last}{rng.randint(1, 99)}@mail{rng.randint(1, 40)}.org".lower(),
            "phone": f"+49{rng.randint(10**9, 10**10 - 1)}",
            "street": f"{rng.choice(FAMILY)}weg {rng.randint(1, 200)}",
            "city": rng.choice(GIVEN) + "stadt",
            "postcode": f"{rng.randint(10000, 99999)}",
            "birth_date": born,
        }
        for copy in range(rng.choice((2, 2, 3))):
            values: dict[str, str | None] = dict(base)
            if copy:
                for gap in rng.sample(("email", "phone", "street", "birth_date"), 2):
                    values[gap] = None
                if rng.random() < 0.3:
                    values["last_name"] = last[:2] + last[3:]
            rows.append(record(f"r{i}-{copy}", f"p{i}", **values))
    return rows


TRAPS = [
    # Father and son of one name under one roof; the father has moved none of his records.
    record("father-1", "father", first_name="Otto", last_name="Brandt", phone="+49301234567",
         street="Am Markt 3", city="Köln", postcode="50667", birth_date="1950-02-11"),
    record("father-2", "father", first_name="Otto", last_name="Brandt", phone="+49301234567",
         street="Am Markt 3", city="Köln", postcode="50667", birth_date="1950-02-11",
         email="ob1950@mail1.org"),
    record("son-1", "son", first_name="Otto", last_name="Brandt", phone="+49301234567",
         street="Am Markt 3", city="Köln", postcode="50667", birth_date="1981-10-25"),
    record("son-2", "son", first_name="Otto", last_name="Brandt",
         street="Am Markt 3", city="Köln", postcode="50667", birth_date="1981-10-25",
         email="kaiser.turm@mail2.org"),
    # A couple that shares the landline, the address and the mailbox.
    record("wife", "wife", first_name="Beate", last_name="Falk", phone="+49407654321",
         street="Hafen 8", city="Hamburg", postcode="20457", email="familie.falk@mail3.org"),
    record("husband", "husband", first_name="Georg", last_name="Falk", phone="+49407654321",
         street="Hafen 8", city="Hamburg", postcode="20457", email="familie.falk@mail3.org"),
    # A nickname, and a record that holds nothing but an email.
    record("full", "robert", first_name="Robert", last_name="Quandt", email="rq@mail4.org",
         birth_date="1970-07-07"),
    record("nick", "robert", first_name="Bob", last_name="Quandt", email="rq@mail4.org"),
    record("bare", "robert", email="rq@mail4.org"),
]  # fmt: skip


def table_of(rows: list[dict[str, str | None]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=pa.schema([(c, pa.string()) for c in COLUMNS]))
