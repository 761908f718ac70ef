"""The two databases of a diff: opened read only, and found to be of this version of Kindred."""

# SQL is put together from names fixed here and from schema names, quoted; never from values.

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from kindred.errors import KindredError
from kindred.identity.diff_changes import FLAGS, Side
from kindred.warehouse.database import connected, literal, quoted

BASE = "diff_base"
CANDIDATE = "diff_candidate"

# What is read of either database: table -> columns.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "customer_source_records": ("record_id", "customer_id"),
    "account_source_records": ("record_id", "account_id"),
    "customer_id_map": ("customer_id", "current_customer_id"),
    "account_id_map": ("account_id", "current_account_id"),
    "customers": ("customer_id", *FLAGS),
    "customer_consents": (
        "customer_id", "purpose", "channel", "contact_point", "status", "is_granted",
    ),
    "segment_members": ("segment_name", "entity", "member_id"),
    "segments": ("segment_name", "entity"),
    "identity_links": (
        "entity", "record_id_l", "record_id_r", "link_type", "rule", "match_weight",
    ),
    "transactions": ("customer_id", "account_id", "currency", "amount", "is_revenue"),
    "run_history": ("generation", "as_of"),
}  # fmt: skip


@contextmanager
def attached(base: Path, candidate: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory to which both files are attached, read only."""
    for path in (base, candidate):
        # Tells a missing file, one that is no database, and one in use, each with its mend.
        with connected(path, read_only=True):
            pass
    with duckdb.connect() as con:
        con.execute("set enable_progress_bar = false; set timezone = 'UTC'")
        con.execute("set preserve_insertion_order = false")
        con.execute(f"attach {literal(str(base))} as {BASE} (read_only)")
        con.execute(f"attach {literal(str(candidate))} as {CANDIDATE} (read_only)")
        yield con


def read_side(con: duckdb.DuckDBPyConnection, catalog: str, name: str, schema: str) -> Side:
    """Find the marts in an attached database and the run that built them.

    Raises KindredError where they are missing, lack a column, or stem from a run that did not end.
    """
    marts = _marts_schema(con, catalog, name, schema)
    have = _columns(con, catalog, marts)
    for table, columns in NEEDED.items():
        lacking = [column for column in columns if column not in have.get(table, ())]
        if lacking:
            what = f"no column {', '.join(lacking)}" if table in have else "no such table"
            raise KindredError(
                f"{name} was built by another version of Kindred: {marts}.{table} has {what}."
                if table in have
                else f"{name} was built by another version of Kindred: it has no {marts}.{table}.",
                "build it again with this version, then compare.",
            )
    runs = con.execute(
        f"select generation, cast(as_of as timestamp) from {quoted(catalog, marts, 'run_history')}"
        " order by generation desc limit 1"
    ).fetchall()
    identity = "identity" if schema == "kindred" else f"{schema}_identity"
    private = _columns(con, catalog, identity)
    if "generation" in private:
        current = con.execute(
            f"select generation, cast(as_of as timestamp)"
            f" from {quoted(catalog, identity, 'generation')}"
        ).fetchall()
        runs = current or runs
    if not runs:
        raise KindredError(f"{name} holds no finished build yet.", "run `kindred build` first.")
    overrides = quoted(catalog, identity, "int_{}_overrides")
    return Side(
        name,
        marts,
        int(runs[0][0]),
        runs[0][1],
        overrides if "int_person_overrides" in private else None,
        is_masked=marts != schema,
    )


def _marts_schema(con: duckdb.DuckDBPyConnection, catalog: str, name: str, schema: str) -> str:
    # In the masked publication the marts lie in `main`.
    for place in (schema, "main"):
        if "customer_source_records" in _columns(con, catalog, place):
            return place
    raise KindredError(
        f"{name} is not a Kindred database: it has no table {schema}.customer_source_records.",
        "name a working database that `kindred build` has built, or a published one.",
    )


def _columns(con: duckdb.DuckDBPyConnection, catalog: str, schema: str) -> dict[str, set[str]]:
    """Columns by table, of the tables (not views: those name other catalogs) of a schema."""
    rows = con.execute(
        "select lower(c.table_name), lower(c.column_name) from duckdb_columns() as c"
        " inner join duckdb_tables() as t on t.table_oid = c.table_oid"
        " and t.database_name = c.database_name"
        " where c.database_name = ? and lower(c.schema_name) = lower(?)",
        [catalog, schema],
    ).fetchall()
    found: dict[str, set[str]] = {}
    for table, column in rows:
        found.setdefault(table, set()).add(column)
    return found
