"""Macros against texts nobody thought of: none fails, both engines agree, cleaning is done once.

The texts come from a seeded source (hostile_values.odd_text) and from values that are nearly right:
emails, phones, dates and numbers with a part changed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from psycopg2.extras import execute_values

from hostile_values import HOSTILE, LONG, odd_text
from macro_queries import EXPRESSIONS
from postgres_server import PostgresDatabase

# These cast what they are given, and are given nothing but numbers and moments.
PLAIN = {"as_of", "add_days", "days_between", "rounded_quotient", "safe_divide"}
# What is clean stays as it is when it is cleaned again.
IDEMPOTENT = (
    "to_text", "to_name", "to_email", "to_phone_at_home", "to_country_code", "to_number",
    "integer_of", "to_amount", "to_boolean", "to_postcode", "to_domain", "strip_accents",
    "trimmed", "to_date", "to_timestamp", "to_birth_date",
)  # fmt: skip
# Texts that each take the engines a while.
LONG_TEXTS = (LONG, "x" * 1_000_000, "1" * 1_000_000, " " * 1_000_000, "a@" * 300_000,
              "[" * 50_000, '{"user_id": ' * 20_000, "van der " * 100_000)  # fmt: skip
NEARLY = (
    "ann.lee+news@mail.example.co.uk", "mailto:o'brien@example.com", "+49 (0)30 901820",
    "0049 30/901820 ext. 5", "(212) 555-0123", "2026-02-28T12:00:00+01:00", "2024-02-29",
    "2026-06-30 23:59:59.999999Z", "1767355200123", "19800304", "-1,234.56", "$ 1e3", "12.0",
    "https://user@www.Example.com:80/x?y#z", "Dr. Ann van der Berg", "Lee, Ann", "sw1a  1aa",
    "Deutschland", "United States", "GBR", "yes", "FALSE", "1.0", '{"user_id": "x", "a": [1]}',
    "9999999999999999.994", "-0.005", "1e-30", "0.125", "null", "N/A", "O'Brien",
    "2026-06-30 12:00:00", "2026-06-30 12:00:00.5", "2026-12-31 12:00:00-05", "1.2e-10",
    "2026-06-30T12:00:00.123Z", "2026-06-30T12:00:00Z", "1767355200.123456",
)  # fmt: skip


# Where the engines' own functions read a text in two ways, and why it does not matter.
TOLD_APART = {
    # Only names of countries are read without accents, and they have none of these.
    "strip_accents": re.compile("[^\x00-\u024f\u0300-\u036f]"),
}


def odd_values(seed: int, count: int) -> list[str | None]:
    """Hostile texts, then `count` random ones: mischief, and values that are nearly right."""
    rng = random.Random(seed)
    found: list[str | None] = [None, "", *HOSTILE.values(), *NEARLY]
    for _ in range(count // 2):
        found.append(odd_text(rng, rng.choice((1, 2, 6))))
        found.append(changed(rng, rng.choice(NEARLY)))
    return found


def changed(rng: random.Random, text: str) -> str:
    """The text with one to three of its characters cut out, doubled or replaced."""
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(text) + 1)
        other = rng.choice(
            ("", odd_text(rng, 1), rng.choice("0123456789"), text[place : place + 2])
        )
        text = text[:place] + other + text[place + rng.randint(0, 2) :]
    return text


def fill(ours: duckdb.DuckDBPyConnection, theirs: Any, values: list[str | None]) -> None:
    """The table `given` of both: each value with and without a country beside it."""
    pairs = [(n, value, "US" if n % 2 else None) for n, value in enumerate(values)]
    columns = list(zip(*pairs, strict=True))
    table = pa.table(
        [pa.array(columns[0], pa.int32()), *(pa.array(c, pa.string()) for c in columns[1:])],
        names=["place", "a", "b"],
    )
    ours.register("values_given", table)
    ours.execute("create or replace table given as select * from values_given")
    ours.unregister("values_given")
    with theirs.cursor() as cursor:
        cursor.execute(
            "drop table if exists given; create temporary table given "
            "(place integer, a text, b text)"
        )
        execute_values(cursor, "insert into given values %s", pairs)


@dataclass(frozen=True)
class Both:
    """A connection to each engine, and the queries as compiled for it."""

    ours: duckdb.DuckDBPyConnection
    theirs: Any
    our_queries: Path
    their_queries: Path

    def on_duckdb(self, name: str) -> list[Any]:
        """What the macro makes of the values given, in their order."""
        sql = (self.our_queries / "compiled/kindred/analyses" / f"{name}.sql").read_text()
        return [row[0] for row in self.ours.execute(sql).fetchall()]

    def on_postgres(self, name: str) -> list[Any]:
        """The same on Postgres."""
        sql = (self.their_queries / "compiled/kindred/analyses" / f"{name}.sql").read_text()
        with self.theirs.cursor() as cursor:
            cursor.execute(sql)
            return [row[0] for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def both(macros_project: Path, asked_postgres: tuple[Path, PostgresDatabase]) -> Iterator[Both]:
    target, database = asked_postgres
    with closing(database.connect()) as theirs, duckdb.connect() as ours:
        ours.execute("set TimeZone = 'UTC'")
        yield Both(ours, theirs, macros_project / "target", target)


def unlike(both: Both, name: str, values: list[str | None]) -> list[tuple[Any, Any, Any]]:
    """Values of which the engines do not make the same."""
    found = zip(values, both.on_duckdb(name), both.on_postgres(name), strict=True)
    allowed = TOLD_APART.get(name)
    return [
        (value, one, other)
        for value, one, other in found
        if one != other and not (allowed and allowed.search(str(value)))
    ]


def check_agreement(both: Both, values: list[str | None]) -> None:
    fill(both.ours, both.theirs, values)
    wrong = {}
    for name in sorted(set(EXPRESSIONS) - PLAIN):
        found = unlike(both, name, values)
        if found:
            wrong[name] = found[:5]
    assert wrong == {}


def check_once(both: Both, values: list[str | None]) -> None:
    wrong = {}
    for name in IDEMPOTENT:
        fill(both.ours, both.theirs, values)
        first = both.on_duckdb(name)
        cleaned = [None if value is None else str(value) for value in first]
        fill(both.ours, both.theirs, cleaned)
        found = zip(cleaned, first, both.on_duckdb(name), strict=True)
        again = [told for told in found if told[1] != told[2]]
        if again:
            wrong[name] = again[:5]
    assert wrong == {}


def test_engines_agree_on_texts_nobody_thought_of(both: Both) -> None:
    """Whatever a column holds, no macro fails, and both engines make the same of it."""
    check_agreement(both, odd_values(1, 1_500))


def test_cleaning_a_second_time_changes_nothing(both: Both) -> None:
    """What a macro has cleaned is clean: a value that comes back in stays what it was."""
    check_once(both, odd_values(2, 1_500))


def test_very_long_texts_are_read_in_bounded_time(both: Both) -> None:
    """A megabyte in any column fails no macro, and both engines still agree."""
    both.theirs.rollback()
    with both.theirs.cursor() as cursor:
        cursor.execute("set statement_timeout = '60s'")
    check_agreement(both, list(LONG_TEXTS))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_engines_agree_on_many_texts(both: Both, seed: int) -> None:
    """The same, for longer."""
    values = odd_values(seed, 40_000)
    check_agreement(both, values)
    check_once(both, values)
