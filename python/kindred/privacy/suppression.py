"""Keep the rows of suppressed people out, by comparing keyed hashes in process.

A suppression is a keyed hash (HMAC-SHA256, RFC 2104) of `type:value`. The key comes from the
environment and the plain identifiers stay in this process: neither reaches SQL, a log or a file.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa

from kindred.errors import KindredError

KEY_VARIABLE = "KINDRED_PRIVACY_KEY"
KEY_FILE_VARIABLE = "KINDRED_PRIVACY_KEY_FILE"
# The type of the row that tells which key a list of suppressions was made with.
KEY_CHECK = "key_check"
DEFAULT_KEY_FILE = Path(".kindred/privacy.key")

SUPPRESSED_ROWS = pa.schema(
    [
        ("source", pa.string()),
        ("source_table", pa.string()),
        ("row_key", pa.string()),
        ("row_count", pa.int64()),
    ]
)


def privacy_key() -> bytes | None:
    """The secret key: KINDRED_PRIVACY_KEY, else the file KINDRED_PRIVACY_KEY_FILE names, else None.

    Without either variable the file `.kindred/privacy.key` of the working directory is read.
    """
    given = os.environ.get(KEY_VARIABLE)
    if given:
        return given.encode()
    file = Path(os.environ.get(KEY_FILE_VARIABLE) or DEFAULT_KEY_FILE)
    if file.is_file():
        return file.read_text(encoding="utf-8").strip().encode() or None
    return None


def identifier_hash(key: bytes, identifier_type: str, value: str) -> str:
    """HMAC-SHA256 of `type:value` as 64 lower-case hexadecimal digits."""
    return hmac.new(key, f"{identifier_type}:{value}".encode(), hashlib.sha256).hexdigest()


def key_check(key: bytes) -> str:
    """What tells this key from others, kept in the list of suppressions as type KEY_CHECK."""
    return identifier_hash(key, KEY_CHECK, "kindred")


def suppressed_rows(
    candidates: Callable[[], duckdb.DuckDBPyRelation], suppressions: duckdb.DuckDBPyRelation
) -> pa.Table:
    """The keys of raw rows that name a suppressed identifier.

    Parameters
    ----------
    candidates: fetches source, source_table, row_key, identifiers (one `type:value` a line): all
        rows that name somebody, asked for only where anybody is suppressed.
    suppressions: identifier_type, identifier_hash.

    Returns
    -------
    source, source_table, row_key, row_count, ordered by the first three.

    Raises
    ------
    KindredError where there are suppressions and no key, or another key than they were made with:
    nothing is staged then.
    """
    listed = set(suppressions.project("identifier_type, identifier_hash").fetchall())
    checks = {row[1] for row in listed if row[0] == KEY_CHECK}
    hashes = {row[1] for row in listed if row[0] != KEY_CHECK}
    if not hashes:
        return SUPPRESSED_ROWS.empty_table()
    key = privacy_key()
    if key is None:
        raise KindredError(
            f"{len(hashes)} identifiers are suppressed, but the privacy key is not set.",
            f"Set {KEY_VARIABLE} (or {KEY_FILE_VARIABLE}) to the key they were made with.",
        )
    if checks and key_check(key) not in checks:
        raise KindredError(
            "The privacy key is not the one that the suppressions were made with.",
            f"Set {KEY_VARIABLE} to that key: with another one, suppressed people would come back.",
        )
    rows = candidates().to_arrow_table()
    with duckdb.connect() as connection:
        connection.register("candidates", rows)
        named = connection.sql(
            """
            select source, source_table, row_key, unnest(string_split(identifiers, chr(10))) as name
            from candidates
            """
        )
        names = named.select("name").distinct().order("name").to_arrow_table()["name"].to_pylist()
        hits = [
            name
            for name in names
            if name and hmac.new(key, name.encode(), hashlib.sha256).hexdigest() in hashes
        ]
        connection.register("hits", pa.table({"name": pa.array(hits, pa.string())}))
        named.create("named")
        found = connection.sql(
            """
            with keys as (
                select distinct source, source_table, row_key
                from named
                where name in (select name from hits)
            )
            select source, source_table, row_key, count(*) as row_count
            from candidates
            inner join keys using (source, source_table, row_key)
            group by source, source_table, row_key
            order by source, source_table, row_key
            """
        ).to_arrow_table()
    return found.cast(SUPPRESSED_ROWS)
