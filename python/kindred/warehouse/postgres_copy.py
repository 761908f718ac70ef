"""Move tables between Postgres and Arrow by COPY, which is the fastest way in and out.

Both ways speak CSV: Postgres quotes an empty text and leaves a null bare, and so does Arrow, so
that the two never become one. Types go by the table on the next lines; what it does not name (json,
uuid, arrays) arrives as text.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import csv

from kindred.errors import KindredError
from kindred.warehouse.database import quoted

if TYPE_CHECKING:
    from psycopg2 import extensions

# Object ids of Postgres's own types never change (pg_type.dat).
_NUMERIC, _BYTEA = 1700, 17
_ARROW_OF = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    25: pa.string(),
    1043: pa.string(),
    700: pa.float32(),
    701: pa.float64(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
}
_MOST_DIGITS = 38
_ROWS_A_BATCH = 20_000
# A row must fit in one block of the reader.
_BLOCK = 256 * 1024 * 1024


def read_query(connection: extensions.connection, query: str) -> pa.Table:
    """The rows of a query as an Arrow table; runs in the connection's own transaction.

    A number without declared digits comes as double precision, a moment with time zone in UTC.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"select * from ({query}) as given limit 0")  # noqa: S608 - caller's own SQL
        fields = [_read_as(column) for column in cursor.description or ()]
        selected = ", ".join(expression for expression, _ in fields)
        buffer = io.BytesIO()
        rows = f"select {selected} from ({query}) as given"  # noqa: S608 - caller's own SQL
        cursor.copy_expert(f"copy ({rows}) to stdout (format csv)", buffer)
    schema = pa.schema([field for _, field in fields])
    return _parsed(buffer, schema)


def _read_as(column: Any) -> tuple[str, pa.Field]:
    """How a column is selected for COPY, and the Arrow field it becomes."""
    name = quoted("given", column.name)
    kind = column.type_code
    if kind == _NUMERIC:
        digits, scale = column.precision, column.scale
        if digits is None or scale is None or not 0 <= scale <= digits <= _MOST_DIGITS:
            return f"cast({name} as double precision)", pa.field(column.name, pa.float64())
        return name, pa.field(column.name, pa.decimal128(digits, scale))
    if kind == _BYTEA:
        return f"encode({name}, 'hex')", pa.field(column.name, pa.binary())
    if kind == 1184:
        in_utc = f"({name} at time zone 'UTC')"
        return in_utc, pa.field(column.name, pa.timestamp("us"))
    if kind in _ARROW_OF:
        return name, pa.field(column.name, _ARROW_OF[kind])
    return f"cast({name} as text)", pa.field(column.name, pa.string())


def _parsed(buffer: io.BytesIO, schema: pa.Schema) -> pa.Table:
    if buffer.tell() == 0:
        return schema.empty_table()
    buffer.seek(0)
    # Names may occur twice in a query, so columns are read by place.
    places = [str(place) for place in range(len(schema))]
    binary = {
        place for place, field in zip(places, schema, strict=True) if field.type == pa.binary()
    }
    types = {
        place: pa.string() if place in binary else field.type
        for place, field in zip(places, schema, strict=True)
    }
    table = csv.read_csv(
        buffer,
        csv.ReadOptions(column_names=places, block_size=_BLOCK),
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    columns = [
        _from_hex(table[place]) if place in binary else table[place] for place in table.column_names
    ]
    return pa.table(columns, schema=schema)


def _from_hex(column: pa.ChunkedArray) -> pa.Array:
    values = [None if text is None else bytes.fromhex(text) for text in column.to_pylist()]
    return pa.array(values, pa.binary())


def column_type(field: pa.Field) -> str:
    """The Postgres type that holds an Arrow field; KindredError for lists and structures."""
    kind = field.type
    types = pa.types
    if types.is_dictionary(kind):
        return column_type(field.with_type(kind.value_type))
    if types.is_decimal(kind):
        return f"numeric({kind.precision}, {kind.scale})"
    if types.is_timestamp(kind):
        return "timestamp" if kind.tz is None else "timestamptz"
    known = (
        (types.is_boolean, "boolean"),
        (types.is_int8, "smallint"),
        (types.is_int16, "smallint"),
        (types.is_uint8, "smallint"),
        (types.is_int32, "integer"),
        (types.is_uint16, "integer"),
        (types.is_uint64, "numeric(20, 0)"),
        (types.is_integer, "bigint"),
        (types.is_floating, "double precision"),
        (types.is_date, "date"),
        (types.is_string, "text"),
        (types.is_large_string, "text"),
        (types.is_string_view, "text"),
        (types.is_null, "text"),
        (types.is_binary, "bytea"),
        (types.is_large_binary, "bytea"),
        (types.is_binary_view, "bytea"),
    )
    for is_kind, name in known:
        if is_kind(kind):
            return name
    raise KindredError(
        f"The column '{field.name}' has the type {kind}, which a table in Postgres cannot take.",
        "return plain columns: text, numbers, booleans, dates, moments or bytes.",
    )


def create_table(
    connection: extensions.connection,
    relation: str,
    schema: pa.Schema,
    *,
    is_unlogged: bool = False,
) -> None:
    """Create the table `relation` (a quoted name) with the columns of an Arrow schema."""
    columns = ", ".join(f"{quoted(field.name)} {column_type(field)}" for field in schema)
    unlogged = "unlogged " if is_unlogged else ""
    with connection.cursor() as cursor:
        cursor.execute(f"create {unlogged}table {relation} ({columns})")


def write_rows(
    connection: extensions.connection, relation: str, batches: pa.RecordBatchReader | pa.Table
) -> int:
    """Append rows to the table `relation` (a quoted name) by COPY; returns how many.

    Column names are taken from the rows. Raises KindredError where a text holds the character
    with code 0, which Postgres cannot store.
    """
    names = ", ".join(quoted(field.name) for field in batches.schema)
    with connection.cursor() as cursor:
        stream = _CsvStream(_csv_parts(batches))
        cursor.copy_expert(f"copy {relation} ({names}) from stdin (format csv)", stream)
        return int(cursor.rowcount)


def _csv_parts(batches: pa.RecordBatchReader | pa.Table) -> Iterator[bytes]:
    parts = (
        batches.to_batches(max_chunksize=_ROWS_A_BATCH)
        if isinstance(batches, pa.Table)
        else batches
    )
    for batch in parts:
        if batch.num_rows == 0:
            continue
        plain = pa.table(
            [_as_written(batch.column(place)) for place in range(batch.num_columns)],
            names=[str(place) for place in range(batch.num_columns)],
        )
        sink = io.BytesIO()
        csv.write_csv(plain, sink, csv.WriteOptions(include_header=False))
        content = sink.getvalue()
        if b"\0" in content:
            raise KindredError(
                "A text holds the character with code 0, which Postgres cannot store.",
                "take it out where the data comes from.",
            )
        yield content


def _as_written(column: pa.Array) -> pa.Array:
    types = pa.types
    kind = column.type
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        values = [None if value is None else "\\x" + value.hex() for value in column.to_pylist()]
        return pa.array(values, pa.string())
    if types.is_dictionary(kind):
        return column.dictionary_decode()
    if types.is_string_view(kind) or types.is_null(kind):
        return column.cast(pa.string())
    return column


class _CsvStream(io.RawIOBase):
    """What COPY reads from: the parts one after the other, without holding them all."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._left:
            part = next(self._parts, None)
            if part is None:
                return b""
            self._left = memoryview(part)
        size = len(self._left) if size < 0 else size
        taken, self._left = self._left[:size], self._left[size:]
        return bytes(taken)
