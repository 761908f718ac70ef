"""The review queue: what is worth a steward's minute comes first, what is decided never again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest

from kindred.identity import clusters, review
from kindred.identity.grouping import Bonds
from kindred.identity.review import ABOVE, BELOW, BRIDGE, HELD, LARGE, THIN, Judged

SURE = clusters.CERTAIN
CUT = -1.0
Pairs = Mapping[tuple[int, int], float]


def _queue(
    labels: list[int],
    pairs: Pairs,
    *,
    bonds: Bonds | None = None,
    whole: list[int] | None = None,
    records: list[int] | None = None,
    largest: int = 100,
    limit: int = review.LIMIT,
) -> list[dict[str, Any]]:
    judged = Judged(
        np.array([pair[0] for pair in pairs], dtype=np.int64),
        np.array([pair[1] for pair in pairs], dtype=np.int64),
        np.array(list(pairs.values()), dtype=np.float64),
        np.array(records or [1] * len(labels), dtype=np.int64),
        np.array(whole or labels, dtype=np.int64),
        np.array(labels, dtype=np.int64),
    )
    return _ranked(review.rows(judged, bonds or Bonds(), CUT, largest), limit)


def _ranked(rows: pa.Table, limit: int = review.LIMIT) -> list[dict[str, Any]]:
    """The rows as the queue has them: by the nodes, as a run ranks them by their keys."""
    order = review.ranked(rows, rows["n_l"].to_numpy(), rows["n_r"].to_numpy())
    found: list[dict[str, Any]] = rows.take(pa.array(order[:limit])).to_pylist()
    return found


def _pairs(rows: list[dict[str, Any]], reason: str) -> list[tuple[int, int]]:
    return [(row["n_l"], row["n_r"]) for row in rows if row["reason"] == reason]


def test_a_link_barely_above_the_threshold_is_asked_about() -> None:
    """Two records that are one by a hair are worth a look; two that surely are, are not."""
    rows = _queue([0, 0, 2, 2], {(0, 1): 0.5, (2, 3): 9.0})
    assert [(row["n_l"], row["n_r"], row["reason"]) for row in rows] == [(0, 1, ABOVE)]
    assert rows[0]["doubt"] == pytest.approx(1 / (1 + 2**0.5), abs=1e-6)
    assert (rows[0]["record_count"], rows[0]["records_at_stake"]) == (2, 1)


def test_a_weak_link_beside_strong_ones_is_no_question() -> None:
    """Where a way round holds two records together, nobody is asked about the weak link."""
    assert _queue([0, 0, 0], {(0, 1): 9.0, (1, 2): 9.0, (0, 2): 0.1}) == []
    assert _queue([0, 0, 0], {(0, 1): SURE, (1, 2): SURE, (0, 2): 0.1}) == []


def test_a_pair_just_missed_is_asked_about_once_a_pair_of_customers() -> None:
    """Of all nearly matching pairs between two customers, the best one is shown."""
    pairs = {(0, 1): 9.0, (2, 3): 9.0, (0, 2): -2.0, (1, 2): -3.0, (0, 3): -9.0, (1, 3): -2.0}
    rows = _queue([0, 0, 2, 2, 4], {**pairs, (0, 4): -6.0})
    assert _pairs(rows, BELOW) == [(0, 2)]
    (row,) = [row for row in rows if row["reason"] == BELOW]
    assert (row["record_count"], row["records_at_stake"], row["weight"]) == (4, 2, -2.0)
    assert row["doubt"] == pytest.approx(1 / (1 + 2**4), abs=1e-6)


def test_what_leaves_next_to_no_doubt_is_no_question() -> None:
    """A steward's minute is for pairs of which one in fifty answers sets a record right."""
    near = _queue([0, 1], {(0, 1): CUT - 3.9})
    assert [row["reason"] for row in near] == [BELOW]
    crowd = {(0, 1): CUT - 3.9, **{(0, i): -9.0 for i in range(2, 5)}}
    assert _queue([0, 1, 1, 1, 1], {**crowd, **{(1, i): SURE for i in range(2, 5)}}) == []
    # The same little doubt is worth a look where many records would move.
    many = {(i, j): SURE if i % 50 == 0 else 0.0 for i, j in _star(0, 50) + _star(50, 100)}
    rows = _queue([0] * 50 + [50] * 50, {**many, (0, 50): -4.5, (0, 51): -9.0})
    assert [row["reason"] for row in rows] == [BELOW]


def _star(start: int, end: int) -> list[tuple[int, int]]:
    return [(start, n) for n in range(start + 1, end)]


def test_silent_pairs_are_not_nearly_one() -> None:
    """Two records with nothing in common do not fill the queue."""
    assert _queue([0, 1], {(0, 1): clusters.SILENT}) == []


def test_a_bridge_between_two_groups_is_asked_about() -> None:
    """One link that alone holds two groups of two together is told as a bridge."""
    pairs = {(0, 1): 9.0, (2, 3): SURE, (1, 2): 6.0}
    rows = _queue([0] * 4, pairs)
    assert _pairs(rows, BRIDGE) == [(1, 2)]
    assert rows[0]["records_at_stake"] == 2
    # A second way round, or a single record on one side: no bridge.
    assert _pairs(_queue([0] * 4, {**pairs, (0, 3): 5.0}), BRIDGE) == []
    assert _pairs(_queue([0] * 3, {(0, 1): 9.0, (1, 2): 6.0}), BRIDGE) == []


@pytest.mark.parametrize("seed", range(12))
def test_bridges_are_those_of_the_textbook(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bridges of random clusters, and the records on their sides, are as networkx has them."""
    monkeypatch.setattr(review, "LEAST_WORTH", 0.0)
    rng = np.random.default_rng(seed)
    size, links = 40, 46
    graph = nx.Graph()
    graph.add_nodes_from(range(size))
    while graph.number_of_edges() < links:
        one, two = (int(n) for n in rng.integers(0, size, 2))
        if one != two:
            graph.add_edge(min(one, two), max(one, two), weight=float(rng.uniform(3, 9)))
    for one, two in list(graph.edges)[::9]:
        graph[one][two]["weight"] = SURE
    labels = [0] * size
    for group in nx.connected_components(graph):
        for node in group:
            labels[node] = min(group)
    records = rng.integers(1, 4, size).tolist()
    pairs = {
        (min(one, two), max(one, two)): data["weight"] for one, two, data in graph.edges(data=True)
    }
    rows = _ranked(
        review.rows(
            Judged(
                np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]),
                np.array(list(pairs.values())), np.array(records), np.array(labels),
                np.array(labels),
            ),
            Bonds(), CUT, 10**6,
        )
    )  # fmt: skip
    expected = {}
    for one, two in nx.bridges(graph):
        one, two = min(one, two), max(one, two)
        if pairs[one, two] < SURE:
            cut = graph.copy()
            cut.remove_edge(one, two)
            sides = [
                sum(records[n] for n in nx.node_connected_component(cut, end)) for end in (one, two)
            ]
            if min(sides) >= 2:
                expected[one, two] = min(sides)
    found = {
        (row["n_l"], row["n_r"]): row["records_at_stake"] for row in rows if row["reason"] == BRIDGE
    }
    thin = set(_pairs(rows, THIN))
    assert found == {pair: side for pair, side in expected.items() if pair not in thin}
    assert expected


def test_a_thin_cluster_is_shown_with_its_weakest_link() -> None:
    """Ten records in a row are asked about where they hang together least; ten agreeing are not."""
    row = {(i, i + 1): 9.0 - 0.1 * i for i in range(9)}
    (shown,) = [r for r in _queue([0] * 10, row) if r["reason"] == THIN]
    assert (shown["n_l"], shown["n_r"], shown["record_count"]) == (8, 9, 10)
    assert shown["doubt"] == pytest.approx(1 - 9 / 45, abs=1e-6)
    dense = {(i, j): 8.0 for i in range(10) for j in range(i + 1, 10)}
    assert _queue([0] * 10, dense) == []
    assert _queue([0] * 10, {(0, i): SURE for i in range(1, 10)}) == []


def test_a_large_cluster_is_never_published_silently() -> None:
    """A large and dense customer is in the queue, last, until a steward has confirmed it."""
    star: Pairs = {(0, i): SURE for i in range(1, 6)}
    (row,) = _queue([0] * 6, star, largest=5)
    assert (row["reason"], row["n_l"], row["n_r"], row["doubt"]) == (LARGE, 0, 5, 0.0)
    said = Bonds(must_left=np.array([5]), must_right=np.array([0]))
    assert _queue([0] * 6, star, largest=5, bonds=said) == []
    # Exact doubles are one node.
    (row,) = _queue([0], {}, largest=5, records=[9])
    assert (row["n_l"], row["n_r"], row["record_count"]) == (0, 0, 9)


def test_a_held_back_cluster_comes_first_with_the_links_that_would_join_it() -> None:
    """Whoever opens the queue reads first what is waiting to be published."""
    pairs = {(0, 1): 3.0, (1, 2): 5.0, (2, 3): SURE, (4, 5): 0.0}
    rows = _queue([0, 1, 2, 2, 4, 4], pairs, whole=[0, 0, 0, 0, 4, 4])
    assert [(row["reason"], row["n_l"], row["n_r"]) for row in rows] == [
        (HELD, 1, 2), (HELD, 0, 1), (ABOVE, 4, 5),
    ]  # fmt: skip
    assert {row["record_count"] for row in rows if row["reason"] == HELD} == {4}
    # The chance that they are one, as they are published apart.
    assert rows[0]["doubt"] == pytest.approx(1 / (1 + 2**-5), abs=1e-6)


def test_one_held_back_cluster_does_not_fill_the_queue() -> None:
    """Of a cluster of 60 loose records some links are asked about at a time."""
    chain = {(i, i + 1): 3.0 for i in range(59)}
    rows = _queue(list(range(60)), chain, whole=[0] * 60)
    assert len(_pairs(rows, HELD)) == review.MOST_OF_ONE


def test_what_a_steward_decided_does_not_come_back() -> None:
    """A confirmed link holds like a rule; customers kept apart are not asked about again."""
    above: Pairs = {(0, 1): SURE}
    assert _queue([0, 0], above) == []
    below = {(0, 1): 9.0, (1, 2): -2.0, (0, 2): -2.5}
    assert len(_queue([0, 0, 2], below)) == 1
    # The decision was on another pair of the two customers.
    said = Bonds(cannot_left=np.array([2]), cannot_right=np.array([0]))
    assert _queue([0, 0, 2], below, bonds=said) == []


def test_records_of_a_source_that_holds_everybody_once_are_not_asked_about() -> None:
    """Two records that the configuration keeps apart are no question for a steward."""
    held = Bonds(marked=np.array([0, 1]), mark=np.array([0, 0]))
    assert _queue([0, 1], {(0, 1): 8.0}, bonds=held) == []
    assert len(_queue([0, 1], {(0, 1): 8.0})) == 1


def test_the_queue_is_bounded_and_in_a_stable_order() -> None:
    """The most records likely to be wrong come first, in the same order whatever the input's."""
    rng = np.random.default_rng(3)
    size = 200
    labels = [2 * (i // 2) for i in range(size)]
    weights = rng.uniform(-1, 3, size).tolist()
    pairs = {(i, i + 1): weights[i] for i in range(0, size, 2)}
    records = rng.integers(1, 5, size).tolist()
    rows = _queue(labels, pairs, records=records, limit=30)
    worth = [row["doubt"] * row["records_at_stake"] for row in rows]
    assert len(rows) == 30
    assert worth == sorted(worth, reverse=True)
    shuffled = dict(sorted(pairs.items(), key=lambda item: item[1]))
    assert _queue(labels, shuffled, records=records, limit=30) == rows
