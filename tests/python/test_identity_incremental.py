"""Incremental matching: whatever the batches and their order, the end is that of one full run."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from identity_town import TRAPS, people, table_of
from kindred.identity import blocking, compared, model_files, scoring
from kindred.identity.person import PERSON
from kindred.identity.pipeline import resolve
from kindred.identity.resolution import Resolution


@pytest.fixture(scope="module")
def town() -> pa.Table:
    return table_of(people(250, seed=3) + TRAPS).drop_columns(["truth"])


@pytest.fixture(scope="module")
def model(town: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model file, so that runs only predict."""
    path = tmp_path_factory.mktemp("model") / "person.json"
    model_files.save(resolve(town, PERSON, model="train", with_links=False).model, PERSON, path)
    return str(path)


@pytest.fixture(params=["every pair", "blocked pairs"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Few records are all compared; many are blocked first."""
    if request.param == "blocked pairs":
        monkeypatch.setattr(blocking, "budget", lambda _, size: max(5000, 12 * size))
    return str(request.param)


def _partition(found: Resolution) -> set[frozenset[str]]:
    members: dict[str, set[str]] = {}
    for row in found.assignments.to_pylist():
        members.setdefault(row["entity"], set()).add(row["record_id"])
    return {frozenset(group) for group in members.values()}


def _same(one: Resolution, other: Resolution) -> None:
    assert _partition(one) == _partition(other)
    assert one.links.equals(other.links)
    assert one.junk.equals(other.junk)
    assert one.numbers.equals(other.numbers)


class _Counted:
    """Counts the pairs that Splink is asked to compare."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pairs = 0
        compare = scoring.Scorer.compare

        def counted(
            scorer: scoring.Scorer, left: scoring.IntArray, right: scoring.IntArray
        ) -> scoring.LevelArray:
            self.pairs += len(left)
            return compare(scorer, left, right)

        monkeypatch.setattr(scoring.Scorer, "compare", counted)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_split_in_any_order_ends_as_one_full_run(
    town: pa.Table, model: str, way: str, seed: int
) -> None:
    """Batches come in any order, with records changed and taken away; for all users of ids."""
    rng = random.Random(seed)
    rows = town.to_pylist()
    rng.shuffle(rows)
    marks = sorted(rng.sample(range(1, len(rows)), 3))
    wrong = [{**row, "last_name": "Changed", "city": None} for row in rows[: marks[0] : 7]]
    gone = [{**row, "record_id": f"gone:{i}"} for i, row in enumerate(rows[3:60:5])]
    states = [
        [*rows[: marks[0]], *gone],
        [row for row in rows[: marks[1]] if row not in rows[: marks[0] : 7]] + wrong,
        [*rows[: marks[2]], *gone[:4]],
        rows,
    ]
    earlier: pa.Table | None = None
    for state in states:
        given = pa.Table.from_pylist(state, schema=town.schema)
        found = resolve(given, PERSON, model=model, earlier=earlier)
        earlier = found.compared
    _same(found, resolve(town, PERSON, model=model))


def test_only_pairs_of_new_records_are_compared(
    town: pa.Table, model: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run with ten new records asks Splink about these only; one without any, about nothing."""
    counted = _Counted(monkeypatch)
    before = resolve(town.slice(10), PERSON, model=model)
    all_pairs, counted.pairs = counted.pairs, 0
    after = resolve(town, PERSON, model=model, earlier=before.compared)
    assert 0 < counted.pairs < all_pairs / 10
    counted.pairs = 0
    _same(after, resolve(town, PERSON, model=model, earlier=after.compared))
    assert counted.pairs == 0


def test_pairs_compared_a_few_at_a_time_come_out_the_same(
    town: pa.Table, model: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many pairs are compared in parcels, to need less memory; nobody sees it in the result."""
    at_once = resolve(town, PERSON, model=model)
    monkeypatch.setattr(scoring, "AT_A_TIME", 997)
    _same(resolve(town, PERSON, model=model), at_once)


def test_a_trained_model_is_the_same_after_batches(town: pa.Table, way: str) -> None:
    """Where each run trains, the last one learns what a full run learns."""
    before = resolve(town.slice(40), PERSON, model="train")
    after = resolve(town, PERSON, model="train", earlier=before.compared)
    full = resolve(town, PERSON, model="train")
    _same(after, full)
    assert after.model_choice == full.model_choice


def test_other_comparisons_recall_nothing(
    town: pa.Table, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever changes how fields are compared gets every pair compared anew."""
    counted = _Counted(monkeypatch)
    before = resolve(town, PERSON, model=model)
    all_pairs, counted.pairs = counted.pairs, 0
    first = PERSON.comparisons[0]
    other = replace(
        PERSON,
        comparisons=(
            replace(first, levels=(replace(first.levels[0], condition="given_l = family_r"),
                                   *first.levels[1:])),
            *PERSON.comparisons[1:],
        ),
    )  # fmt: skip
    resolve(town, other, model=model, earlier=before.compared)
    assert counted.pairs == all_pairs


def test_what_was_compared_survives_packing() -> None:
    """The packed table gives back keys, pairs, levels and what was only proposed; one packed in
    another format gives nothing, and all is compared anew."""
    rng = np.random.default_rng(5)
    pairs = compared.CHUNK + 17
    keys = rng.integers(0, 2**63, pairs).astype(np.uint64) * np.uint64(2)
    one = rng.integers(0, 2**32 - 1, pairs)
    found = compared.Compared(
        "settings", "rules", keys, one, one + 1,
        rng.integers(compared.NOT_COMPARED, 2**40, pairs), rng.random(pairs) < 0.5,
    )  # fmt: skip
    back = compared.from_table(compared.to_table(found))
    assert back is not None
    for name in ("keys", "left", "right", "code", "proposed"):
        assert np.array_equal(getattr(found, name), getattr(back, name)), name
    assert (back.settings, back.rules) == ("settings", "rules")
    packed = compared.to_table(found)
    assert compared.from_table(packed.slice(0, 0)) is None
    told = pa.array([json.dumps(["settings", "rules"])] * packed.num_rows)
    assert compared.from_table(packed.set_column(2, "settings", told)) is None
