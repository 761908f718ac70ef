"""How the tables of one input differ when they are built on DuckDB and on Postgres."""

from __future__ import annotations

from contextlib import closing

import duckdb
import pyarrow as pa

from kindred.warehouse.postgres_copy import read_query
from postgres_server import PostgresDatabase
from whole_project import WholeProject

# Every run has a name of its own, and hashes of an engine; its outcome is noted by `kindred build`.
OF_THE_RUN = {"run_id", "input_fingerprint", "stages", "outcome"}
# Written by the checks of `kindred build`, which a plain dbt build does not call.
NOT_BY_DBT = {"data_quality_results"}
OURS = ("streams", "consent", "profiles", "kindred", "segments")


def unlike(ours: WholeProject, theirs: PostgresDatabase) -> dict[str, str]:
    """Streams, marts and segments that are not the same on both, and how they differ."""
    relations = ours.query(
        "select table_schema, table_name from information_schema.tables "
        f"where table_schema in {OURS} order by all"
    )
    wrong = {}
    for schema, name in relations:
        relation = f"{schema}.{name}"
        if name in NOT_BY_DBT or relation.startswith("profiles.int_"):
            continue
        found = compared(duckdb_rows(ours, relation), postgres_rows(theirs, relation))
        if found:
            wrong[relation] = found
    return wrong


def duckdb_rows(project: WholeProject, relation: str) -> pa.Table:
    """The rows of a table on DuckDB."""
    with duckdb.connect(str(project.database), read_only=True) as connection:
        return connection.execute(f"from {relation}").to_arrow_table()


def postgres_rows(database: PostgresDatabase, relation: str) -> pa.Table:
    """The rows of a table on Postgres."""
    with closing(database.connect()) as connection:
        return read_query(connection, f"select * from {relation}")


def compared(ours: pa.Table, theirs: pa.Table) -> str:
    """How two tables differ, in columns, types or rows; empty where they do not."""
    kept = [name for name in ours.column_names if name not in OF_THE_RUN]
    types = [str(ours.schema.field(name)) for name in kept]
    others = [str(field) for field in theirs.schema if field.name not in OF_THE_RUN]
    if types != others:
        return f"columns {sorted({*types} ^ {*others}) or 'in another order'}"
    with duckdb.connect() as connection:
        connection.register("ours", ours.select(kept))
        connection.register("theirs", theirs.select(kept))

        def missing(columns: str) -> tuple[int, int]:
            """Rows that only the one and only the other has."""
            found = connection.execute(
                f"""
                select
                    (select count(*) from (
                        select {columns} from ours except all select {columns} from theirs
                    )),
                    (select count(*) from (
                        select {columns} from theirs except all select {columns} from ours
                    ))
                """
            ).fetchall()[0]
            return int(found[0]), int(found[1])

        one, other = missing("*")
        if not one and not other:
            return ""
        unlike = [name for name in kept if any(missing(f'"{name}"'))]
    return f"{one} rows only here, {other} only there, differing in {unlike or 'combinations'}"
