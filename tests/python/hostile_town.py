"""A small sample whose every table holds hostile rows, among ordinary ones.

Of each table, and for each text of hostile_values.HOSTILE, two rows are added: one whose key is
ordinary and whose every other value is the text, and one whose key is the text and whose other
values are those of an ordinary row. A megabyte stands in a few columns and in one key. Of each
table, a row has a text in every column, its key apart, that is longer than an index of Postgres
takes; one has such a text as key, and one the longest key there may be, in letters of four bytes.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

import duckdb

from hostile_values import HOSTILE, LONG, WITH_NUL

# Table -> its columns that a megabyte is put into.
LONG_COLUMNS = {
    "salesforce/contact": ("first_name", "title", "mailing_street"),
    "stripe/customer": ("name", "description"),
    "zendesk/organization": ("name", "notes"),
    "hubspot/company": ("property_name", "name"),
}
LONG_KEY = "stripe/customer"
_PLANE_TWO = [chr(code) for code in range(0x20000, 0x2A000)]
_letters = random.Random(5)
LONGEST_KEY = "".join(_letters.choices(_PLANE_TWO, k=500))
# It cannot be compressed to less.
TOO_LONG_KEY = "".join(_letters.choices(_PLANE_TWO, k=1_500))


def make_hostile(folder: Path) -> None:
    """Write each Parquet file of a sample folder as CSV, with the hostile rows."""
    for path in sorted(folder.glob("*/*.parquet")):
        if path.parent.name != "truth":
            _add_rows(path)
            path.unlink()


def _add_rows(path: Path) -> None:
    name = f"{path.parent.name}/{path.stem}"
    with duckdb.connect() as connection:
        read = "select cast(columns(*) as text) from read_parquet(?)"
        table = connection.execute(read, [str(path)]).to_arrow_table()
    columns, rows = table.column_names, table.to_pylist()
    added = []
    for number, text in enumerate([*HOSTILE.values(), WITH_NUL]):
        plain = rows[number % len(rows)]
        added.append(dict.fromkeys(columns, text) | {columns[0]: f"hostile-{number}"})
        added.append(plain | {columns[0]: text})
    for column in LONG_COLUMNS.get(name, ()):
        if column in columns:
            added.append(rows[0] | {columns[0]: f"long-{column}", column: LONG})
    added.append(dict.fromkeys(columns, TOO_LONG_KEY) | {columns[0]: "hostile-long"})
    added.append(rows[0] | {columns[0]: TOO_LONG_KEY})
    added.append(rows[0] | {columns[0]: LONGEST_KEY})
    if name == LONG_KEY:
        added.append(rows[0] | {columns[0]: LONG})
    with path.with_suffix(".csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows([*rows, *added])
