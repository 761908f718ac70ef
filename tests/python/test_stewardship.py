"""Stewards' decisions: understood or refused in words, and honoured whatever the evidence says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from kindred.errors import KindredError
from kindred.identity import clusters, deduplicated, guard, stewardship
from kindred.identity.grouping import Bonds
from kindred.identity.stewardship import CANNOT, MUST, Decision

Pairs = Iterable[tuple[int, int]]
HEADER = ",".join(stewardship.COLUMNS)


def _decided(decision: str, left: str, right: str, author: str = "mia") -> Decision:
    return Decision("person", decision, left, right, author, "seen by a person")


def _bonds(must: Pairs = (), cannot: Pairs = (), marks: Pairs = ()) -> Bonds:
    def columns(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
        table = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    return Bonds(*columns(must), *columns(cannot), *columns(marks))


def _honoured(
    size: int, pairs: dict[tuple[int, int], float], bonds: Bonds, cut: float = 0.0
) -> list[int]:
    """Clusters of weighed pairs, and then what the stewards say of them."""
    left = np.array([pair[0] for pair in pairs], dtype=np.int64)
    right = np.array([pair[1] for pair in pairs], dtype=np.int64)
    weight = np.array(list(pairs.values()), dtype=np.float64)
    labels = clusters.cluster(size, left, right, weight, cut)
    return stewardship.honour(labels, left, right, weight, cut, bonds).tolist()


SURE = clusters.CERTAIN


def test_a_cannot_link_parts_what_rules_join_through_a_third() -> None:
    """Two records kept apart by a steward never meet through a record certain to be each."""
    found = _honoured(3, {(0, 1): SURE, (1, 2): SURE}, _bonds(cannot=[(0, 2)]))
    assert found[0] != found[2]
    assert found[1] in (found[0], found[2])


def test_a_cannot_link_holds_in_a_large_certain_group() -> None:
    """One no outweighs any number of certain links between others of the group."""
    star = {(0, i): SURE for i in range(1, 200)}
    found = _honoured(200, star, _bonds(cannot=[(3, 7)]))
    assert found[3] != found[7]
    assert len(set(found)) == 2


def test_a_must_link_stands_above_rules_when_both_cannot_hold() -> None:
    """Of two ways to keep a forbidden pair apart, the steward's own link is never the one cut."""
    found = _honoured(3, {(1, 2): SURE}, _bonds(must=[(0, 1)], cannot=[(0, 2)]))
    assert found == [0, 0, 2]
    found = _honoured(3, {(0, 1): SURE}, _bonds(must=[(1, 2)], cannot=[(0, 2)]))
    assert found == [0, 1, 1]


def test_a_long_chain_of_must_links_holds_against_all_weights() -> None:
    """What stewards join one by one stays one, though every other pair speaks against it."""
    size = 120
    against = {(i, j): -20.0 for i in range(size) for j in range(i + 1, size)}
    found = _honoured(size, against, _bonds(must=[(i, i + 1) for i in range(size - 1)]))
    assert set(found) == {0}


def test_a_must_link_joins_the_clusters_of_its_records() -> None:
    """Who says that two records are one says it of the two customers."""
    pairs = {(0, 1): 9.0, (2, 3): 9.0, (0, 2): -9.0, (0, 3): -9.0, (1, 2): -9.0, (1, 3): -9.0}
    assert _honoured(4, pairs, Bonds()) == [0, 0, 2, 2]
    assert _honoured(4, pairs, _bonds(must=[(1, 2)])) == [0, 0, 0, 0]


def test_each_record_stays_with_those_it_is_nearest_to() -> None:
    """A cannot-link between two of a cluster parts it where its evidence is weakest."""
    near = {(0, 1): 12.0, (0, 2): 12.0, (1, 2): 12.0, (3, 4): 12.0, (3, 5): 12.0, (4, 5): 12.0}
    far = {(i, j): 3.0 for i in range(3) for j in range(3, 6)}
    pairs = {**near, **far, (2, 3): 11.0}
    assert _honoured(6, pairs, Bonds()) == [0] * 6
    assert _honoured(6, pairs, _bonds(cannot=[(0, 5)])) == [0, 0, 0, 3, 3, 3]


def test_other_clusters_are_left_as_they_are() -> None:
    """A decision changes the clusters of its records and nobody else's."""
    pairs = {(0, 1): 9.0, (1, 2): 8.0, (0, 2): clusters.SILENT, (3, 4): 9.0, (4, 5): 8.0}
    found = _honoured(6, pairs, _bonds(cannot=[(0, 1)]))
    assert found[0] != found[1]
    assert found[3:] == _honoured(6, pairs, Bonds())[3:]


def test_a_deduplicated_source_gives_one_record_to_a_cluster() -> None:
    """Two records of a source that holds everybody once are two people, whatever agrees."""
    pairs = {(0, 1): 9.0, (1, 2): SURE, (0, 2): 15.0}
    marks = [(0, 0), (2, 0)]
    assert _honoured(3, pairs, Bonds()) == [0, 0, 0]
    assert _honoured(3, pairs, _bonds(marks=marks)) == [0, 1, 1]
    # Records of two such sources may well be one.
    assert _honoured(3, pairs, _bonds(marks=[(0, 0), (2, 1)])) == [0, 0, 0]


def test_a_must_link_stands_above_a_deduplicated_source() -> None:
    """The steward knows of a double in a source that should have none; a third stays apart."""
    pairs = {(0, 1): 9.0, (0, 2): 9.0, (1, 2): 9.0}
    found = _honoured(3, pairs, _bonds(must=[(0, 1)], marks=[(0, 0), (1, 0), (2, 0)]))
    assert found == [0, 0, 2]


def test_many_clusters_at_once_are_each_as_alone() -> None:
    """What stewards decide on one customer changes nothing for another that is grouped anew too."""
    rng = np.random.default_rng(5)
    size, pairs, cannot = 5, {}, []
    alone: list[int] = []
    for start in range(0, 40 * size, size):
        ends = [(i, j) for i in range(size) for j in range(i + 1, size)]
        weights = np.round(rng.normal(4, 6, len(ends)), 1)
        own = {end: SURE if w > 10 else float(w) for end, w in zip(ends, weights, strict=True)}
        apart = tuple(int(n) for n in rng.choice(size, 2, replace=False))
        found = _honoured(size, own, _bonds(cannot=[apart]))
        alone += [label + start for label in found]
        pairs |= {(i + start, j + start): weight for (i, j), weight in own.items()}
        cannot.append((apart[0] + start, apart[1] + start))
    assert _honoured(40 * size, pairs, _bonds(cannot=cannot)) == alone
    assert len(set(alone)) > 80


def test_labels_do_not_depend_on_the_order_of_pairs() -> None:
    """The same data in another order gives the same clusters."""
    rng = np.random.default_rng(5)
    pairs = {
        (int(i), int(j)): float(w)
        for i, j, w in zip(
            rng.integers(0, 20, 90), rng.integers(20, 40, 90), rng.integers(1, 9, 90), strict=True
        )
    }
    bonds = _bonds(cannot=[(0, 21), (3, 25)], marks=[(i, 0) for i in range(0, 40, 9)])
    shuffled = dict(sorted(pairs.items(), key=lambda item: item[0][1] * 7 % 11))
    assert _honoured(40, pairs, bonds) == _honoured(40, shuffled, bonds)


def test_a_contradiction_names_both_decisions() -> None:
    """Stewards who disagree read who said what of which records, and how to mend it."""
    both = [_decided(MUST, "a:c:1", "b:c:1", "mia"), _decided(CANNOT, "b:c:1", "a:c:1", "tom")]
    with pytest.raises(KindredError) as told:
        stewardship.refuse_contradictions(both)
    for word in ("both must_link and cannot_link", "mia", "tom", "a:c:1", "b:c:1"):
        assert word in told.value.message
    assert "valid_to" in told.value.hint


def test_a_contradiction_through_others_names_the_whole_chain() -> None:
    """A is B and B is C, yet A is not C: all three decisions are told, and nobody else's."""
    held = [
        _decided(MUST, "a", "b", "mia"), _decided(MUST, "c", "b", "ole"),
        _decided(CANNOT, "c", "a", "tom"), _decided(MUST, "x", "y", "uta"),
    ]  # fmt: skip
    with pytest.raises(KindredError) as told:
        stewardship.refuse_contradictions(held)
    assert all(name in told.value.message for name in ("mia", "ole", "tom"))
    assert "uta" not in told.value.message
    stewardship.refuse_contradictions([*held[:2], held[3], _decided(CANNOT, "c", "x")])


def test_people_and_companies_do_not_contradict_each_other() -> None:
    """The same ids said of people and of companies are two matters."""
    of_company = Decision("account", CANNOT, "a", "b", "tom", "two firms")
    stewardship.refuse_contradictions([_decided(MUST, "a", "b"), of_company])


def _seed(folder: Path, *lines: str) -> Path:
    path = folder / "identity_overrides.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("person,must_link,a,a,mia,why,,", "with itself"),
        ("person,merge,a,b,mia,why,,", "'merge' is not a decision"),
        ("customer,must_link,a,b,mia,why,,", "'customer' is not an entity"),
        ("person,must_link,a,,mia,why,,", "a record id is missing"),
        ("person,must_link,a,b,,why,,", "has no author"),
        ("person,must_link,a,b,mia,,,", "has no reason"),
        ("person,must_link,a,b,mia,why,2026-02-01,2026-01-01", "ends before it begins"),
        ("person,must_link,a,b,mia,why,soon,", "valid_from is not a time"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused_by_line(
    tmp_path: Path, line: str, told: str
) -> None:
    """A steward with a slip of the pen reads its line and what to write instead."""
    path = _seed(tmp_path, "person,must_link,y,z,mia,fine,,", line)
    with pytest.raises(KindredError) as error:
        stewardship.read_seed(path)
    assert told in error.value.message
    assert "line 3" in error.value.message
    assert error.value.hint


def test_a_seed_without_a_column_is_refused(tmp_path: Path) -> None:
    """A seed that lost a column in a spreadsheet is told so, not read without it."""
    path = tmp_path / "identity_overrides.csv"
    path.write_text("entity,decision,record_id_l,record_id_r,author,reason,valid_from\n")
    with pytest.raises(KindredError, match="lacks the column valid_to"):
        stewardship.read_seed(path)


def test_decisions_that_never_hold_at_once_do_not_contradict(tmp_path: Path) -> None:
    """A steward may change their mind: the old decision ends when the new one begins."""
    path = _seed(
        tmp_path,
        "person,must_link,a,b,mia,why,,2026-03-01",
        "person,cannot_link,a,b,tom,why,2026-03-01T00:00:00Z,",
    )
    decisions = stewardship.read_seed(path)
    for day, kind in ((datetime(2026, 2, 28), MUST), (datetime(2026, 3, 1), CANNOT)):
        held = stewardship.in_force(decisions, day)
        assert [one.decision for one in held] == [kind]
        stewardship.refuse_contradictions(held)


def test_a_table_of_decisions_needs_an_author_where_it_has_the_column() -> None:
    """The run itself refuses what plain `dbt build` let through."""
    table = pa.table(
        {"decision": [MUST], "record_id_l": ["a"], "record_id_r": ["b"],
         "author": [None], "reason": ["why"]},
    )  # fmt: skip
    with pytest.raises(KindredError, match="has no author"):
        stewardship.of_table(table, "person")


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        (None, ()),
        ({}, ()),
        ({"person": ["crm", "crm:contact", "pos:member"]}, ("crm:", "pos:member:")),
        ("{'person': ['crm']}", ("crm:",)),
        ({"account": ["crm"]}, ()),
    ],
)
def test_deduplicated_sources_are_read_as_dbt_renders_them(
    setting: object, found: tuple[str, ...]
) -> None:
    """The var is a mapping, or its text; a source that is named whole holds its objects."""
    assert deduplicated.sources_of(setting, "person") == found


@pytest.mark.parametrize("setting", [["crm"], {"people": ["crm"]}, {"person": "crm"}])
def test_wrong_deduplicated_sources_are_told(setting: object) -> None:
    """A var of the wrong form is an error with an example, not a constraint that never holds."""
    with pytest.raises(KindredError, match="identity_deduplicated_sources"):
        deduplicated.sources_of(setting, "person")


@pytest.mark.parametrize("setting", [100, {"people": 5}, {"person": "many"}, {"person": 0}])
def test_a_wrong_limit_of_size_is_told(setting: object) -> None:
    """A var of the wrong form is an error with an example, not a guard that never holds."""
    with pytest.raises(KindredError, match="identity_largest_cluster"):
        guard.largest_of(setting, "person")


def _guarded(size: int, pairs: dict[tuple[int, int], float], largest: int = 100) -> list[int]:
    left = np.array([pair[0] for pair in pairs], dtype=np.int64)
    right = np.array([pair[1] for pair in pairs], dtype=np.int64)
    weight = np.array(list(pairs.values()), dtype=np.float64)
    labels = np.zeros(size, dtype=np.int64)
    records = np.ones(size, dtype=np.int64)
    return guard.hold_back(labels, left, right, weight, records, largest, -1.0).tolist()


def _chain(size: int, weight: float = 3.0) -> dict[tuple[int, int], float]:
    silent = {(i, j): clusters.SILENT for i in range(size) for j in range(i + 1, size)}
    return {**silent, **{(i, i + 1): weight for i in range(size - 1)}}


def test_a_chain_of_weak_links_is_held_back() -> None:
    """150 records, each barely linked to the next, are not published as one customer."""
    assert len(set(_guarded(150, _chain(150)))) == 150
    # A strong link a step does not make one person of a chain either.
    assert len(set(_guarded(150, _chain(150, 12.0)))) == 150


def test_a_small_chain_is_no_matter_of_the_guard() -> None:
    """The guard looks at large clusters only."""
    assert set(_guarded(100, _chain(100))) == {0}


def test_a_large_customer_with_dense_evidence_is_not_split() -> None:
    """300 records of one heavy user stay one: by weights throughout, or by a rule as a star."""
    dense = {(i, j): 9.0 for i in range(300) for j in range(i + 1, 300)}
    assert set(_guarded(300, dense)) == {0}
    assert set(_guarded(300, {(0, i): SURE for i in range(1, 300)})) == {0}


def test_a_large_company_is_held_together_as_loosely_as_a_small_one() -> None:
    """The guard asks for dense evidence, not for surer: it is no cap on true large entities."""
    assert set(_guarded(120, {(i, j): 0.5 for i in range(120) for j in range(i + 1, 120)})) == {0}


def test_a_loose_fringe_does_not_split_a_large_customer() -> None:
    """Three records that hang on loosely are no reason to hold back three hundred."""
    pairs = {(i, j): 9.0 for i in range(300) for j in range(i + 1, 300)}
    pairs |= {(299, 300): 2.0, (299, 301): 2.0, (298, 302): 2.0}
    assert set(_guarded(303, pairs)) == {0}


def test_two_large_groups_on_one_link_are_held_back_in_certain_parts() -> None:
    """Two crowds joined by one pair are parted, but what a rule joins stays together."""
    pairs = {(i, j): clusters.SILENT for i in range(80) for j in range(80, 160)}
    for start in (0, 80):
        pairs |= {(start, i): SURE for i in range(start + 1, start + 80)}
    assert _guarded(160, {**pairs, (79, 80): 15.0}) == [0] * 80 + [80] * 80


def test_a_hub_that_weakly_touches_everybody_is_held_back() -> None:
    """One empty record that resembles 150 others does not make them one."""
    assert len(set(_guarded(150, {(0, i): 5.0 for i in range(1, 150)}))) == 150


def test_the_guard_counts_records_not_representatives() -> None:
    """A cluster is as large as its records: exact doubles count."""
    left, right, weight = np.array([0, 1]), np.array([1, 2]), np.array([1.0, 1.0])
    labels = np.zeros(3, dtype=np.int64)
    few, many = np.array([1, 1, 1]), np.array([60, 60, 60])
    assert guard.hold_back(labels, left, right, weight, few, 100, -1.0).tolist() == [0, 0, 0]
    assert guard.hold_back(labels, left, right, weight, many, 100, -1.0).tolist() == [0, 1, 2]
