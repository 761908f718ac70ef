"""What is worth a steward's minute: the doubtful links, the pairs just missed, the odd clusters.

Everything is read from the judged pairs and the clusters; nothing is compared anew. A cluster is
held together by its certain parts (rules, stewards, exact doubles) and, between these, by the
strongest links that connect them all (a maximum spanning forest): only such a link can be the one
on which a cluster hangs. Weaker links beside it change nothing, so nobody is asked about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import scipy

from kindred.errors import KindredError
from kindred.identity.clusters import CERTAIN, SILENT
from kindred.identity.components import IntArray, components
from kindred.identity.grouping import Bonds

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

HELD = "held back: too large"
THIN = "thin cluster"
LARGE = "large cluster"
BRIDGE = "bridge"
ABOVE = "just above the threshold"
BELOW = "just below the threshold"
REASONS = (HELD, THIN, LARGE, BRIDGE, ABOVE, BELOW)

# How far from the threshold a link is near it, and how strong a bridge leaves no doubt (1000 : 1).
NEAR = 4.0
FIRM = 10.0
# A cluster of at least so many records is thin where less than this share of its pairs of records
# has a link of its own.
THIN_RECORDS = 8
THIN_DENSITY = 0.5
# A link is asked about where the answer is expected to set right at least so many records: one in
# fifty questions changes one record. Clusters that are held back, large or thin always are.
LEAST_WORTH = 0.02
# Links of one held-back cluster that are asked about at a time.
MOST_OF_ONE = 20
LIMIT = 500
_SEED = 20260101

COLUMNS = {
    "n_l": pa.int64(),
    "n_r": pa.int64(),
    "reason": pa.string(),
    "weight": pa.float64(),
    "record_count": pa.int64(),
    "records_at_stake": pa.int64(),
    "doubt": pa.float64(),
}


@dataclass(frozen=True)
class Judged:
    """The judged pairs of a run and what became of them.

    left, right, weight: as `clusters.cluster` reads them. records: of each node. whole: the
    clusters before the size guard; labels: those published (parts of the former).
    """

    left: IntArray
    right: IntArray
    weight: FloatArray
    records: IntArray
    whole: IntArray
    labels: IntArray


def limit_of(setting: Any) -> int:
    """Most rows of an entity, as the var identity_review_limit gives it."""
    try:
        found = int(str(LIMIT if setting is None else setting))
    except ValueError:
        found = -1
    if found < 0:
        raise KindredError(
            "vars.identity_review_limit is not a number of rows.", f"write a number, as {LIMIT}."
        )
    return found


def rows(
    judged: Judged, bonds: Bonds, cut: float, largest: int, forest: Forest | None = None
) -> pa.Table:
    """What is worth a steward's minute, in no order.

    forest: `forest_of` the same pairs, where it is known already.
    Columns: n_l, n_r (the two nodes asked about; n_l = n_r: all records of the cluster are exact
    doubles), reason (one of REASONS), weight (of that pair; null where it was never judged),
    record_count (of the cluster, or of both), records_at_stake (that would move), doubt (0 to 1:
    how likely what is published is wrong). Single links whose worth, which is doubt times records
    at stake, is below LEAST_WORTH leave next to no doubt and are left out. What a steward has
    decided does not come back: must-links hold like rules, clusters kept apart are not asked about
    again, and a cluster whose shown pair is confirmed is not shown again.
    """
    forest = forest_of(judged, cut) if forest is None else forest
    found = [
        _cluster_rows(judged, forest, bonds, largest),
        _link_rows(judged, forest, cut),
        _missed_rows(judged, bonds, cut),
    ]
    return _worthwhile(pa.concat_tables(found))


@dataclass(frozen=True)
class Forest:
    """The links that hold certain parts together, one fewer than parts in each cluster.

    left, right, weight: the strongest pair of records between two parts. side: records on the
    smaller side of the link; total: on both. is_bridge: no other link goes round it. parts,
    density: per node label of `whole`.
    """

    left: IntArray
    right: IntArray
    weight: FloatArray
    side: IntArray
    total: IntArray
    is_bridge: BoolArray
    density: FloatArray
    loose: IntArray


def forest_of(judged: Judged, cut: float) -> Forest:
    """The strongest links that hold the clusters together, read from the judged pairs."""
    size = len(judged.labels)
    left, right, weight = judged.left, judged.right, judged.weight
    certain = (weight >= CERTAIN) & (judged.labels[left] == judged.labels[right])
    parts = components(size, left[certain], right[certain])
    links = (
        (weight >= cut)
        & (weight < CERTAIN)
        & (judged.whole[left] == judged.whole[right])
        & (parts[left] != parts[right])
    )
    density, loose = _density(judged, parts, left[links], right[links])
    one, two, best = _strongest(parts, left[links], right[links], weight[links])
    alone = _alone(parts[left[links]], parts[right[links]], one, two, size)
    left, right, weight = left[links][best], right[links][best], weight[links][best]
    # By rank, so that no two are equal and there is only one such forest.
    rank = np.empty(len(weight))
    rank[np.lexsort((two, one, -weight))] = np.arange(1, len(weight) + 1)
    ranked = scipy.sparse.coo_matrix((rank, (one, two)), shape=(size, size))
    tree = scipy.sparse.csgraph.minimum_spanning_tree(ranked)
    taken = np.zeros(len(weight) + 1, dtype=bool)
    taken[tree.data.astype(np.int64)] = True
    in_tree = taken[rank.astype(np.int64)]
    of_part = _summed(parts, judged.records, size).astype(np.int64)
    side, total, is_bridge = _sides(of_part, one, two, in_tree)
    is_bridge &= alone[in_tree]
    return Forest(
        left[in_tree], right[in_tree], weight[in_tree], side, total, is_bridge, density, loose
    )


def _alone(left: IntArray, right: IntArray, one: IntArray, two: IntArray, size: int) -> BoolArray:
    """Whether the parts `one` and `two` are joined by a single pair of records."""
    keys = np.sort(np.minimum(left, right) * size + np.maximum(left, right))
    key = one * size + two
    count = np.searchsorted(keys, key, side="right") - np.searchsorted(keys, key, side="left")
    return np.asarray(count == 1)


def _density(
    judged: Judged, parts: IntArray, left: IntArray, right: IntArray
) -> tuple[FloatArray, IntArray]:
    """Per label of `whole`: the share of pairs of records with a link, a certain part counting as
    linked throughout; and the records outside its largest certain part."""
    size = len(parts)
    of_part = _summed(parts, judged.records, size)
    first = np.flatnonzero(of_part)
    owner = judged.whole[first]
    linked = _summed(owner, _pairs(of_part[first]), size)
    linked += _summed(judged.whole[left], judged.records[left] * judged.records[right], size)
    total = _summed(judged.whole, judged.records, size)
    possible = _pairs(total)
    largest: FloatArray = np.zeros(size)
    np.maximum.at(largest, owner, of_part[first])
    density: FloatArray = np.where(possible > 0, linked / np.maximum(possible, 1.0), 1.0)
    return np.asarray(np.round(density, 6), dtype=np.float64), (total - largest).astype(np.int64)


def _summed(owner: IntArray, values: npt.NDArray[Any], size: int) -> FloatArray:
    return np.bincount(owner, weights=values, minlength=size).astype(np.float64, copy=False)


def _pairs(count: FloatArray) -> FloatArray:
    return np.asarray(count * (count - 1) / 2)


def _strongest(
    groups: IntArray, left: IntArray, right: IntArray, weight: FloatArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Each two groups that are linked, the smaller label first, and where their best pair is."""
    one = np.minimum(groups[left], groups[right])
    two = np.maximum(groups[left], groups[right])
    order = np.lexsort((right, left, -weight, two, one))
    if not len(order):
        return one, two, order
    new = np.r_[True, (np.diff(one[order]) != 0) | (np.diff(two[order]) != 0)]
    best = order[new]
    return one[best], two[best], best


def _sides(
    of_part: IntArray, one: IntArray, two: IntArray, in_tree: BoolArray
) -> tuple[IntArray, IntArray, BoolArray]:
    """Records on the smaller side of each link of the forest, on both, and whether it is a bridge.

    A link that is not in the forest closes a circle with those between its ends. Each such link
    gets a random number; the numbers of all links that leave a subtree, combined by exclusive or,
    are zero exactly where the link above it is in no circle. Source: Pritchard and Thurimella
    (2011); a wrong zero has odds of 2^-63.
    """
    size = len(of_part)
    ends = np.unique(np.concatenate([one, two]))
    if not len(ends):
        none = np.empty(0, np.int64)
        return none, none, np.empty(0, dtype=bool)
    tree_one, tree_two = one[in_tree], two[in_tree]
    roots = np.unique(components(size, tree_one, tree_two)[ends])
    # A node above all roots makes the forest one tree.
    top = np.full(len(roots), size, dtype=np.int64)
    graph = scipy.sparse.coo_matrix(
        (
            np.ones(len(tree_one) + len(roots), dtype=np.int8),
            (np.concatenate([tree_one, top]), np.concatenate([tree_two, roots])),
        ),
        shape=(size + 1, size + 1),
    ).tocsr()
    order, above = scipy.sparse.csgraph.breadth_first_order(graph, size, directed=False)
    records = np.append(of_part, 0).astype(np.int64)
    tokens = np.zeros(size + 1, dtype=np.int64)
    beside = ~in_tree
    numbers = np.random.default_rng(_SEED).integers(1, 2**63 - 1, int(beside.sum()))
    np.bitwise_xor.at(tokens, one[beside], numbers)
    np.bitwise_xor.at(tokens, two[beside], numbers)
    place = np.empty(size + 1, dtype=np.int64)
    place[order] = np.arange(len(order))
    parent_place = np.r_[-1, place[above[order[1:]]]]
    starts = [0, 1]
    while starts[-1] < len(order):
        starts.append(int(np.searchsorted(parent_place, starts[-1], side="left")))
    for start, end in zip(starts[-2::-1], starts[:0:-1], strict=True):
        if start:
            level = order[start:end]
            np.add.at(records, above[level], records[level])
            np.bitwise_xor.at(tokens, above[level], tokens[level])
    below = np.where(above[tree_one] == tree_two, tree_one, tree_two)
    root = np.empty(size + 1, dtype=np.int64)
    root[:size] = components(size, tree_one, tree_two)
    total = records[root[below]]
    side = np.minimum(records[below], total - records[below])
    return side, total, tokens[below] == 0


def _link_rows(judged: Judged, forest: Forest, cut: float) -> pa.Table:
    """Links on which a cluster hangs: of held-back clusters, bridges, and those barely above."""
    held = judged.labels[forest.left] != judged.labels[forest.right]
    bridge = ~held & forest.is_bridge & (forest.side >= 2) & (forest.weight < FIRM)
    above = ~held & ~bridge & (forest.weight < cut + NEAR)
    asked = _first_of_each(judged, forest, held) | bridge | above
    reason = np.where(held, HELD, np.where(bridge, BRIDGE, ABOVE))
    chance = _chance(forest.weight)
    return _table(
        forest.left[asked],
        forest.right[asked],
        reason[asked],
        forest.weight[asked],
        forest.total[asked],
        forest.side[asked],
        np.where(held, chance, 1 - chance)[asked],
    )


def _first_of_each(judged: Judged, forest: Forest, held: BoolArray) -> BoolArray:
    """Of each held-back cluster the links that join most, surest first."""
    places = np.flatnonzero(held)
    worth = forest.side[places] * _chance(forest.weight[places])
    owner = judged.whole[forest.left[places]]
    order = np.lexsort((forest.right[places], forest.left[places], -worth, owner))
    chosen = np.zeros(len(held), dtype=bool)
    if len(order):
        new = np.r_[True, np.diff(owner[order]) != 0]
        start = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
        chosen[places[order[np.arange(len(order)) - start < MOST_OF_ONE]]] = True
    return chosen


def _cluster_rows(judged: Judged, forest: Forest, bonds: Bonds, largest: int) -> pa.Table:
    """Published clusters that are large or thin: these with the weakest link they hang on, those
    with their first and last node."""
    size = len(judged.labels)
    total = _summed(judged.labels, judged.records, size).astype(np.int64)
    is_whole = np.ones(size, dtype=bool)
    is_whole[judged.whole[judged.labels != judged.whole]] = False
    thin = (total >= THIN_RECORDS) & (forest.density < THIN_DENSITY) & is_whole
    shown = np.flatnonzero(thin | ((total > largest) & (judged.labels == np.arange(size))))
    order = np.lexsort((forest.right, forest.left, forest.weight))
    owner = judged.labels[forest.left[order]]
    same = owner == judged.labels[forest.right[order]]
    first, place = np.unique(owner[same], return_index=True)
    weakest = np.full(size, -1, dtype=np.int64)
    weakest[first] = order[same][place]
    link = weakest[shown]
    last = np.zeros(size, dtype=np.int64)
    np.maximum.at(last, judged.labels, np.arange(size))
    known = (link >= 0) & thin[shown]
    n_l = np.where(known, np.append(forest.left, -1)[link], shown)
    n_r = np.where(known, np.append(forest.right, -1)[link], last[shown])
    weight = np.where(known, np.append(forest.weight, np.nan)[link], np.nan)
    confirmed = np.isin(
        np.minimum(n_l, n_r) * size + np.maximum(n_l, n_r),
        np.minimum(bonds.must_left, bonds.must_right) * size
        + np.maximum(bonds.must_left, bonds.must_right),
    )
    left = ~confirmed
    return _table(
        n_l[left],
        n_r[left],
        np.where(thin[shown], THIN, LARGE)[left],
        weight[left],
        total[shown][left],
        np.where(is_whole, forest.loose, 0)[shown][left],
        np.where(is_whole, 1 - forest.density, 0.0)[shown][left],
    )


def _missed_rows(judged: Judged, bonds: Bonds, cut: float) -> pa.Table:
    """Of each two clusters that are nearly one, the pair that speaks for it most.

    The doubt is that of all judged pairs between the two: one good pair among bad ones says little.
    """
    size = len(judged.labels)
    labels, left, right, weight = judged.labels, judged.left, judged.right, judged.weight
    across = judged.whole[left] != judged.whole[right]
    across &= (weight > -CERTAIN) & (weight != SILENT)
    left, right, weight = left[across], right[across], np.minimum(weight[across], FIRM)
    one = np.minimum(labels[left], labels[right])
    two = np.maximum(labels[left], labels[right])
    key = one * size + two
    near = np.unique(key[weight >= cut - NEAR])
    near = np.setdiff1d(near, _decided(labels, bonds, size))
    near = near[~_share_a_source(labels, bonds, near // size, near % size)]
    kept = np.isin(key, near)
    left, right, weight = left[kept], right[kept], weight[kept]
    _, _, best = _strongest(labels, left, right, weight)
    _, place = np.unique(key[kept], return_inverse=True)
    mean = np.bincount(place, weights=weight) / np.maximum(np.bincount(place), 1)
    total = _summed(labels, judged.records, size).astype(np.int64)
    first, second = total[near // size], total[near % size]
    return _table(
        left[best],
        right[best],
        np.full(len(best), BELOW),
        weight[best],
        first + second,
        np.minimum(first, second),
        _chance(np.round(mean, 6)),
    )


def _decided(labels: IntArray, bonds: Bonds, size: int) -> IntArray:
    """Pairs of clusters that a steward keeps apart."""
    one, two = labels[bonds.cannot_left], labels[bonds.cannot_right]
    return np.unique(np.minimum(one, two) * size + np.maximum(one, two))


def _share_a_source(labels: IntArray, bonds: Bonds, one: IntArray, two: IntArray) -> BoolArray:
    """Pairs of clusters that both hold a record of a source that holds everybody once."""
    found = np.zeros(len(one), dtype=bool)
    for mark in np.unique(bonds.mark):
        holders = np.unique(labels[bonds.marked[bonds.mark == mark]])
        found |= np.isin(one, holders) & np.isin(two, holders)
    return found


def _chance(weight: FloatArray) -> FloatArray:
    """How likely two records of this weight (log2 of the odds) are one."""
    return np.asarray(1.0 / (1.0 + np.exp2(-weight)))


def _table(
    n_l: IntArray,
    n_r: IntArray,
    reason: npt.NDArray[np.str_],
    weight: FloatArray,
    record_count: IntArray,
    at_stake: IntArray,
    doubt: FloatArray,
) -> pa.Table:
    columns = {
        "n_l": n_l,
        "n_r": n_r,
        "reason": reason.tolist(),
        "weight": pa.array(weight, pa.float64(), from_pandas=True),
        "record_count": record_count,
        "records_at_stake": at_stake,
        "doubt": np.round(doubt, 6),
    }
    return pa.table(
        {name: pa.array(values, COLUMNS[name]) for name, values in columns.items()},
        schema=pa.schema(list(COLUMNS.items())),
    )


def _worth(table: pa.Table) -> FloatArray:
    """How many records an answer is expected to set right."""
    expected = table["doubt"].to_numpy() * table["records_at_stake"].to_numpy()
    return np.asarray(np.round(expected, 6), dtype=np.float64)


def _worthwhile(table: pa.Table) -> pa.Table:
    is_link = pc.is_in(table["reason"], value_set=pa.array([BRIDGE, ABOVE, BELOW]))
    return table.filter(pc.or_(pc.invert(is_link), pa.array(_worth(table) >= LEAST_WORTH)))


def ranked(table: pa.Table, left: IntArray, right: IntArray) -> IntArray:
    """Places of rows in order of worth; of rows about one pair only the first.

    Held-back clusters come first; of equal rows the pair (`left`, `right`) that comes first.
    """
    held = np.array([reason == HELD for reason in table["reason"].to_pylist()], dtype=bool)
    worth = _worth(table)
    order = np.lexsort((right, left, -worth, ~held))
    low, high = np.minimum(left, right)[order], np.maximum(left, right)[order]
    _, first = np.unique(np.column_stack([low, high]), axis=0, return_index=True)
    return np.asarray(order[np.sort(first)], dtype=np.int64)
