"""Pairs that were compared once need not be compared again.

How alike two records are depends on those two records alone; what it weighs depends on all records
(how rare a value is, how many records there are). So the likeness of pairs is kept from run to
run, under keys made of the records' content, while weights and clusters are made anew each time.
That makes an incremental run equal to a full one by construction: it only saves the comparing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.identity import blocking
from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison
from kindred.identity.scoring import LevelArray

KeyArray = npt.NDArray[np.uint64]

# Pairs in a row of the packed table: 16 bytes each.
CHUNK = 250_000
# How the table is packed; what was packed otherwise is compared anew.
FORMAT = 2
# Where more of the representatives than this are new, it is faster to block all.
MOSTLY_NEW = 0.3
NOT_COMPARED = -1
_PROPOSED = np.int64(1) << np.int64(62)


@dataclass(frozen=True)
class Compared:
    """What an earlier run compared.

    keys: content of its representatives, by their number in that run. left, right: those numbers of
    each pair, left < right. code: the pair's levels as one number, or NOT_COMPARED. proposed:
    whether blocking proposed the pair (the others lie inside a component). rules: the blocking
    rules that were used.
    """

    settings: str
    rules: str
    keys: KeyArray
    left: IntArray
    right: IntArray
    code: IntArray
    proposed: npt.NDArray[np.bool_]


def fingerprint(comparisons: tuple[Comparison, ...], splink: dict[str, Any]) -> str:
    """What the levels of a pair depend on beside its two records."""
    import duckdb
    from splink import __version__ as splink_version

    asked = {
        "comparisons": [(c.field, len(c.levels), c.holders_of) for c in comparisons],
        "splink": splink,
        "versions": [splink_version, duckdb.__version__],
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def rules_name(rules: blocking.Rules) -> str:
    """The rules as one text."""
    return json.dumps([rule for rule, _ in rules])


def encode(levels: LevelArray, comparisons: tuple[Comparison, ...]) -> IntArray:
    """The levels of each pair as one number, in mixed radix."""
    code = np.zeros(len(levels), dtype=np.int64)
    for i, comparison in enumerate(comparisons):
        code = code * (len(comparison.levels) + 1) + levels[:, i] + 1
    return code


def decode(code: IntArray, comparisons: tuple[Comparison, ...]) -> LevelArray:
    """The levels that `encode` was given."""
    levels = np.empty((len(code), len(comparisons)), dtype=np.int8)
    rest = code
    for i in range(len(comparisons) - 1, -1, -1):
        rest, level = np.divmod(rest, len(comparisons[i].levels) + 1)
        levels[:, i] = level - 1
    return levels


def to_table(found: Compared) -> pa.Table:
    """kind (keys, pairs), chunk, settings, packed: little-endian arrays of numbers."""
    kinds, chunks, packed = [], [], []
    settings = json.dumps([found.settings, found.rules, FORMAT])
    for start in range(0, len(found.keys), 4 * CHUNK):
        kinds.append("keys")
        packed.append(found.keys[start : start + 4 * CHUNK].astype("<u8").tobytes())
    code = np.where(found.code == NOT_COMPARED, 0, found.code + 1)
    code = code | np.where(found.proposed, _PROPOSED, np.int64(0))
    for start in range(0, len(found.left), CHUNK):
        part = slice(start, start + CHUNK)
        kinds.append("pairs")
        packed.append(
            found.left[part].astype("<u4").tobytes()
            + found.right[part].astype("<u4").tobytes()
            + code[part].astype("<i8").tobytes()
        )
    chunks = list(range(len(kinds)))
    return pa.table(
        {
            "kind": pa.array(kinds, pa.string()),
            "chunk": pa.array(chunks, pa.int64()),
            "settings": pa.array([settings] * len(kinds), pa.string()),
            "packed": pa.array(packed, pa.binary()),
        }
    )


def from_table(table: pa.Table | None) -> Compared | None:
    """Read back what `to_table` wrote; None where there is nothing, or in another format."""
    rows = [] if table is None else table.sort_by("chunk").to_pylist()
    rows = [row for row in rows if row["kind"] in ("keys", "pairs")]
    if not rows:
        return None
    settings, rules, *version = json.loads(rows[0]["settings"])
    if version != [FORMAT]:
        return None
    keys = [np.frombuffer(row["packed"], "<u8") for row in rows if row["kind"] == "keys"]
    packed = [row["packed"] for row in rows if row["kind"] == "pairs"]
    counts = [len(bytes_of) // 16 for bytes_of in packed]
    ends = [
        np.frombuffer(bytes_of, "<u4", 2 * count).reshape(2, -1)
        for bytes_of, count in zip(packed, counts, strict=True)
    ]
    codes = [
        np.frombuffer(bytes_of, "<i8", count, 8 * count)
        for bytes_of, count in zip(packed, counts, strict=True)
    ]
    left, right = np.concatenate([np.empty((2, 0), np.uint32), *ends], axis=1).astype(np.int64)
    code = np.concatenate([np.empty(0, np.int64), *codes])
    return Compared(
        settings,
        rules,
        np.concatenate([np.empty(0, np.uint64), *keys]),
        left,
        right,
        (code & ~_PROPOSED) - 1,
        (code & _PROPOSED) != 0,
    )


class Memory:
    """The earlier run's pairs in the numbers of this run's representatives.

    keys: content of each representative, by its number.
    """

    def __init__(self, keys: KeyArray, earlier: Compared | None, settings: str) -> None:
        self.keys = keys
        self.size = len(keys)
        empty = np.empty(0, np.int64)
        self._pairs, self._code = empty, empty
        self._proposed = np.empty(0, bool)
        self.fresh = np.arange(self.size, dtype=np.int64)
        self.rules = ""
        if earlier is None or earlier.settings != settings or not self.size:
            return
        self.rules = earlier.rules
        now = _numbers_now(earlier.keys, keys)
        known = np.zeros(self.size, dtype=bool)
        known[now[now >= 0]] = True
        self.fresh = np.flatnonzero(~known)
        left, right = now[earlier.left], now[earlier.right]
        keep = (left >= 0) & (right >= 0)
        left, right = left[keep], right[keep]
        pairs = np.minimum(left, right) * self.size + np.maximum(left, right)
        # Both runs number by content, so this is nearly sorted, which a stable sort is quick with.
        by_pair = np.argsort(pairs, kind="stable")
        self._pairs = pairs[by_pair]
        self._code = earlier.code[keep][by_pair]
        self._proposed = earlier.proposed[keep][by_pair]

    def candidates(
        self, rules: blocking.Rules, block: Callable[[IntArray | None], IntArray]
    ) -> IntArray:
        """All pairs that the rules propose, sorted, as l * size + r; `block` finds them."""
        if rules_name(rules) != self.rules or len(self.fresh) > MOSTLY_NEW * self.size:
            return block(None)
        known = self._pairs[self._proposed]
        if not len(self.fresh):
            return known
        return np.sort(np.concatenate([known, block(self.fresh)]))

    def recall(self, pairs: IntArray) -> IntArray:
        """The codes of sorted `pairs`, NOT_COMPARED where they are not known."""
        found = np.full(len(pairs), NOT_COMPARED, dtype=np.int64)
        if len(self._pairs):
            at = np.searchsorted(self._pairs, pairs)
            at[at == len(self._pairs)] = 0
            hit = self._pairs[at] == pairs
            found[hit] = self._code[at[hit]]
        return found

    def keep(
        self, settings: str, rules: blocking.Rules, pairs: IntArray, code: IntArray,
        proposed: npt.NDArray[np.bool_],
    ) -> Compared:  # fmt: skip
        """What the next run may recall."""
        return Compared(
            settings,
            rules_name(rules),
            self.keys,
            pairs // self.size,
            pairs % self.size,
            code,
            proposed,
        )


def levels_of(
    pairs: IntArray,
    memory: Memory,
    comparisons: tuple[Comparison, ...],
    compare: Callable[[IntArray, IntArray], LevelArray],
) -> IntArray:
    """The codes of sorted `pairs` (l * size + r): recalled where known, else compared."""
    code = memory.recall(pairs)
    missing = np.flatnonzero(code == NOT_COMPARED)
    if len(missing):
        asked = pairs[missing]
        found = compare(asked // memory.size, asked % memory.size)
        code[missing] = encode(found, comparisons)
    return code


def _numbers_now(before: KeyArray, keys: KeyArray) -> IntArray:
    """For each earlier key the number it has now; -1 where it is gone or not one of its kind."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    at = np.minimum(np.searchsorted(ordered, before), len(ordered) - 1)
    found = (ordered[at] == before) & ~_repeated(keys)[order[at]] & ~_repeated(before)
    return np.where(found, order[at], -1)


def _repeated(keys: KeyArray) -> npt.NDArray[np.bool_]:
    """Which keys occur more than once."""
    order = np.argsort(keys, kind="stable")
    same = keys[order][1:] == keys[order][:-1]
    twice = np.zeros(len(keys), dtype=bool)
    twice[order[1:][same]] = twice[order[:-1][same]] = True
    return twice
