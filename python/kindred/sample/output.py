"""Where the sample goes: one Parquet file a table, and the truth beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kindred.sample.arrays import Array, Rng, Text, cat, chance, digits
from kindred.sample.people import AS_OF, DAY
from kindred.sample.schema import SCHEMAS

SYNCED = ("_fivetran_synced", "received_at", "loaded_at")


class Output:
    """The files of one sample; tables may be added in several parts."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.rows: dict[str, int] = {}
        self.persons: list[tuple[Text, Text]] = []
        self.companies: list[tuple[Text, Text]] = []
        self._writers: dict[tuple[str, str], Any] = {}

    def add(self, source: str, table: str, columns: dict[str, Any], rng: Rng) -> None:
        """Write rows to `source`.`table`, with the mess of a real load.

        A few rows come twice (the same key with a later load time) and a few have lost their key.
        Columns that are not given are null.
        """
        schema = SCHEMAS[source, table]
        unknown = set(columns) - set(schema.names)
        if unknown:
            raise ValueError(f"{source}.{table} has no column {sorted(unknown)}")
        size = max(len(v) for v in columns.values() if not isinstance(v, str | int | float))
        if size:
            arrays = [_column(columns.get(f.name), f.type, size) for f in schema]
            rows = pa.Table.from_arrays(arrays, schema=schema)
            self._write(source, table, _messed(rows, rng))
        else:
            self._write(source, table, schema.empty_table())

    def _write(self, source: str, table: str, rows: Any) -> None:
        writer = self._writers.get((source, table))
        if writer is None:
            path = self.directory / source / f"{table}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = pq.ParquetWriter(path, rows.schema, compression="zstd", store_schema=False)
            self._writers[source, table] = writer
        writer.write_table(rows)
        name = f"{source}.{table}"
        self.rows[name] = self.rows.get(name, 0) + rows.num_rows

    def know_persons(self, prefix: str, ids: Any, person: Array | Text) -> None:
        """Record the true person of each record; a negative person is somebody of his own."""
        self.persons.append(_truth(prefix, ids, person, "person-"))

    def know_companies(self, prefix: str, ids: Any, company: Array) -> None:
        """Record the true company of each record."""
        self.companies.append(_truth(prefix, ids, company, "company-"))

    def close(self, facts: dict[str, Any]) -> None:
        """Finish all files, write the truth and sample.json."""
        for writer in self._writers.values():
            writer.close()
        truth = self.directory / "truth"
        truth.mkdir(parents=True, exist_ok=True)
        for name, key, pairs in (
            ("persons", "person_id", self.persons),
            ("companies", "company_id", self.companies),
        ):
            table = pa.table(
                {
                    "record_id": pa.chunked_array([p[0] for p in pairs]),
                    key: pa.chunked_array([p[1] for p in pairs]),
                }
            )
            pq.write_table(table, truth / f"{name}.parquet", compression="zstd")
            self.rows[f"truth.{name}"] = table.num_rows
        body = {**facts, "rows": dict(sorted(self.rows.items()))}
        (self.directory / "sample.json").write_text(json.dumps(body, indent=2) + "\n", "utf-8")


def parts(size: int, rows: int = 60_000) -> Iterator[Array]:
    """The indices 0..size-1 in runs of at most `rows`, so that no table is ever whole in memory."""
    for start in range(0, max(size, 1), rows):
        yield np.arange(start, min(start + rows, size))


def loaded(moments: Array, rng: Rng) -> Array:
    """When a row changed at `moments` was loaded: within six hours, never after the last load."""
    return np.minimum(moments + rng.integers(60, 6 * 3600, len(moments)), AS_OF)


def _truth(prefix: str, ids: Any, entity: Array | Text, kind: str) -> tuple[Text, Text]:
    keys = ids.cast(pa.string()) if isinstance(ids, pa.Array) else digits(ids)
    record = cat(prefix, ":", keys)
    if isinstance(entity, pa.Array):
        return record, entity
    return record, pc.if_else(pa.array(entity < 0), cat(kind, record), cat(kind, digits(entity)))


def _column(values: Any, kind: Any, size: int) -> Any:
    if values is None or isinstance(values, str | bool | int | float):
        return pa.repeat(pa.scalar(values, kind), size)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values if values.type == kind else values.cast(kind)
    if pa.types.is_timestamp(kind):
        return pa.array(values * 1_000_000, mask=values < 0).cast(kind)
    if pa.types.is_date32(kind):
        return pa.array((values // DAY).astype(np.int32), mask=values < 0).cast(kind)
    if pa.types.is_int64(kind):
        return pa.array(values.astype(np.int64), mask=values < 0)
    if pa.types.is_floating(kind):
        return pa.array(values.astype(float), from_pandas=True)
    return pa.array(values, type=kind)


def _messed(rows: Any, rng: Rng) -> Any:
    size = rows.num_rows
    key = rows.schema.names[0]
    synced = next(name for name in SYNCED if name in rows.schema.names)
    again = np.flatnonzero(chance(rng, size, 0.004))
    if not len(again):
        again = rng.integers(0, size, 1)
    later = rows.take(pa.array(again))
    at = pc.add(later[synced], pa.scalar(3_600_000_000, pa.duration("us")))
    place = rows.schema.get_field_index(synced)
    later = later.set_column(place, rows.schema.field(place), at)
    lost = rows.take(pa.array(rng.integers(0, size, max(1, size // 4000) if size > 20 else 0)))
    lost = lost.set_column(
        0, rows.schema.field(0), pa.nulls(lost.num_rows, rows.schema.field(key).type)
    )
    return pa.concat_tables([rows, later, lost]).combine_chunks()
