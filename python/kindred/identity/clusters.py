"""From weighted pairs to clusters: average linkage within the components of the likely pairs.

Plain connected components chain strangers together; here two clusters are merged only while the
mean weight over all pairs between them speaks for it, the strongest first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import linkage

from kindred.identity.components import IntArray, components

FloatArray = npt.NDArray[np.float64]

CERTAIN = 1000.0
CAP = 20.0
FLOOR = -20.0
# The weight of a pair that was never compared: weak evidence against.
UNSEEN = -4.0
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
) -> IntArray:
    """Pairs (l * size + r, sorted) inside a component of likely pairs that were never proposed.

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
    return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)


def cluster(size: int, left: IntArray, right: IntArray, weight: FloatArray, cut: float) -> IntArray:
    """Label nodes 0..size-1; a label is the smallest node of its cluster.

    Weights of at least CERTAIN (deterministic, steward) join first, of at most -CERTAIN
    (cannot-link) keep apart.
    """
    labels = _pieces(size, left, right, weight, cut)
    inside = labels[left] == labels[right]
    left, right, weight = left[inside], right[inside], weight[inside]
    if not len(left):
        return labels
    owner = labels[left]
    order = np.argsort(owner, kind="stable")
    left, right, weight, owner = left[order], right[order], weight[order], owner[order]
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    ends = np.r_[starts[1:], len(owner)]
    node_counts = np.bincount(labels, minlength=size)
    lowest = np.minimum.reduceat(weight, starts)
    complete = node_counts[owner[starts]]
    complete = (ends - starts) == complete * (complete - 1) // 2
    # Where every pair is known and speaks for a match, there is nothing to decide.
    undecided = ~(complete & (lowest >= cut))
    result = labels.copy()
    for start, end in zip(starts[undecided], ends[undecided], strict=True):
        _split(result, left[start:end], right[start:end], weight[start:end], cut)
    return result


def _pieces(size: int, left: IntArray, right: IntArray, weight: FloatArray, cut: float) -> IntArray:
    """Components of the likely pairs; one too large to compare throughout is cut at a higher
    weight until its pieces are small enough."""
    level = cut
    keep = weight >= level
    labels = components(size, left[keep], right[keep])
    while level < CERTAIN:
        counts = np.bincount(labels, minlength=size)
        large = counts[labels] > LARGEST
        if not large.any():
            break
        level += 2.0
        keep = (weight >= level) | (~large[left] & (weight >= cut))
        labels = components(size, left[keep], right[keep])
    return labels


def _split(
    result: IntArray, left: IntArray, right: IntArray, weight: FloatArray, cut: float
) -> None:
    nodes = np.unique(np.concatenate([left, right]))
    count = len(nodes)
    one, two = np.searchsorted(nodes, left), np.searchsorted(nodes, right)
    matrix = np.full((count, count), UNSEEN)
    bounded = np.clip(weight, FLOOR, CAP)
    bounded[weight >= CERTAIN] = CERTAIN
    bounded[weight < SILENT] = weight[weight < SILENT]
    bounded[weight == SILENT] = SILENT
    matrix[one, two] = bounded
    matrix[two, one] = bounded
    if (bounded == SILENT).any():
        matrix = _through_others(matrix)
    distance = CERTAIN - matrix[np.triu_indices(count, 1)]
    tree = linkage(distance, method="average")
    merges = tree[tree[:, 2] <= CERTAIN - cut, :2].astype(np.int64).tolist()
    # The first node of each cluster of the tree, and from a node up to the cluster it ended in.
    first = list(range(count)) + [0] * len(merges)
    for i, (one_part, other_part) in enumerate(merges, start=count):
        first[i] = min(first[one_part], first[other_part])
    label = first.copy()
    for i in range(count + len(merges) - 1, count - 1, -1):
        one_part, other_part = merges[i - count]
        label[one_part] = label[other_part] = label[i]
    result[nodes] = nodes[label[:count]]


def _through_others(matrix: FloatArray) -> FloatArray:
    """Give silent pairs the weakest weight on the strongest way between their ends."""
    np.fill_diagonal(matrix, SILENT)
    for _ in range(3):
        silent = np.argwhere(matrix == SILENT)
        silent = silent[silent[:, 0] < silent[:, 1]]
        if not len(silent):
            break
        best = np.array([np.minimum(matrix[i], matrix[j]).max() for i, j in silent])
        best = np.minimum(best, CAP)
        found = best > SILENT
        matrix[silent[found, 0], silent[found, 1]] = best[found]
        matrix[silent[found, 1], silent[found, 0]] = best[found]
    matrix[matrix == SILENT] = UNSEEN
    return matrix
