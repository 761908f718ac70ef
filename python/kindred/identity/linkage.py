"""Average linkage over many small graphs at once: those of one size in one array.

Calling a library once per component costs more than the linkage itself where there are a hundred
thousand of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from kindred.identity.components import IntArray

FloatArray = npt.NDArray[np.float64]

# Numbers in one array of distances.
MOST_CELLS = 4_000_000


def in_parcels(size: IntArray) -> Iterator[IntArray]:
    """Places of graphs of equal size, as many at a time as their distances fit MOST_CELLS."""
    order = np.argsort(size, kind="stable")
    values, starts, counts = np.unique(size[order], return_index=True, return_counts=True)
    for value, start, end in zip(values, starts, starts + counts, strict=True):
        step = max(MOST_CELLS // max(int(value) ** 2, 1), 1)
        for first in range(start, end, step):
            yield order[first : min(first + step, end)]


def average_linkage(distance: FloatArray, members: FloatArray, limit: float) -> IntArray:
    """Merge the parts of each graph while their mean distance is at most `limit`.

    distance: [graph, part, part], symmetric; members: [graph, part], how many nodes a part holds.
    Both are used up. Returns [graph, part]: the first part of the cluster that each falls into. Of
    equal distances it takes the one scipy takes. Source: Müllner, Modern hierarchical,
    agglomerative clustering algorithms (2011), the nearest-neighbour chain.
    """
    graphs, parts = members.shape
    slot = np.tile(np.arange(parts, dtype=np.int64), (graphs, 1))
    inner = np.arange(parts)
    distance[:, inner, inner] = np.inf
    chain = np.zeros((graphs, parts + 1), dtype=np.int64)
    length = np.zeros(graphs, dtype=np.int64)
    left = np.full(graphs, parts - 1, dtype=np.int64)
    here = np.flatnonzero(left)
    while len(here):
        begin = here[length[here] == 0]
        chain[begin, 0] = (members[begin] > 0).argmax(axis=1)
        length[begin] = 1
        last = length[here] - 1
        tip = chain[here, last]
        rows = distance[here, tip]
        nearest = rows.argmin(axis=1)
        before = chain[here, np.maximum(last - 1, 0)]
        every = np.arange(len(here))
        met = (last > 0) & (rows[every, before] <= rows[every, nearest])
        grown = here[~met]
        chain[grown, length[grown]] = nearest[~met]
        length[grown] += 1
        if met.any():
            joined = here[met]
            _merge(distance, members, slot, joined, tip[met], before[met], limit)
            length[joined] -= 2
            left[joined] -= 1
            here = here[left[here] > 0]
    first = np.full((graphs, parts), parts, dtype=np.int64)
    graph = np.arange(graphs)[:, None]
    np.minimum.at(first, (graph, slot), inner[None, :])
    return first[graph, slot]


def _merge(
    distance: FloatArray,
    members: FloatArray,
    slot: IntArray,
    graph: IntArray,
    one: IntArray,
    two: IntArray,
    limit: float,
) -> None:
    """Put part `one` of each graph together with `two`, in the place of the later of them."""
    gone, kept = np.minimum(one, two), np.maximum(one, two)
    few, many = members[graph, gone][:, None], members[graph, kept][:, None]
    close = distance[graph, gone, kept] <= limit
    far = (few * distance[graph, gone] + many * distance[graph, kept]) / (few + many)
    distance[graph, kept] = far
    distance[graph, :, kept] = far
    distance[graph, gone] = np.inf
    distance[graph, :, gone] = np.inf
    members[graph, kept] += members[graph, gone]
    members[graph, gone] = 0
    merged = graph[close]
    parts = slot[merged]
    slot[merged] = np.where(parts == gone[close][:, None], kept[close][:, None], parts)
