"""The review file with what an enemy typed: no spreadsheet runs it, and answers come back whole."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hostile_values import HOSTILE, LONG
from kindred.identity.review_file import FIELDS, IDS, export, read_answers, review_id, take
from kindred.identity.stewardship import read_seed

# The wide forms of = + - @.
WIDE = ("\uff1d", "\uff0b", "\uff0d", "\uff20")
RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", *WIDE)
TEXTS = [*HOSTILE.values(), f"{WIDE[0]}1+1", " ends in a line\n", "\x1f", LONG]


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    """A warehouse whose queue asks of each text, which is a record's id and its every value."""
    database = tmp_path / "hostile.duckdb"
    ids = [f"shop:{side}:{text[:500].strip(' ')}" for text in TEXTS for side in "lr"]
    pairs = list(zip(ids[::2], ids[1::2], strict=True))
    with duckdb.connect(str(database)) as connection:
        fields = ", ".join(f"{name} text" for name in FIELDS["person"])
        connection.execute("create schema kindred; create schema streams")
        connection.execute(f"create table streams.person_records (record_id text, {fields})")
        values: list[list[Any]] = [
            [key, *[TEXTS[n // 2]] * len(FIELDS["person"])] for n, key in enumerate(ids)
        ]
        marks = ", ".join("?" * (1 + len(FIELDS["person"])))
        connection.executemany(f"insert into streams.person_records values ({marks})", values)
        connection.execute(
            "create table kindred.identity_review_queue (priority integer, entity text, "
            "reason text, what_to_decide text, match_weight double, field_weights text, "
            "record_count integer, record_id_l text, record_id_r text, review_id text, "
            f"{IDS['person']}_l text, {IDS['person']}_r text)"
        )
        asked = [
            [n, "person", "bridge", "?", -1.5, None, 2, *pair, review_id("person", *pair), "a", "b"]
            for n, pair in enumerate(pairs)
        ]
        connection.executemany(
            f"insert into kindred.identity_review_queue values ({', '.join('?' * 12)})", asked
        )
    return database


def test_no_cell_is_a_formula_and_answers_come_back_whole(queue: Path, tmp_path: Path) -> None:
    """For stewards: a spreadsheet opens it harmlessly, and each decision names its two records."""
    out, seed = tmp_path / "review.csv", tmp_path / "seed.csv"
    assert export(queue, out, ["person"]).total() == len(TEXTS)
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        cells = {name: cell for name, cell in row.items() if name != "match_weight"}
        assert not [cell for cell in cells.values() if cell.startswith(RUN_BY_SPREADSHEETS)]
        assert max(map(len, cells.values())) < 32_767
        row["decision"] = "different"
        row["note"] = row["last_name_l"]
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
    answers = read_answers(out, "mia")
    taken = take(answers, seed, datetime(2026, 6, 30))
    assert len(taken.written) == len(TEXTS)
    with duckdb.connect(str(queue)) as connection:
        asked = connection.execute(
            "select record_id_l, record_id_r from kindred.identity_review_queue"
        ).fetchall()
    held = {one.pair for one in read_seed(seed)}
    assert {tuple(sorted(pair)) for pair in asked} - held == set()
    assert take(answers, seed, datetime(2026, 6, 30)).known == len(TEXTS)
