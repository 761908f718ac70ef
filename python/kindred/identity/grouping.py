"""Group the parts of some clusters anew: pairs forbidden, some groups given, the strongest first.

Average linkage as in `kindred.identity.clusters`, which knows no forbidden pairs: what is here
runs over the clusters in which something is forbidden or suspicious. Clusters of as many groups are
one array, because there can be as many of them as there are customers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from kindred.identity.clusters import CAP, CERTAIN, FLOOR, LARGEST, SILENT, UNSEEN
from kindred.identity.components import IntArray, components
from kindred.identity.linkage import in_parcels

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

    def with_apart(self, labels: IntArray, left: IntArray, right: IntArray) -> Bonds:
        """The same, with the given pairs that are in one cluster as pairs that are not one."""
        met = labels[left] == labels[right]
        return replace(
            self,
            cannot_left=np.concatenate([self.cannot_left, left[met]]),
            cannot_right=np.concatenate([self.cannot_right, right[met]]),
        )

    def inside(self, labels: IntArray, chosen: BoolArray, place: IntArray) -> Bonds:
        """Those within one cluster each, between the chosen nodes, by their new numbers."""
        must = chosen[self.must_left] & (labels[self.must_left] == labels[self.must_right])
        cannot = chosen[self.cannot_left] & (labels[self.cannot_left] == labels[self.cannot_right])
        marked = chosen[self.marked]
        return Bonds(
            place[self.must_left[must]],
            place[self.must_right[must]],
            place[self.cannot_left[cannot]],
            place[self.cannot_right[cannot]],
            place[self.marked[marked]],
            self.mark[marked],
        )


@dataclass(frozen=True)
class _Edges:
    """Judged pairs within clusters, each named once."""

    left: IntArray
    right: IntArray
    weight: FloatArray


def regroup(
    labels: IntArray,
    suspects: IntArray,
    left: IntArray,
    right: IntArray,
    weight: FloatArray,
    cut: float,
    bonds: Bonds,
    *,
    strict: bool = False,
) -> IntArray:
    """The clusters `labels`, those named in `suspects` grouped anew; a label is the smallest node.

    First what must be together, then certain links (weight of at least CERTAIN), the heaviest
    first, then average linkage down to `cut`; no step joins what is forbidden. strict: a pair
    with too little in common to be judged counts as one never compared, against a match. More
    than LARGEST groups are not weighed against each other: only the certain parts stay together.
    """
    result = labels.copy()
    chosen = np.zeros(len(labels), dtype=bool)
    chosen[suspects] = True
    chosen = chosen[labels]
    nodes = np.flatnonzero(chosen)
    if not len(nodes):
        return result
    place = np.full(len(labels), -1, dtype=np.int64)
    place[nodes] = np.arange(len(nodes))
    kept = chosen[left] & (labels[left] == labels[right])
    edges = _Edges(place[left[kept]], place[right[kept]], weight[kept])
    own = bonds.inside(labels, chosen, place)
    parts = _certain_parts(len(nodes), edges, own)
    result[nodes] = nodes[_weighed(labels[nodes], parts, edges, cut, own, strict)]
    return result


def _weighed(
    labels: IntArray, parts: IntArray, edges: _Edges, cut: float, bonds: Bonds, strict: bool
) -> IntArray:
    """The certain parts of clusters, merged by average linkage; labels: the cluster of each."""
    first, group = np.unique(parts, return_inverse=True)
    order = np.argsort(labels[first], kind="stable")
    _, start, length = np.unique(labels[first][order], return_index=True, return_counts=True)
    at = np.empty(len(first), dtype=np.int64)
    at[order] = np.arange(len(first)) - np.repeat(start, length)
    of_group = np.empty(len(first), dtype=np.int64)
    of_group[order] = np.repeat(np.arange(len(start)), length)
    members = np.bincount(group)
    merged = np.arange(len(first), dtype=np.int64)
    one, two, total, silent = _between(group, edges, members, strict)
    apart_one, apart_two = _forbidden(group, of_group, bonds)
    open_still = np.flatnonzero((length > 1) & (length <= LARGEST))
    for parcel in in_parcels(length[open_still]):
        graphs = open_still[parcel]
        shape = (len(graphs), int(length[graphs[0]]), int(length[graphs[0]]))
        inside = order[start[graphs][:, None] + np.arange(shape[1])]
        graph = np.full(len(start), -1, dtype=np.int64)
        graph[graphs] = np.arange(len(graphs))
        count = members[inside]
        judged = (count[:, :, None] * count[:, None, :]).astype(np.float64)
        sums = UNSEEN * judged
        mine = graph[of_group[one]] >= 0
        _put(sums, graph[of_group[one[mine]]], at[one[mine]], at[two[mine]], total[mine])
        _put(judged, graph[of_group[one[mine]]], at[one[mine]], at[two[mine]], -silent[mine])
        forbidden = np.zeros(shape, dtype=bool)
        mine = graph[of_group[apart_one]] >= 0
        places = at[apart_one[mine]], at[apart_two[mine]]
        _put(forbidden, graph[of_group[apart_one[mine]]], *places, np.ones(int(mine.sum()), bool))
        found = agglomerate(np.round(sums, 6), judged, forbidden, cut)
        merged[inside] = np.take_along_axis(inside, found, axis=1)
    return np.asarray(first[merged[group]], dtype=np.int64)


def _put(
    table: npt.NDArray[Any], graph: IntArray, one: IntArray, two: IntArray, values: Any
) -> None:
    """Add values, one a pair of groups, to symmetric tables [graph, group, group]."""
    table[graph, one, two] += values
    table[graph, two, one] += values


def agglomerate(sums: FloatArray, counts: FloatArray, forbidden: BoolArray, cut: float) -> IntArray:
    """Merge groups while the highest mean weight between two of them is at least `cut`.

    All tables are [graph, group, group]. sums, counts: total weight and number of the judged pairs
    between each two groups (both are used up). forbidden: groups that never meet, nor do those
    they are merged into. Of equal means, the first groups merge first. Returns [graph, group]: the
    first group that each ends up with. Source: Sokal and Michener (1958), with the constraint of
    Davidson and Ravi (2005).
    """
    graphs, size, _ = sums.shape
    every = np.arange(size)
    apart = forbidden.copy()
    apart[:, every, every] = True
    mean = _means(sums, counts, apart)
    best = mean.argmax(axis=2)
    value = np.take_along_axis(mean, best[:, :, None], axis=2)[:, :, 0]
    labels = np.tile(every.astype(np.int64), (graphs, 1))
    here = np.arange(graphs)
    while len(here):
        kept = value[here].argmax(axis=1)
        top = value[here, kept]
        going = (top >= cut) & (top > -np.inf)
        here, kept = here[going], kept[going]
        gone = best[here, kept]
        known = labels[here]
        labels[here] = np.where(known == gone[:, None], kept[:, None], known)
        for table in (sums, counts):
            table[here, kept] += table[here, gone]
            table[here, :, kept] = table[here, kept]
        apart[here, kept] |= apart[here, gone]
        apart[here, :, kept] = apart[here, kept]
        apart[here, gone] = True
        apart[here, :, gone] = True
        row = _means(sums[here, kept], counts[here, kept], apart[here, kept])
        mean[here, kept] = row
        mean[here, :, kept] = row
        mean[here, gone] = -np.inf
        mean[here, :, gone] = -np.inf
        nearest = best[here]
        stale = (nearest == kept[:, None]) | (nearest == gone[:, None])
        stale[np.arange(len(here)), kept] = True
        stale[np.arange(len(here)), gone] = True
        graph, group = np.nonzero(stale)
        rows = mean[here[graph], group]
        again = rows.argmax(axis=1)
        best[here[graph], group] = again
        value[here[graph], group] = rows[np.arange(len(rows)), again]
        now = value[here]
        better = row > now
        better |= (row == now) & (kept[:, None] < best[here]) & (row > -np.inf)
        best[here] = np.where(better, kept[:, None], best[here])
        value[here] = np.where(better, row, now)
    return labels


def _means(sums: FloatArray, counts: FloatArray, apart: BoolArray) -> FloatArray:
    judged = ~apart & (counts > 0)
    return np.where(judged, sums / np.where(judged, counts, 1.0), -np.inf)


def _between(
    group: IntArray, edges: _Edges, members: IntArray, strict: bool
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Each two groups between which pairs are known: the groups, by how much their total weight is
    more than that of unseen pairs, and how many of the pairs do not count in a mean."""
    across = group[edges.left] != group[edges.right]
    weight = edges.weight[across]
    silent = weight == SILENT
    bounded = np.clip(weight, FLOOR, CAP)
    bounded[weight >= CERTAIN] = CERTAIN
    bounded[silent] = UNSEEN if strict else 0.0
    one, two = group[edges.left[across]], group[edges.right[across]]
    key = np.minimum(one, two) * len(members) + np.maximum(one, two)
    found, place = np.unique(key, return_inverse=True)
    more = np.bincount(place, weights=bounded - UNSEEN, minlength=len(found))
    unsaid = np.bincount(place[silent & (not strict)], minlength=len(found)).astype(np.float64)
    # Rounded, so that the order of the pairs says nothing.
    return found // len(members), found % len(members), np.round(more, 6), unsaid


def _forbidden(group: IntArray, of_group: IntArray, bonds: Bonds) -> tuple[IntArray, IntArray]:
    """Pairs of groups of one cluster that never meet, each once."""
    one, two = [group[bonds.cannot_left]], [group[bonds.cannot_right]]
    held = np.unique(np.column_stack([bonds.mark, of_group[group[bonds.marked]],
                                      group[bonds.marked]]), axis=0)  # fmt: skip
    # Of groups that hold the same mark in one cluster, each with every other: by distance.
    for step in range(1, len(held)):
        near = (held[step:, :2] == held[:-step, :2]).all(axis=1)
        if not near.any():
            break
        one.append(held[:-step][near, 2])
        two.append(held[step:][near, 2])
    left, right = np.concatenate(one), np.concatenate(two)
    size = len(of_group)
    keys = np.unique(np.minimum(left, right) * size + np.maximum(left, right))
    left, right = keys // max(size, 1), keys % max(size, 1)
    return left[left != right], right[left != right]


def _certain_parts(count: int, edges: _Edges, bonds: Bonds) -> IntArray:
    """Groups of what must be one and of certain links, none of which joins what is forbidden."""
    groups = components(count, bonds.must_left, bonds.must_right)
    sure = edges.weight >= CERTAIN
    left, right, weight = groups[edges.left[sure]], groups[edges.right[sure]], edges.weight[sure]
    order = np.lexsort((right, left, -weight))
    foes: dict[int, set[int]] = {}
    for one, two in _ends(groups, bonds.cannot_left, bonds.cannot_right):
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
    for one, two in _ends(np.arange(count), left[order], right[order]):
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


def _ends(groups: IntArray, left: IntArray, right: IntArray) -> Iterable[tuple[int, int]]:
    return zip(groups[left].tolist(), groups[right].tolist(), strict=True)
