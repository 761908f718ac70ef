"""Small helpers over numpy and Arrow: seeded streams, skewed draws, text built column by column."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Array = npt.NDArray[Any]
Rng = np.random.Generator
# An Arrow array of strings.
Text = Any


def stream(seed: int, name: str) -> Rng:
    """A random stream of its own for `name`: one table's draws never shift another's."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def chance(rng: Rng, size: int, share: float | Array) -> Array:
    """A mask that is true for about `share` of the rows."""
    return np.asarray(rng.random(size) < share)


def zipf_weights(count: int, shift: float = 10.0, power: float = 1.0) -> Array:
    """Cumulative weights 1/(rank + shift)^power: how often each of a pool occurs."""
    weights = 1.0 / (np.arange(count) + shift) ** power
    return np.asarray(np.cumsum(weights) / weights.sum())


def draw(rng: Rng, cumulative: Array, size: int) -> Array:
    """`size` indices into a pool with the given cumulative weights."""
    return np.minimum(np.searchsorted(cumulative, rng.random(size)), len(cumulative) - 1)


def weighted(rng: Rng, weights: Sequence[float] | Array, size: int) -> Array:
    """`size` indices drawn with the given weights."""
    values = np.asarray(weights, dtype=float)
    return draw(rng, np.cumsum(values) / values.sum(), size)


def text(values: Sequence[str | None] | Array) -> Text:
    """An Arrow string array."""
    return pa.array(values, type=pa.string())


def pick(pool: Text, index: Array) -> Text:
    """The pool's values at `index`; null where the index is negative."""
    indices = pa.array(np.where(index < 0, 0, index), mask=np.asarray(index < 0))
    return (text(pool) if isinstance(pool, list | tuple) else pool).take(indices)


def cat(*parts: Text | str) -> Text:
    """The parts one after the other; null where one is null."""
    return pc.binary_join_element_wise(*parts, "")


def words(*parts: Text | str, sep: str = " ") -> Text:
    """The parts with `sep` between; nulls are left out."""
    empty = np.logical_and.reduce([~filled(p) for p in parts if not isinstance(p, str | pa.Scalar)])
    if any(isinstance(p, str | pa.Scalar) for p in parts) or not empty.any():
        return pc.binary_join_element_wise(*parts, sep, null_handling="skip")
    # Arrow drops rows whose parts are all null, so they get a text first, and lose it afterwards
    head = where(empty, "", parts[0])
    return blank(pc.binary_join_element_wise(head, *parts[1:], sep, null_handling="skip"), empty)


def where(mask: Array, yes: Text | str | None, no: Text | str | None) -> Text:
    """`yes` where the mask holds, else `no`."""
    picked = [
        pa.scalar(v, pa.string()) if v is None or isinstance(v, str) else v for v in (yes, no)
    ]
    return pc.if_else(pa.array(mask), *picked)


def blank(values: Text, mask: Array) -> Text:
    """The values with nulls where the mask holds."""
    return pc.if_else(pa.array(mask), pa.scalar(None, values.type), values)


def filled(values: Text) -> Array:
    """A mask of the values that are not null."""
    return np.asarray(values.is_valid().to_numpy(zero_copy_only=False))


def digits(values: Array, width: int = 0) -> Text:
    """Whole numbers as text, padded with zeros to `width`."""
    out = pa.array(np.asarray(values, dtype=np.int64)).cast(pa.string())
    return pc.utf8_lpad(out, width, "0") if width else out


def grouped(groups: Array, make: Callable[[int, Array], Text]) -> Text:
    """`make(group, rows)` for each group, put back into the order of the rows."""
    order = np.argsort(groups, kind="stable")
    bounds = np.flatnonzero(np.diff(groups[order], prepend=groups[order][:1] - 1))
    pieces = []
    for start, stop in zip(bounds, [*bounds[1:], len(groups)], strict=True):
        rows = order[start:stop]
        pieces.append(make(int(groups[rows[0]]), rows))
    if not pieces:
        return text([])
    back = np.empty(len(groups), dtype=np.int64)
    back[order] = np.arange(len(groups))
    return pa.concat_arrays([_flat(p) for p in pieces]).take(pa.array(back))


def _flat(values: Any) -> Any:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def changed(values: Text, mask: Array, change: Callable[[Text], Text]) -> Text:
    """The values with `change` applied to those in the mask (nulls are left alone)."""
    mask = mask & filled(values)
    if not mask.any():
        return values
    part = _flat(change(values.filter(pa.array(mask))))
    return pc.replace_with_mask(values, pa.array(mask), part)


def mistype(values: Text, mask: Array, rng: Rng) -> Text:
    """The values in the mask with one slip each (a letter lost, doubled, swapped or wrong)."""

    def slip(part: Text) -> Text:
        length = np.asarray(pc.utf8_length(part).to_numpy(zero_copy_only=False))
        place = 1 + (rng.random(len(part)) * np.clip(length - 2, 1, 7)).astype(np.int64)
        kind = weighted(rng, (0.35, 0.2, 0.2, 0.25), len(part))
        letter = pick(list("aeinorst"), rng.integers(0, 8, len(part)))

        def one(group: int, rows: Array) -> Text:
            at, how = divmod(group, 4)
            here = part.take(pa.array(rows))
            head = pc.utf8_slice_codeunits(here, 0, at)
            this = pc.utf8_slice_codeunits(here, at, at + 1)
            then = pc.utf8_slice_codeunits(here, at + 1, at + 2)
            if how == 0:
                return cat(head, pc.utf8_slice_codeunits(here, at + 1))
            if how == 1:
                return cat(head, this, pc.utf8_slice_codeunits(here, at))
            rest = pc.utf8_slice_codeunits(here, at + 2)
            if how == 2:
                return cat(head, then, this, rest)
            return cat(head, letter.take(pa.array(rows)), pc.utf8_slice_codeunits(here, at + 1))

        return grouped(place * 4 + kind, one)

    return changed(values, mask, slip)


def mistype_digits(values: Text, mask: Array, rng: Rng) -> Text:
    """The values in the mask with their last digit but one replaced by another digit."""

    def slip(part: Text) -> Text:
        other = digits(rng.integers(0, 10, len(part)))
        return cat(pc.utf8_slice_codeunits(part, 0, -2), other, pc.utf8_slice_codeunits(part, -1))

    return changed(values, mask, slip)


def scrambled(count: int, rng: Rng, width: int = 9) -> Array:
    """`count` distinct whole numbers of at most `width` digits that tell nothing of their order."""
    span = 10**width
    return np.asarray((np.arange(count, dtype=np.int64) * 387420489 + rng.integers(0, span)) % span)


def hex_ids(rng: Rng, count: int, size: int = 16) -> Text:
    """Random ids of `size` bytes in hexadecimal."""
    table = np.array([f"{i:02x}".encode() for i in range(256)], dtype="S2")
    raw = table[rng.integers(0, 256, (count, size), dtype=np.uint8)]
    return pa.array(raw.view(f"S{2 * size}").ravel()).cast(pa.string())


def numbered(values: Text) -> Text:
    """The values made distinct: the second, third, ... of equal ones get a number, before an @."""
    for _ in range(3):
        codes = np.asarray(pc.dictionary_encode(values).indices.to_numpy(zero_copy_only=False))
        order = np.argsort(codes, kind="stable")
        first = np.flatnonzero(np.diff(codes[order], prepend=-1))
        rank = np.arange(len(codes)) - np.repeat(first, np.diff([*first, len(codes)]))
        repeat = np.zeros(len(codes), dtype=np.int64)
        repeat[order] = rank
        if not repeat.any():
            break

        def number(part: Text, count: Array = repeat[repeat > 0]) -> Text:
            split = pc.extract_regex(part, r"^(?P<user>[^@]*)@(?P<host>.*)$")
            return cat(
                pc.struct_field(split, "user"),
                digits(count + 1),
                "@",
                pc.struct_field(split, "host"),
            )

        values = changed(values, repeat > 0, number)
    return values


def rank_within(groups: Array) -> Array:
    """0 for the first row of each group, 1 for the second, ..."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    first = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    rank = np.zeros(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - np.repeat(first, np.diff([*first, len(groups)]))
    return rank
