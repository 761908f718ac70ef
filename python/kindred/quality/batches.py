"""Take from the warehouse what the checks of a batch need, and no more."""

from __future__ import annotations

from typing import Any

from kindred.quality.suites import Batch
from kindred.warehouse.database import (
    Connection,
    arrow_rows,
    columns_of,
    columns_of_query,
    is_postgres,
    quoted,
)

# Expectations that only ask whether a value is there or occurs again: they get a 64-bit
# fingerprint of the value instead of the value, which is faster and holds nothing personal.
_BLIND = frozenset(
    {
        "column_values_to_be_unique",
        "column_values_to_not_be_null",
        "column_values_to_be_null",
        "compound_columns_to_be_unique",
        "column_proportion_of_non_null_values_to_be_between",
    }
)
_FINGERPRINT = {
    "duckdb": "cast(hash({}) >> 1 as bigint)",
    "postgres": "hashtextextended(cast({} as text), 0)",
}
_NUMERIC = ("DECIMAL", "DOUBLE", "FLOAT", "REAL", "HUGEINT", "UBIGINT", "UHUGEINT")


def relation_of(batch: Batch) -> str:
    """SQL of what the batch reads, for a from clause."""
    if batch.query:
        return f"({batch.query.strip()})"
    return quoted(batch.table_schema, batch.table)


def available_columns(connection: Connection, batch: Batch, as_of: str) -> dict[str, str]:
    """Columns of the batch with their types, computed ones included (type empty)."""
    if batch.query:
        columns = columns_of_query(connection, batch.query.replace("{as_of}", as_of))
    else:
        columns = columns_of(connection, batch.table_schema, batch.table)
    return {**columns, **dict.fromkeys(batch.computed, "")}


def read_batch(connection: Connection, batch: Batch, columns: dict[str, str], as_of: str) -> Any:
    """The columns that the batch's checks read, as a pandas frame.

    Text that no check looks into comes as fingerprints, decimals as floats, dates as timestamps.
    """
    import pandas as pd
    import pyarrow as pa

    needed = {name for check in batch.checks for name in check.columns if name in columns}
    looked_into = {
        name for check in batch.checks if check.expectation not in _BLIND for name in check.columns
    }
    fingerprint = _FINGERPRINT["postgres" if is_postgres(connection) else "duckdb"]
    parts = [
        f"{_projected(batch, name, columns[name], name in looked_into, as_of, fingerprint)}"
        f" as {quoted(name)}"
        for name in sorted(needed)
    ]
    # A batch without a column still has its number of rows.
    sql = f"select {', '.join(parts) or '1 as row_mark'} from {relation_of(batch)} as t"  # noqa: S608
    table = arrow_rows(connection, sql.replace("{as_of}", as_of))
    whole = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.int8(): pd.Int8Dtype()}
    return table.to_pandas(types_mapper=whole.get, split_blocks=True, self_destruct=True)


def _projected(
    batch: Batch, name: str, kind: str, is_looked_into: bool, as_of: str, fingerprint: str
) -> str:
    if name in batch.computed:
        return "(" + batch.computed[name].replace("{as_of}", as_of) + ")"
    column = quoted("t", name)
    if kind.startswith(_NUMERIC):
        return f"cast({column} as double precision)"
    if kind == "BOOLEAN":
        return f"cast({column} as integer)"
    if kind == "DATE":
        return f"cast({column} as timestamp)"
    if is_looked_into or kind in {"BIGINT", "INTEGER", "SMALLINT", "TINYINT", "TIMESTAMP"}:
        return column
    return f"case when {column} is not null then {fingerprint.format(column)} end"
