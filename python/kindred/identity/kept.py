"""What a run keeps, so that the next one need not resolve again what nothing new touches.

All of it follows from the records, the settings and the code; it is never wrong, whichever run left
it. Big arrays are packed as they are in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kindred.identity.scoring import Sql

KeyArray = npt.NDArray[np.uint64]
BoolArray = npt.NDArray[np.bool_]

# How it is packed; what was packed otherwise is not read.
FORMAT = "5"
# In place of a component: what each run writes anew, and what it leaves.
WHOLE, SETTLED = 0, -1
# Records in a row of the packed table, and how the kinds of such rows begin.
CHUNK = 100_000
RECORDS = "records "

COMPONENTS = {
    "component": pa.uint64(),
    # Links by rules; pairs that may have to be compared to close it; pairs inside carefully formed
    # clusters, and those of them that disagree; clusters that were held back.
    "strong": pa.int64(),
    "closing": pa.int64(),
    "inside": pa.int64(),
    "disagreeing": pa.int64(),
    "held": pa.int64(),
}
CLUSTERS = {
    "component": pa.uint64(),
    "records": pa.int64(),
    "weakest": pa.float64(),
    "bridges": pa.int64(),
    "weak_bridges": pa.int64(),
}
SAMPLE = {
    "left": pa.uint64(),
    "right": pa.uint64(),
    "code": pa.int64(),
    "named": pa.uint64(),
}
IDENTIFIERS = {"place": pa.int32(), "value": pa.uint64()}


@dataclass(frozen=True)
class Rows:
    """The records of a run.

    told: record_id, source and the columns of `prepared`, before junk was emptied. Of each: row (a
    hash of what was given of it), content (a hash of its match fields), node (a hash of the
    representative it stands under), component, junk (a number whose bits say which rules of the
    entity found a value of it to be junk), live (whether the record is still there).
    """

    told: pa.Table
    row: KeyArray
    content: KeyArray
    node: KeyArray
    component: KeyArray
    junk: npt.NDArray[np.uint8]
    live: BoolArray

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True)
class Kept:
    """settings: what the run was told, as a hash. size: representatives. rules: blocking rules in
    the order asked, with their pairs and whether they are used. totals: by field, how many
    representatives fill it, and how many ordered pairs share its value. model: its digest; choice:
    why this one. every: one in so many candidate pairs is in the sample. strangers: the pairs by
    which the shipped model was checked, by content (columns: SAMPLE, left < right).
    compared: the SQL that Splink compares pairs by."""

    settings: str
    rows: Rows
    shared: pa.Table
    identifiers: pa.Table
    decided_junk: pa.Table
    sample: pa.Table
    strangers: pa.Table
    components: pa.Table
    clusters: pa.Table
    review: pa.Table
    size: int
    candidates: int
    every: int
    first_cut: float
    cut: float
    model: str
    choice: str
    filled: tuple[str, ...]
    crowded: KeyArray
    decisions: tuple[tuple[str, str, str], ...]
    rules: tuple[tuple[tuple[str, ...], int, bool], ...]
    totals: dict[str, tuple[int, int]]
    compared: Sql
    # How many records are in the first part, which is written once; and how many are in the one
    # that is there already: its components, and of the rows of tables that were written with it,
    # which are still there. These stand first in their tables.
    settled: int = 0
    written: int = 0
    settled_component: KeyArray = field(default_factory=lambda: np.empty(0, np.uint64))
    stays: dict[str, BoolArray] = field(default_factory=dict)


_TABLES = ("shared", "decided_junk", "strangers")
# Of these a run changes few rows.
_PARTED = ("sample", "components", "clusters", "review")
# Of a record these never change: another content makes another row.
_LASTING = {"row": "<u8", "content": "<u8", "node": "<u8", "junk": "u1"}
_PLAIN = (
    "settings", "size", "candidates", "every", "first_cut", "cut", "model", "choice", "filled",
    "rules", "totals", "decisions", "settled", "compared",
)  # fmt: skip


def nothing_sampled() -> pa.Table:
    """No pairs, as SAMPLE tells them."""
    return pa.schema(list(SAMPLE.items())).empty_table()


def pack(kept: Kept, is_added: bool = False) -> pa.Table:
    """kind, chunk, settings, packed, component: rows by which the next run reads it back.

    component: WHOLE, or SETTLED for the parts that are written once. is_added: whether those are
    there already.
    """
    plain = {name: getattr(kept, name) for name in _PLAIN}
    told, settled = kept.rows.told, kept.settled
    is_anew = not (is_added and settled == kept.written)
    found: list[tuple[str, int, bytes | memoryview, int]]
    found = [("plain " + FORMAT, 0, json.dumps(plain).encode(), WHOLE)]
    with ThreadPoolExecutor() as beside:
        tables = beside.map(_bytes, [getattr(kept, name) for name in _TABLES])
        found += [
            (name, i, x, WHOLE) for i, (name, x) in enumerate(zip(_TABLES, tables, strict=True), 1)
        ]
    for i, name in enumerate(_PARTED):
        table = getattr(kept, name)
        stays = np.ones(table.num_rows, dtype=bool) if is_anew else kept.stays[name]
        found.append((f"{name} stays", 10 + i, np.packbits(stays).data, WHOLE))
        found.append((f"{name} more", 14 + i, _bytes(table.slice(int(stays.sum()))), WHOLE))
    component = kept.rows.component
    before = component[:settled] if is_anew else kept.settled_component
    moved = np.flatnonzero(component[:settled] != before)
    arrays: dict[str, npt.NDArray[Any]] = {
        "crowded": kept.crowded,
        "live": np.packbits(kept.rows.live),
        "component moved": moved.astype("<i4"),
        "component moved to": component[moved],
        "component more": component[settled:],
    }
    found += [(name, i, x.data, WHOLE) for i, (name, x) in enumerate(arrays.items(), 20)]
    lasting = {name: getattr(kept.rows, name) for name in _LASTING}
    is_settled = kept.identifiers["place"].to_numpy() < settled
    found += [(f"{name} more", i, x[settled:].data, WHOLE)
              for i, (name, x) in enumerate(lasting.items(), 30)]  # fmt: skip
    held = kept.identifiers.filter(pa.array(~is_settled))
    found.append(("identifiers more", 98, _bytes(held), WHOLE))
    found.append(("records more", 99, _bytes(told.slice(settled)), WHOLE))
    if is_anew:
        lasting["component"] = component
        found += [(name, i, x[:settled].data, SETTLED)
                  for i, (name, x) in enumerate(lasting.items(), 40)]  # fmt: skip
        found += [(name, i, _bytes(getattr(kept, name)), SETTLED)
                  for i, name in enumerate(_PARTED, 50)]  # fmt: skip
        held = kept.identifiers.filter(pa.array(is_settled))
        found.append(("identifiers", 97, _bytes(held), SETTLED))
        starts = range(0, settled, CHUNK)
        parts = [told.slice(start, min(CHUNK, settled - start)) for start in starts]
        with ThreadPoolExecutor() as beside:
            for i, (start, part) in enumerate(zip(starts, beside.map(_bytes, parts), strict=True)):
                found.append((f"records {start:09d}", 100 + i, part, SETTLED))
    kinds, chunks, packed, components = zip(*found, strict=True)
    return pa.table(
        {
            "kind": pa.array(kinds, pa.string()),
            "chunk": pa.array(chunks, pa.int64()),
            "settings": pa.array([kept.settings] * len(kinds), pa.string()),
            "packed": pa.array(packed, pa.large_binary()),
            "component": pa.array(components, pa.int64()),
        }
    )


def unpack(table: pa.Table, settings: str) -> Kept | None:
    """Read back what `pack` gave; None where there is nothing, or of other settings."""
    return unpack_side_by_side([table.to_batches()], settings)


def unpack_side_by_side(ways: Sequence[Iterable[pa.RecordBatch]], settings: str) -> Kept | None:
    """The same from batches that come by several ways: what came is unpacked while more comes."""
    with ThreadPoolExecutor() as beside:

        def read(batches: Iterable[pa.RecordBatch]) -> dict[str, pa.Buffer | Future[pa.Table]]:
            parts: dict[str, pa.Buffer | Future[pa.Table]] = {}
            for batch in batches:
                columns = (batch[name] for name in ("kind", "settings", "packed"))
                for kind, told, packed in zip(*columns, strict=True):
                    if told.as_py() == settings:
                        name, buffer = kind.as_py(), packed.as_buffer()
                        is_big = name.startswith(RECORDS)
                        parts[name] = beside.submit(_table, buffer) if is_big else buffer
            return parts

        found: dict[str, Any] = {}
        for parts in beside.map(read, ways):
            found |= parts
        return _put_together(found)


def _put_together(parts: dict[str, Any]) -> Kept | None:
    if "plain " + FORMAT not in parts:
        return None
    packed = parts.__getitem__
    read: dict[str, Any] = json.loads(packed("plain " + FORMAT).to_pybytes())
    arrays: dict[str, Any] = {}
    for name, kind in _LASTING.items():
        both = [np.frombuffer(packed(part), kind) for part in (name, f"{name} more")]
        arrays[name] = np.concatenate(both)
    settled = np.frombuffer(packed("component"), "<u8")
    arrays["component"] = np.concatenate([settled, np.frombuffer(packed("component more"), "<u8")])
    moved = np.frombuffer(packed("component moved"), "<i4")
    arrays["component"][moved] = np.frombuffer(packed("component moved to"), "<u8")
    arrays["live"] = _bits(packed("live"), len(arrays["row"]))
    records = sorted(kind for kind in parts if kind.startswith(RECORDS))
    told = pa.concat_tables([packed(kind).result() for kind in records])
    tables = {name: _table(packed(name)) for name in _TABLES}
    stays = {}
    for name in _PARTED:
        once = _table(packed(name))
        stays[name] = _bits(packed(f"{name} stays"), once.num_rows)
        once = once if stays[name].all() else once.filter(pa.array(stays[name]))
        tables[name] = pa.concat_tables([once, _table(packed(f"{name} more"))])
    held = pa.concat_tables([_table(packed(name)) for name in ("identifiers", "identifiers more")])
    tables["identifiers"] = held.filter(pa.array(arrays["live"][held["place"].to_numpy()]))
    read["filled"] = tuple(read["filled"])
    read["rules"] = tuple((tuple(rule), int(n), bool(used)) for rule, n, used in read["rules"])
    read["totals"] = {name: (int(a), int(b)) for name, (a, b) in read["totals"].items()}
    read["compared"] = (read["compared"][0], dict(read["compared"][1]))
    read["decisions"] = tuple(tuple(one) for one in read["decisions"])
    read["crowded"] = np.frombuffer(packed("crowded"), "<u8")
    return Kept(
        rows=Rows(told, **arrays), **tables, **read,
        written=read["settled"], settled_component=settled, stays=stays,
    )  # fmt: skip


def _bits(packed: pa.Buffer, count: int) -> BoolArray:
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=count).view(bool)


def _bytes(table: pa.Table) -> memoryview:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=CHUNK)
    return memoryview(sink.getvalue())


def _table(packed: pa.Buffer) -> pa.Table:
    with pa.ipc.open_stream(packed) as reader:
        return reader.read_all()


def is_among(values: KeyArray, asked: KeyArray) -> npt.NDArray[np.bool_]:
    """Of each value, whether it is asked for: by a hash table, where np.isin sorts a million."""
    found = pc.is_in(pa.array(values), value_set=pa.array(asked))
    return np.asarray(found.to_numpy(zero_copy_only=False))


def but(
    table: pa.Table, stays: BoolArray, keep: BoolArray, new: pa.Table
) -> tuple[pa.Table, BoolArray]:
    """A table without the rows that are not to keep and with new ones, and which of those that were
    written once stay now.

    stays: which of those stayed until now; they stand first in the table.
    """
    once = np.flatnonzero(stays)
    left = stays.copy()
    left[once[~keep[: len(once)]]] = False
    return pa.concat_tables([table.filter(pa.array(keep)), new]), left
