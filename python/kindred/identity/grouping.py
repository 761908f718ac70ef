"""Group the parts of one cluster anew: pairs forbidden, some groups given, the strongest first.

Average linkage as in `kindred.identity.clusters`, which is faster and knows no forbidden pairs:
what is here runs over the few clusters in which something is forbidden or suspicious.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kindred.identity.clusters import CAP, CERTAIN, FLOOR, LARGEST, SILENT, UNSEEN
from kindred.identity.components import IntArray, components

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def _no_nodes() -> IntArray:
    return np.empty(0, np.int64)


@dataclass(frozen=True)
class Bonds:
    """What must and must not be together, over the nodes of a graph.

    must_left, must_right: pairs that are one. cannot_left, cannot_right: pairs that are not.
    marked, mark: node and number of a source that gives at most one record to a cluster.
    """

    must_left: IntArray = field(default_factory=_no_nodes)
    must_right: IntArray = field(default_factory=_no_nodes)
    cannot_left: IntArray = field(default_factory=_no_nodes)
    cannot_right: IntArray = field(default_factory=_no_nodes)
    marked: IntArray = field(default_factory=_no_nodes)
    mark: IntArray = field(default_factory=_no_nodes)


def slices(owner: IntArray, wanted: IntArray) -> Iterator[IntArray]:
    """For each of `wanted` (sorted), the places where `owner` has that value, in order."""
    places = np.flatnonzero(np.isin(owner, wanted))
    places = places[np.argsort(owner[places], kind="stable")]
    starts = np.searchsorted(owner[places], wanted, side="left")
    ends = np.searchsorted(owner[places], wanted, side="right")
    for start, end in zip(starts, ends, strict=True):
        yield places[start:end]


def regroup(
    count: int,
    left: IntArray,
    right: IntArray,
    weight: FloatArray,
    cut: float,
    bonds: Bonds,
    *,
    strict: bool = False,
) -> IntArray:
    """Label nodes 0..count-1 of one cluster anew; a label is the smallest node of its group.

    First what must be together, then certain links (weight of at least CERTAIN), the heaviest
    first, then average linkage down to `cut`; no step joins what is forbidden. strict: a pair
    with too little in common to be judged counts as one never compared, against a match. More
    than LARGEST groups are not weighed against each other: only the certain parts stay together.
    """
    parts = _certain_parts(count, left, right, weight, bonds)
    first, place = np.unique(parts, return_inverse=True)
    if len(first) == 1 or len(first) > LARGEST:
        return parts
    sums, judged = _between(count, left, right, weight, strict)
    spread = np.zeros((count, len(first)))
    spread[np.arange(count), place] = 1.0
    labels = agglomerate(
        _gathered(sums, spread),
        _gathered(judged, spread),
        _forbidden(len(first), place, bonds),
        cut,
    )
    return np.asarray(first[labels[place]], dtype=np.int64)


def agglomerate(sums: FloatArray, counts: FloatArray, forbidden: BoolArray, cut: float) -> IntArray:
    """Merge groups while the highest mean weight between two of them is at least `cut`.

    sums, counts: total weight and number of the judged pairs between each two groups. forbidden:
    groups that never meet, nor do those they are merged into. Of equal means, the first groups
    merge first. Source: Sokal and Michener (1958), with the constraint of Davidson and Ravi (2005).
    """
    size = len(sums)
    sums, counts, apart = sums.copy(), counts.copy(), forbidden.copy()
    np.fill_diagonal(apart, val=True)
    mean = _means(sums, counts, apart)
    best = mean.argmax(axis=1)
    value = mean[np.arange(size), best]
    labels = np.arange(size, dtype=np.int64)
    while True:
        kept = int(value.argmax())
        if value[kept] < cut or value[kept] == -np.inf:
            return labels
        gone = int(best[kept])
        labels[labels == gone] = kept
        for table in (sums, counts):
            table[kept] += table[gone]
            table[:, kept] = table[kept]
        apart[kept] |= apart[gone]
        apart[:, kept] = apart[kept]
        apart[gone] = apart[:, gone] = True
        row = _means(sums[kept], counts[kept], apart[kept])
        mean[kept] = mean[:, kept] = row
        mean[gone] = mean[:, gone] = -np.inf
        stale = np.flatnonzero((best == kept) | (best == gone))
        stale = np.union1d(stale, [kept, gone])
        best[stale] = mean[stale].argmax(axis=1)
        value[stale] = mean[stale, best[stale]]
        better = (row > value) | ((row == value) & (kept < best) & (row > -np.inf))
        best[better], value[better] = kept, row[better]


def _gathered(table: FloatArray, spread: FloatArray) -> FloatArray:
    """Sums over the members of each two groups; rounded, so that their order says nothing."""
    gathered = spread.T @ table @ spread
    return np.asarray(np.round((gathered + gathered.T) / 2, 6))


def _means(sums: FloatArray, counts: FloatArray, apart: BoolArray) -> FloatArray:
    judged = ~apart & (counts > 0)
    return np.where(judged, sums / np.where(judged, counts, 1.0), -np.inf)


def _between(
    count: int, left: IntArray, right: IntArray, weight: FloatArray, strict: bool
) -> tuple[FloatArray, FloatArray]:
    """Weight of each pair as it counts in a mean, and whether it counts at all."""
    silent = weight == SILENT
    bounded = np.clip(weight, FLOOR, CAP)
    bounded[weight >= CERTAIN] = CERTAIN
    bounded[silent] = UNSEEN if strict else 0.0
    sums = np.full((count, count), UNSEEN)
    sums[left, right] = sums[right, left] = bounded
    judged = np.ones((count, count))
    if not strict:
        judged[left[silent], right[silent]] = judged[right[silent], left[silent]] = 0.0
    return sums, judged


def _forbidden(groups: int, place: IntArray, bonds: Bonds) -> BoolArray:
    apart = np.zeros((groups, groups), dtype=bool)
    one, two = place[bonds.cannot_left], place[bonds.cannot_right]
    apart[one, two] = apart[two, one] = True
    if len(bonds.mark):
        marks = np.zeros((groups, int(bonds.mark.max()) + 1))
        marks[place[bonds.marked], bonds.mark] = 1.0
        apart |= marks @ marks.T > 0
    np.fill_diagonal(apart, val=False)
    return apart


def _certain_parts(
    count: int, left: IntArray, right: IntArray, weight: FloatArray, bonds: Bonds
) -> IntArray:
    """Groups of what must be one and of certain links, none of which joins what is forbidden."""
    groups = components(count, bonds.must_left, bonds.must_right)
    sure = weight >= CERTAIN
    left, right, weight = groups[left[sure]], groups[right[sure]], weight[sure]
    order = np.lexsort((right, left, -weight))
    foes: dict[int, set[int]] = {}
    for one, two in zip(
        groups[bonds.cannot_left].tolist(), groups[bonds.cannot_right].tolist(), strict=True
    ):
        foes.setdefault(one, set()).add(two)
        foes.setdefault(two, set()).add(one)
    marks: dict[int, set[int]] = {}
    for node, mark in zip(groups[bonds.marked].tolist(), bonds.mark.tolist(), strict=True):
        marks.setdefault(node, set()).add(mark)
    parent = list(range(count))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    none: set[int] = set()
    for one, two in zip(left[order].tolist(), right[order].tolist(), strict=True):
        kept, gone = sorted((root(one), root(two)))
        enemies = foes.get(gone, none)
        if kept == gone or kept in enemies or marks.get(kept, none) & marks.get(gone, none):
            continue
        parent[gone] = kept
        marks.setdefault(kept, set()).update(marks.pop(gone, none))
        for enemy in enemies:
            foes[enemy].discard(gone)
            foes[enemy].add(kept)
        foes.setdefault(kept, set()).update(foes.pop(gone, none))
    return np.array([root(node) for node in groups.tolist()], dtype=np.int64)
