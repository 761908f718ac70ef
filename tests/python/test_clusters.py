"""Clusters from weighted pairs: the same as by plain average linkage, one component at a time."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from kindred.identity import clusters
from kindred.identity.components import components
from kindred.identity.linkage import average_linkage

Pairs = dict[tuple[int, int], float]
SURE, SILENT = clusters.CERTAIN, clusters.SILENT


def _cluster(size: int, pairs: Pairs, cut: float) -> list[int]:
    left = np.array([pair[0] for pair in pairs], dtype=np.int64)
    right = np.array([pair[1] for pair in pairs], dtype=np.int64)
    return clusters.cluster(size, left, right, np.array(list(pairs.values())), cut).tolist()


def _one_by_one(size: int, pairs: Pairs, cut: float) -> list[int]:
    """What `clusters.cluster` says, by scipy and in plain loops."""
    left = np.array([pair[0] for pair in pairs])
    right = np.array([pair[1] for pair in pairs])
    weight = np.array(list(pairs.values()))
    sure = components(size, left[weight >= SURE], right[weight >= SURE])
    likely = weight >= cut
    members: dict[int, list[int]] = defaultdict(list)
    for node, label in enumerate(components(size, left[likely], right[likely]).tolist()):
        members[label].append(node)
    result = list(range(size))
    for nodes in members.values():
        if len(nodes) == 1:
            continue
        matrix = np.full((len(nodes), len(nodes)), clusters.UNSEEN)
        for i, one in enumerate(nodes):
            for j, two in enumerate(nodes):
                given = pairs.get((one, two), pairs.get((two, one)))
                if sure[one] == sure[two]:
                    matrix[i, j] = SURE
                elif given is not None:
                    matrix[i, j] = given if given == SILENT else min(max(given, -20.0), 20.0)
        _ask_others(matrix)
        np.fill_diagonal(matrix, SURE)
        tree = linkage(SURE - matrix[np.triu_indices(len(nodes), 1)], method="average")
        found = fcluster(tree, SURE - cut, criterion="distance").tolist()
        for node, label in zip(nodes, found, strict=True):
            result[node] = nodes[found.index(label)]
    return result


def _ask_others(matrix: npt.NDArray[np.float64]) -> None:
    np.fill_diagonal(matrix, SILENT)
    size = len(matrix)
    for _ in range(3):
        before = matrix.copy()
        for i in range(size):
            for j in range(size):
                if i != j and before[i, j] == SILENT:
                    matrix[i, j] = min(np.minimum(before[i], before[j]).max(), 20.0)
    matrix[matrix == SILENT] = clusters.UNSEEN


def _town(rng: np.random.Generator, size: int, edges: int, *, ties: bool, sure: float) -> Pairs:
    """Pairs of a random graph: a few certain, a few silent, the rest weighed."""
    pairs: Pairs = {}
    for one, two in rng.integers(0, size, (edges, 2)).tolist():
        if one == two:
            continue
        weight = round(float(rng.normal(2.0, 8.0)), 6)
        if ties:
            weight = float(round(weight / 4.0)) * 4.0
        elif weight > clusters.CAP:
            # Two that are capped would be equally good.
            weight = round(clusters.CAP - float(rng.random()), 6)
        chance = rng.random()
        pairs[min(one, two), max(one, two)] = (
            SURE if chance < sure else SILENT if chance > 0.93 else weight
        )
    return pairs


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("density", [0.8, 1.2, 3.0])
def test_clusters_are_those_of_plain_average_linkage(seed: int, density: float) -> None:
    """Doing components of one size at once changes no cluster, with certain groups or without."""
    rng = np.random.default_rng(seed)
    size = 300
    for sure in (0.0, 0.1):
        pairs = _town(rng, size, int(size * density), ties=False, sure=sure)
        for cut in (-2.0, 1.5):
            assert _cluster(size, pairs, cut) == _one_by_one(size, pairs, cut)


@pytest.mark.parametrize("seed", range(6))
def test_a_component_too_large_to_compare_is_cut_into_pieces(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece is small enough and holds its certain groups whole."""
    monkeypatch.setattr(clusters, "LARGEST", 12)
    rng = np.random.default_rng(seed)
    pairs = _town(rng, 400, 1500, ties=False, sure=0.05)
    left = np.array([pair[0] for pair in pairs], dtype=np.int64)
    right = np.array([pair[1] for pair in pairs], dtype=np.int64)
    labels = clusters.cluster(400, left, right, np.array(list(pairs.values())), -4.0)
    groups = components(400, *np.array([pair for pair, w in pairs.items() if w >= SURE]).T)
    assert (labels == labels[groups]).all()
    assert max(len(np.unique(groups[labels == label])) for label in labels) <= 12


def test_what_was_cut_off_a_large_component_stays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hubs of the same nodes: cut off one, these would come back by the other, without end, and
    at last certain groups were torn, which ended runs on records of public figures."""
    monkeypatch.setattr(clusters, "LARGEST", 12)
    pairs: Pairs = {(0, n): 3.0 for n in range(2, 31)}
    pairs |= {(1, n): -3.0 for n in range(2, 31)}
    pairs[2, 31] = SURE
    left, right = np.array(list(pairs), dtype=np.int64).T
    groups = np.arange(32)
    groups[31] = 2
    found = clusters._pieces(32, left, right, np.array(list(pairs.values())), -4.5, groups)
    assert found[2] == found[31]
    assert np.bincount(found).max() <= 12


def test_a_hub_of_which_two_are_forbidden_falls_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A certain group that must not be one, and is too large to compare, is none."""
    monkeypatch.setattr(clusters, "LARGEST", 12)
    pairs: Pairs = {(0, n): SURE for n in range(1, 30)}
    assert set(_cluster(30, pairs, -1.0)) == {0}
    assert len(set(_cluster(30, {**pairs, (1, 2): -1e6}, -1.0))) == 30


@pytest.mark.parametrize("seed", range(6))
def test_equal_weights_fall_as_in_scipy(seed: int) -> None:
    """Where several merges are equally good, the one that scipy takes is taken."""
    rng = np.random.default_rng(seed)
    pairs = _town(rng, 200, 300, ties=True, sure=0.0)
    assert _cluster(200, pairs, -2.0) == _one_by_one(200, pairs, -2.0)
    distance = rng.integers(1, 4, (40, 9, 9)).astype(float)
    distance = np.minimum(distance, distance.transpose(0, 2, 1))
    found = average_linkage(distance.copy(), np.ones((40, 9)), 2.0)
    upper = np.triu_indices(9, 1)
    for own, labels in zip(distance, found.tolist(), strict=True):
        cut = fcluster(linkage(own[upper], method="average"), 2.0, criterion="distance").tolist()
        assert labels == [cut.index(label) for label in cut]


def test_shuffled_pairs_give_the_same_clusters() -> None:
    """Whoever gives the same pairs in another order, or turned round, gets the same clusters."""
    rng = np.random.default_rng(3)
    pairs = _town(rng, 400, 700, ties=True, sure=0.1)
    rows = list(pairs.items())
    expected = _cluster(400, pairs, -2.0)
    for seed in (1, 2):
        np.random.default_rng(seed).shuffle(rows)
        turned = {(two, one): weight for (one, two), weight in rows}
        assert _cluster(400, turned, -2.0) == expected


def test_a_rule_joins_a_hub_of_any_size() -> None:
    """600 records of one strong identifier are one: a rule links them as a star, and no leaf is
    compared with another."""
    star = {(0, leaf): SURE for leaf in range(1, 600)}
    assert set(_cluster(600, star, -2.0)) == {0}
    # A stranger who resembles one leaf is judged by the mean over all of them.
    assert _cluster(601, {**star, (1, 600): 9.0}, -2.0) == [0] * 600 + [600]
    crowd = {(0, leaf): SURE for leaf in range(1, clusters.LARGEST + 5)}
    assert set(_cluster(clusters.LARGEST + 5, crowd, -2.0)) == {0}


def test_a_cannot_link_parts_what_is_certain_of_both() -> None:
    """Two records that a steward keeps apart do not meet through one that a rule joins to each."""
    found = _cluster(3, {(0, 1): SURE, (1, 2): SURE, (0, 2): -1e9}, -2.0)
    assert found[0] != found[2]


def test_a_silent_pair_speaks_with_the_voice_of_others() -> None:
    """Between two certain groups one good pair counts for those that have nothing to say."""
    pairs = {(0, 1): SURE, (2, 3): SURE, (0, 2): 6.0, (0, 3): SILENT, (1, 2): SILENT}
    assert _cluster(4, {**pairs, (1, 3): SILENT}, 0.0) == [0, 0, 0, 0]
    assert _cluster(4, {**pairs, (1, 3): -20.0}, 0.0) == [0, 0, 2, 2]
