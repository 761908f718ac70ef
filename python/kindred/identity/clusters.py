"""From weighted pairs to clusters: average linkage within the components of the likely pairs.

Plain connected components chain strangers together; here two clusters are merged only while the
mean weight over all pairs between them speaks for it, the strongest first. What rules make certain
is one from the start: within such a group no pair is asked for its weight.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kindred.identity.components import IntArray, components
from kindred.identity.linkage import MOST_CELLS, average_linkage, in_parcels

FloatArray = npt.NDArray[np.float64]

CERTAIN = 1000.0
CAP = 20.0
FLOOR = -20.0
# The weight of a pair that was never compared: evidence against, more than any cut lets pass.
UNSEEN = -8.0
LARGEST = 2500
# Components whose pairs are more than this many budgets are not even looked at.
MOST_CLOSING = 4
# Marks a pair that has too little in common to be judged: it takes its weight from the pairs that
# connect its ends.
SILENT = -5e5


def missing_pairs(
    size: int,
    left: IntArray,
    right: IntArray,
    weight: FloatArray,
    cut: float,
    budget: int,
    sure: IntArray,
) -> tuple[IntArray, tuple[IntArray, IntArray]]:
    """Pairs (l * size + r, sorted) inside a component of likely pairs that were never proposed.

    Beside them, of each component of more than two, a node and how many pairs it can have.

    sure: label of the deterministic component of each node, within which nothing is left to ask.
    Components are closed from the smallest up, until `budget` pairs are found.
    """
    keep = weight >= cut
    labels = components(size, left[keep], right[keep])
    members = np.argsort(labels, kind="stable")
    sorted_labels = labels[members]
    starts = np.flatnonzero(np.r_[True, sorted_labels[1:] != sorted_labels[:-1]])
    ends = np.r_[starts[1:], size]
    sizes = ends - starts
    several = sizes > 2
    possible = (members[starts[several]], sizes[several] * (sizes[several] - 1) // 2)
    inside = labels[left] == labels[right]
    low, high = np.minimum(left, right)[inside], np.maximum(left, right)[inside]
    known = np.sort(low * size + high)
    found: list[IntArray] = []
    total = 0
    for length in np.unique(sizes[sizes > 2]):
        where = starts[sizes == length]
        one, two = np.triu_indices(length, 1)
        if total + len(where) * len(one) > MOST_CLOSING * budget:
            break
        block = members[where[:, None] + np.arange(length)[None, :]]
        first, second = block[:, one].ravel(), block[:, two].ravel()
        asked = sure[first] != sure[second]
        first, second = first[asked], second[asked]
        keys = np.minimum(first, second) * size + np.maximum(first, second)
        at = np.minimum(np.searchsorted(known, keys), max(len(known) - 1, 0))
        keys = keys[known[at] != keys] if len(known) else keys
        total += len(keys)
        if total > budget:
            break
        found.append(keys)
    return np.sort(np.concatenate([np.empty(0, np.int64), *found])), possible


def cluster(size: int, left: IntArray, right: IntArray, weight: FloatArray, cut: float) -> IntArray:
    """Label nodes 0..size-1; a label is the smallest node of its cluster.

    Weights of at least CERTAIN (deterministic, steward) join whatever they connect, of at most
    -CERTAIN (cannot-link) keep apart. Pairs are named once, in any order.
    """
    groups = _certain_groups(size, left, right, weight)
    labels = _pieces(size, left, right, weight, cut, groups)
    inside = labels[left] == labels[right]
    left, right, weight = left[inside], right[inside], weight[inside]
    bounded = _bounded(weight)
    _speak_for_silent(labels, groups, left, right, bounded)
    parts = np.flatnonzero(groups == np.arange(size))
    number = np.searchsorted(parts, groups)
    members = np.bincount(number, minlength=len(parts))
    one, two, mean = _means(number[left], number[right], bounded, members)
    merged = _linked(labels[parts], members, one, two, mean, cut)
    return np.asarray(parts[merged[number]], dtype=np.int64)


def _certain_groups(size: int, left: IntArray, right: IntArray, weight: FloatArray) -> IntArray:
    """The smallest node of each node's certain component; none where one holds a cannot-link."""
    sure = weight >= CERTAIN
    groups = components(size, left[sure], right[sure])
    apart = (weight < SILENT) & (groups[left] == groups[right])
    broken = np.isin(groups, groups[left[apart]])
    return np.where(broken, np.arange(size, dtype=np.int64), groups)


def _pieces(
    size: int, left: IntArray, right: IntArray, weight: FloatArray, cut: float, groups: IntArray
) -> IntArray:
    """Components of the likely pairs; one of too many certain groups to compare throughout is cut
    at a higher weight until its pieces are small enough."""
    parts = np.flatnonzero(groups == np.arange(size))
    held = (weight >= CERTAIN) & (groups[left] == groups[right])
    highest = weight[weight < CERTAIN].max(initial=cut)
    asked = np.full(size, cut)
    keep = weight >= cut
    while True:
        labels = components(size, left[keep], right[keep])
        counts = np.bincount(labels[parts], minlength=size)
        large = counts[labels] > LARGEST
        if not large.any():
            return labels
        # Each piece is cut higher by itself, and what was cut off stays so: else it may come back
        # to what is still too large, without end. Above all weights only certain groups hold.
        asked[large] = np.where(asked[large] > highest, np.inf, asked[large] + 2.0)
        keep = held | (weight >= np.maximum(asked[left], asked[right]))


def _bounded(weight: FloatArray) -> FloatArray:
    """The weights as they count in a mean; what marks a pair stays as it is."""
    bounded = np.clip(weight, FLOOR, CAP)
    marks = (weight >= CERTAIN) | (weight <= SILENT)
    bounded[marks] = np.minimum(weight[marks], CERTAIN)
    return bounded


def _speak_for_silent(
    labels: IntArray, groups: IntArray, left: IntArray, right: IntArray, bounded: FloatArray
) -> None:
    """Give silent pairs, in `bounded`, the weakest weight on the strongest way between their ends.

    In a component too large to look for it they count as never compared.
    """
    silent = bounded == SILENT
    if not silent.any():
        return
    size = len(labels)
    asked = np.zeros(size, dtype=bool)
    asked[labels[left[silent]]] = True
    nodes = np.flatnonzero(asked[labels])
    nodes = nodes[np.argsort(labels[nodes], kind="stable")]
    owner, start, length = np.unique(labels[nodes], return_index=True, return_counts=True)
    place = np.empty(size, dtype=np.int64)
    place[nodes] = np.arange(len(nodes)) - np.repeat(start, length)
    edges = np.flatnonzero(asked[labels[left]])
    of_edge = np.searchsorted(owner, labels[left[edges]])
    edges = edges[np.argsort(of_edge, kind="stable")]
    ends = np.cumsum(np.bincount(of_edge, minlength=len(owner)))
    begins = np.r_[0, ends[:-1]]
    usual = np.flatnonzero(length <= LARGEST)
    for places in in_parcels(length[usual]):
        parcel = usual[places]
        count = int(length[parcel[0]])
        mine = edges[_ranges(begins[parcel], ends[parcel])]
        graph = np.repeat(np.arange(len(parcel)), ends[parcel] - begins[parcel])
        inside = nodes[start[parcel][:, None] + np.arange(count)]
        matrix = np.full((len(parcel), count, count), UNSEEN)
        one, two = place[left[mine]], place[right[mine]]
        matrix[graph, one, two] = matrix[graph, two, one] = bounded[mine]
        sure = groups[inside]
        matrix[sure[:, :, None] == sure[:, None, :]] = CERTAIN
        _through_others(matrix)
        bounded[mine] = matrix[graph, one, two]
    bounded[bounded == SILENT] = UNSEEN


def _through_others(matrix: FloatArray) -> None:
    """Fill in the silent cells of matrices [graph, node, node], as far as three steps reach."""
    every = np.arange(matrix.shape[1])
    matrix[:, every, every] = SILENT
    for _ in range(3):
        graph, one, two = np.nonzero(np.triu(matrix == SILENT, 1))
        if not len(graph):
            break
        best = np.concatenate(
            [
                np.minimum(matrix[graph[k], one[k]], matrix[graph[k], two[k]]).max(axis=1)
                for k in _slices(len(graph), max(MOST_CELLS // len(every), 1))
            ]
        )
        best = np.minimum(best, CAP)
        found = best > SILENT
        graph, one, two, best = graph[found], one[found], two[found], best[found]
        matrix[graph, one, two] = matrix[graph, two, one] = best


def _means(
    left: IntArray, right: IntArray, bounded: FloatArray, members: IntArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Each two groups between which a pair is known, the first of them first, and their mean."""
    across = left != right
    left, right, bounded = left[across], right[across], bounded[across]
    key = np.minimum(left, right) * len(members) + np.maximum(left, right)
    order = np.argsort(key, kind="stable")
    key, bounded = key[order], bounded[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else key
    one, two = key[starts] // len(members), key[starts] % len(members)
    known = np.diff(np.r_[starts, len(key)])
    # Rounded, so that the order of the pairs says nothing.
    sums = np.round(np.add.reduceat(bounded, starts), 6) if len(key) else bounded
    count = members[one] * members[two]
    return one, two, (sums + UNSEEN * (count - known)) / count


def _linked(
    labels: IntArray, members: IntArray, one: IntArray, two: IntArray, mean: FloatArray, cut: float
) -> IntArray:
    """The first group of the cluster that each group falls into.

    labels: the component of each group; one, two, mean: the groups between which pairs are known.
    """
    size = len(labels)
    result = np.arange(size, dtype=np.int64)
    order = np.argsort(labels, kind="stable")
    _, start, length = np.unique(labels[order], return_index=True, return_counts=True)
    place = np.empty(size, dtype=np.int64)
    place[order] = np.arange(size) - np.repeat(start, length)
    of_group = np.empty(size, dtype=np.int64)
    of_group[order] = np.repeat(np.arange(len(start)), length)
    owner = of_group[one]
    by_owner = np.argsort(owner, kind="stable")
    one, two, mean = one[by_owner], two[by_owner], mean[by_owner]
    known = np.bincount(owner, minlength=len(start))
    ends = np.cumsum(known)
    begins = ends - known
    lowest = np.full(len(start), np.inf)
    np.minimum.at(lowest, owner[by_owner], mean)
    # Where every two groups are known to match, there is nothing to decide.
    agreed = (known == length * (length - 1) // 2) & (lowest >= cut)
    result[order] = np.where(agreed[of_group[order]], order[start][of_group[order]], order)
    open_still = np.flatnonzero(~agreed)
    for parcel in in_parcels(length[open_still]):
        graphs = open_still[parcel]
        count = int(length[graphs[0]])
        mine = _ranges(begins[graphs], ends[graphs])
        graph = np.repeat(np.arange(len(graphs)), known[graphs])
        first, second = place[one[mine]], place[two[mine]]
        distance = np.full((len(graphs), count, count), CERTAIN - UNSEEN)
        distance[graph, first, second] = distance[graph, second, first] = CERTAIN - mean[mine]
        inside = order[start[graphs][:, None] + np.arange(count)]
        found = average_linkage(distance, members[inside].astype(np.float64), CERTAIN - cut)
        result[inside] = np.take_along_axis(inside, found, axis=1)
    return result


def _ranges(begins: IntArray, ends: IntArray) -> IntArray:
    """begins[0], ..., ends[0] - 1, begins[1], ..., ends[1] - 1, and so on."""
    length = ends - begins
    shift = np.repeat(begins - np.r_[0, np.cumsum(length)[:-1]], length)
    return np.asarray(np.arange(len(shift)) + shift, dtype=np.int64)


def _slices(length: int, step: int) -> list[slice]:
    return [slice(first, first + step) for first in range(0, length, step)]
