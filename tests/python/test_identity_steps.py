"""What all records together determine comes in steps, so that a few more change hardly a weight."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from identity_town import people, record, table_of
from kindred.identity import (
    learning,
    leniency,
    mixture,
    model_files,
    records,
    steps,
    training,
    weighing,
)
from kindred.identity.account import ACCOUNT
from kindred.identity.entity import Entity
from kindred.identity.levels import encode
from kindred.identity.person import PERSON
from kindred.identity.pipeline import resolve
from kindred.identity.reference import load_reference
from kindred.identity.resolution import Resolution

MEMBERS = 700


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_borders_lie_where_exact_arithmetic_puts_them(width: int) -> None:
    """Whoever runs on another machine gets the same steps: the borders are whole numbers, each the
    first that lies beyond the middle between two steps."""
    borders = steps._borders(width, 1)
    for k, border in enumerate(borders.tolist()):
        middle = 2 ** ((2 * k + 1) * width)
        assert border**8 >= middle > (border - 1) ** 8
    counts = np.unique(np.concatenate([borders - 1, borders, np.arange(1, 2000)]))
    found = steps.log2_of_counts(counts[counts > 0], width)
    assert (np.diff(found) >= 0).all()
    assert np.abs(found - steps.PER_BIT * np.log2(counts[counts > 0])).max() <= width / 2 + 1e-9


def test_shares_come_in_steps_down_to_the_least() -> None:
    """A share lies at most half a step from how it is told; 1 stays 1, and nothing becomes 0."""
    shares = np.array([3.0, 1.45, 1.0, 0.9, 0.5, 0.0123, 1e-4, 2e-6])
    for width in (steps.KINDS, steps.NAMESAKES):
        told = steps.stepped_shares(shares, width)
        assert np.abs(np.log2(told / shares)).max() <= width / steps.PER_BIT / 2 + 1e-3
        assert told[2] == 1.0
        assert 0 < steps.stepped_shares(np.array(0.0), width) <= mixture.LEAST_U


@pytest.mark.parametrize(("total", "each"), [(0, 1), (9, 1), (19, 1), (20, 2), (39, 2), (40, 4)])
def test_samples_are_halved(total: int, each: int) -> None:
    """The share that is sampled stays until there are twice as many; enough are always taken."""
    assert steps.one_in(total, 10) == each


def test_a_class_hangs_on_the_own_count_and_the_total_alone() -> None:
    """For whoever adds records: how rare a value of few holders is changes where its own number of
    holders or the number that fill the field crosses a border, and nowhere else."""
    holders = np.arange(1, steps.FREQUENT)
    before = weighing.classes_of(holders, 100_000)
    changed = np.flatnonzero(np.diff(before.astype(int))) + 2
    borders = steps._borders(steps.HOLDERS, 1)
    assert changed.tolist() == borders[borders < steps.FREQUENT].tolist()
    totals = np.arange(90_000, 110_000)
    classes = np.array([weighing.classes_of(np.array([7]), int(x))[0] for x in totals])
    of_totals = steps.log2_of_counts(totals, steps.FILLED)
    assert np.array_equal(np.diff(classes.astype(int)), np.diff(of_totals))
    assert weighing.classes_of(np.array([0]), 10).tolist() == [0]
    assert weighing.classes_of(np.array([0]), 0).tolist() == [0]


@pytest.mark.parametrize("total", [64, 1000, 98_765, 3_000_000_000])
def test_the_class_of_a_frequent_value_is_its_share(total: int) -> None:
    """A name that one in eight has is told as three bits however many records there are, and the
    borders between classes are the first whole numbers beyond the middle."""
    holders = np.unique(np.geomspace(steps.FREQUENT, total, 5000).astype(np.int64))
    classes = weighing.classes_of(holders, total).astype(float) / steps.PER_BIT
    assert np.abs(classes + np.log2(holders / total)).max() <= 0.5 + 1e-9
    assert (np.diff(classes) <= 0).all()
    assert classes[-1] == 0
    for bits in range(1, 20):
        least = next((n for n, c in zip(holders, classes, strict=True) if c < bits), None)
        if least is not None and classes[0] >= bits:
            border = steps._borders_from(-bits, 1 - bits, 4, total)[0]
            told = weighing.classes_of(np.array([border - 1, border]), total) / steps.PER_BIT
            assert told.tolist() == [bits, bits - 1]
            middle = 2 ** (2 * bits - 1)
            assert border**2 * middle >= total**2 > (border - 1) ** 2 * middle


def test_a_frequent_value_stays_what_it_is_while_all_grows() -> None:
    """One per cent more of everybody moves the class of hardly a frequent value."""
    holders = np.arange(1000, 101_000, 7)
    before = weighing.classes_of(holders, 1_000_000)
    after = weighing.classes_of(np.rint(holders * 1.01).astype(np.int64), 1_010_000)
    assert (before != after).mean() < 0.001
    own = steps.log2_of_counts(holders, steps.HOLDERS)
    grown = steps.log2_of_counts(np.rint(holders * 1.01).astype(np.int64), steps.HOLDERS)
    assert (own != grown).mean() > 0.005


def _classes(town: pa.Table, entity: Entity = PERSON) -> dict[str, dict[str, tuple[Any, int]]]:
    """By field and record, its value and class."""
    with records.connect() as con:
        records.prepare(con, town, entity, load_reference())
        records.collapse(con, entity)
        named = tuple(c for c in entity.comparisons if c.rarity)
        classes = weighing.rarity_classes(con, named)
        found: dict[str, dict[str, tuple[Any, int]]] = {}
        for name in classes:
            rows = con.execute(
                f"select record_id, n, {name} from members inner join fields using (n)"
            ).fetchall()
            found[name] = {row: (value, int(classes[name][n])) for row, n, value in rows}
        return found


@pytest.fixture(scope="module")
def town() -> pa.Table:
    return table_of(people(300, seed=3)).drop_columns(["truth"])


@pytest.fixture(scope="module")
def more(town: pa.Table) -> pa.Table:
    """The town and one per cent more: newcomers with values of the town and values of their own."""
    held = town.to_pylist()
    new = [
        record(
            f"new:{i}", "", first_name=held[7 * i]["first_name"], last_name=f"Neuling{i}",
            city=held[5 * i]["city"], email=held[11 * i]["email"], birth_date=f"19{50 + i}-03-04",
        )
        for i in range(town.num_rows // 100)
    ]  # fmt: skip
    return table_of([*({**row, "truth": ""} for row in held), *new]).drop_columns(["truth"])


@pytest.fixture(scope="module")
def model(town: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model") / "person.json"
    model_files.save(resolve(town, PERSON, model="train", with_links=False).model, PERSON, path)
    return str(path)


def _weights(found: Resolution) -> dict[tuple[str, str], tuple[float, str]]:
    return {
        (row["record_id_l"], row["record_id_r"]): (row["match_weight"], row["field_weights"])
        for row in found.links.to_pylist()
        if row["match_weight"] is not None
    }


def test_one_per_cent_more_records_leave_old_weights(
    town: pa.Table, more: pa.Table, model: str
) -> None:
    """Whoever has seen a link finds it after a small load with the very same weight, unless the two
    share a value of which so many more are held that it is one step more common."""
    one, two = resolve(town, PERSON, model=model), resolve(more, PERSON, model=model)
    before, after = _weights(one), _weights(two)
    classes = _classes(town), _classes(more)
    moved = {
        name: {row for row, told in of_records.items() if classes[1][name][row] != told}
        for name, of_records in classes[0].items()
    }
    both = before.keys() & after.keys()
    unmoved = {
        pair for pair in both
        if not any(pair[0] in rows and pair[1] in rows for rows in moved.values())
    }  # fmt: skip
    assert len(unmoved) > 0.8 * len(before) > 100
    assert {pair: before[pair] for pair in unmoved} == {pair: after[pair] for pair in unmoved}
    # And it is the steps that do it: newcomers do hold values that such pairs share.
    names = dict(zip(more["record_id"].to_pylist(), more["first_name"].to_pylist(), strict=True))
    new = {name for row, name in names.items() if row.startswith("new:")}
    assert any(names[one] == names[two] and names[one] in new for one, two in unmoved)


def test_what_is_told_of_a_link_adds_up_in_steps(town: pa.Table, model: str) -> None:
    """Whoever reads a link finds the starting weight that pairs were weighed with."""
    found = resolve(town, PERSON, model=model)
    size = next(
        int(row["value"])
        for row in found.numbers.to_pylist()
        if row["metric_name"] == "representatives"
    )
    assert steps.stepped_size(size) != size
    for weight, parts in _weights(found).values():
        assert sum(json.loads(parts).values()) == pytest.approx(weight, abs=1e-5)
    weigher = weighing.Weigher(found.model, PERSON, (), {}, size)
    stepped = mixture.starting_weight(found.model, PERSON.matches, steps.stepped_size(size))
    assert weigher.start == stepped


def test_a_new_record_changes_two_of_the_strangers_pairs() -> None:
    """The check of the shipped model looks at the same strangers after a small load."""
    rng = np.random.default_rng(4)
    draw = rng.integers(0, 2**63, MEMBERS).astype(np.uint64) * np.uint64(2)

    def pairs(contents: np.ndarray) -> set[tuple[int, int]]:
        left, right = training.pairs_by_content(contents, 100)
        assert (left < right).all()
        one, two = contents[left].tolist(), contents[right].tolist()
        return {(min(x), max(x)) for x in zip(one, two, strict=True)}

    before = pairs(draw)
    assert 50 < len(before) < 250
    # Where a record stands, and how often its content is there, changes nothing.
    assert pairs(rng.permutation(np.concatenate([draw, draw[:20]]))) == before
    for new in rng.integers(0, 2**63, 30).astype(np.uint64) * np.uint64(2) + np.uint64(1):
        after = pairs(np.append(draw, new))
        assert len(after - before) <= 2
        assert len(before - after) <= 1
    few = training.pairs_by_content(draw[:12], 100)
    assert len(few[0]) == 66


def test_an_adapted_model_comes_in_steps() -> None:
    """Where the shipped model weighs, what it learns of the pairs at hand is rounded, so that a
    pair weighs the same after a small load; how pairs of a kind agree stays as it is."""
    shipped = model_files.shipped(PERSON)
    assert shipped is not None
    comparisons = tuple(c for c in PERSON.comparisons if c.field in shipped.fields)
    found = learning.in_steps(shipped, comparisons)
    counted = shipped.fields.index("namesakes")
    a_little = [np.append(x[:-1] * 0.99999, x[-1]) for x in shipped.m]
    again = learning.in_steps(
        replace(
            shipped,
            m=tuple(a_little[i] if i == counted else x for i, x in enumerate(shipped.m)),
            kinds={name: share * 1.00001 for name, share in shipped.kinds.items()},
        ),
        comparisons,
    )
    assert model_files.digest(again, PERSON) == model_files.digest(found, PERSON)
    assert found.m[counted].sum() == pytest.approx(1)
    assert found.kinds != shipped.kinds
    assert [
        i for i, (x, y) in enumerate(zip(found.m, shipped.m, strict=True)) if not (x == y).all()
    ] == [counted]


def test_a_model_that_is_there_keeps_how_pairs_of_each_kind_agree() -> None:
    """The pairs at hand teach how many there are of each kind, and not how neighbours agree."""
    shipped = model_files.shipped(PERSON)
    assert shipped is not None
    known = mixture.of_fields(shipped, ("given", "family", "birth", "street", "postcode", "city"))
    comparisons = tuple(c for c in PERSON.comparisons if c.field in known.fields)
    tops = [len(c.levels) - 1 for c in comparisons]
    # As many pairs of one address as matches, all of which share the street outright.
    patterns = np.array([tops, [0, 0, 0, *tops[3:]]], dtype=np.int8)
    found = learning.adapt(
        known, comparisons, PERSON.matches, PERSON.others, 10_000, list(known.u), patterns,
        np.array([5000.0, 5000.0]),
    ).model  # fmt: skip
    assert found.kinds["same person"] == pytest.approx(0.5, abs=0.1)
    assert known.kinds["same person"] > 1
    assert found.shared is known.shared


def test_the_shipped_model_weighs_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model that a run keeps, and every page that weighs again by it, has the steps."""
    town = table_of(people(300, seed=3)).drop_columns(["truth"])
    monkeypatch.setattr(model_files, "other_records", lambda *_: "")
    monkeypatch.setattr(model_files, "misfit", lambda *_: "")
    shipped = model_files.shipped(PERSON)
    assert shipped is not None
    filled = mixture.of_fields(shipped, tuple(f for f in shipped.fields if f not in (
        "company", "suffix",
    )))  # fmt: skip
    monkeypatch.setattr(model_files, "shipped", lambda _: filled)
    found = resolve(town, PERSON, with_links=False)
    assert found.model_choice.startswith("the shipped model")
    shares = np.array(list(found.model.kinds.values()))
    assert np.array_equal(shares, steps.stepped_shares(shares, steps.KINDS))


def test_the_cut_comes_in_steps_and_never_rises() -> None:
    """A few more pairs that disagree change no cut; more of them lower it, down to the lowest."""
    for entity in (PERSON, ACCOUNT):
        _, last = entity.disagreeing
        cuts = [leniency.lowered(entity, entity.cut, x) for x in np.linspace(0, last * 1.2, 500)]
        assert (np.diff(cuts) <= 0).all()
        assert (cuts[0], cuts[-1]) == (entity.cut, entity.lowest_cut)
        assert set(np.round(np.diff(cuts), 9)) <= {0.0, -leniency.STEP}


@pytest.mark.parametrize("asked", ["auto", "train"])
def test_what_was_counted_earlier_chooses_the_same_model(town: pa.Table, asked: str) -> None:
    """A run may hand on the patterns it counted, how many pairs have each and what is filled: the
    order and the number of the pairs they came from is no matter."""
    comparisons = tuple(c for c in PERSON.comparisons if c.field in ("given", "family", "birth"))
    rng = np.random.default_rng(2)
    levels = np.column_stack(
        [rng.integers(-1, len(c.levels), 4000).astype(np.int8) for c in comparisons]
    )
    totals = {c.field: (810, 0) for c in comparisons}
    u = [np.full(len(c.levels), 1 / len(c.levels)) for c in comparisons]
    strangers = training.Strangers(lambda: u, lambda: u)
    code = encode(levels, comparisons)
    seen = training.seen_of(code, comparisons, 2, totals, 900)
    assert seen.counts.sum() == 8000
    again = training.seen_of(rng.permutation(np.tile(code, 2)), comparisons, 1, totals, 900)
    models = [
        training.choose_model(PERSON, comparisons, x, strangers, asked)[0] for x in (seen, again)
    ]
    assert model_files.digest(models[0], PERSON) == model_files.digest(models[1], PERSON)
    assert models[0].about["fill"] == {c.field: 0.9 for c in comparisons}
