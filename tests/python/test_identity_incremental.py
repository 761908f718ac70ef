"""Incremental matching: whatever the batches and their order, the end is that of one full run."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from identity_batches import REFERENCE, Batches, Life, Row, World, rows_of, town_of
from identity_town import TRAPS, people, record
from kindred.errors import KindredError
from kindred.identity import (
    blocking,
    dbt_model,
    incremental,
    kept,
    leniency,
    links,
    model_files,
    pipeline,
    scoring,
    steps,
    touched,
    weighing,
)
from kindred.identity.entity import Comparison
from kindred.identity.person import PERSON
from kindred.identity.pipeline import resolve
from kindred.identity.resolution import Resolution, nothing


@pytest.fixture(scope="module")
def town() -> World:
    return town_of(people(120, seed=3) + TRAPS)


@pytest.fixture(scope="module")
def model(town: World, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model file, so that runs only predict."""
    return _model_of(town, tmp_path_factory.mktemp("model") / "person.json")


def _model_of(town: World, path: Path) -> str:
    found = resolve(town.given(), PERSON, model="train", with_links=False).model
    model_files.save(found, PERSON, path)
    return str(path)


@pytest.fixture(autouse=True, scope="module")
def patient() -> Iterator[None]:
    """In a small town a batch of a few is a large part of all, and is resolved by itself; what ten
    have is frequent."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(touched, "MOST", 2.0)
        patched.setattr(steps, "FREQUENT", 10)
        yield


@pytest.fixture(params=["every pair", "blocked pairs"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Few records are all compared; many are blocked first."""
    if request.param == "blocked pairs":
        monkeypatch.setattr(blocking, "budget", lambda _, size: max(20_000, 12 * size))
    return str(request.param)


@pytest.fixture(scope="module")
def left(town: World, model: str) -> Batches:
    """What a full run of the town leaves."""
    batches = Batches(model)
    batches.run(town)
    return batches


@pytest.fixture
def after(left: Batches) -> Batches:
    """The same, to go on from."""
    return replace(left)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pairs Splink was asked to compare, call by call."""
    calls: list[int] = []
    compare = scoring.Scorer.compare

    def noted(
        scorer: scoring.Scorer, left: scoring.IntArray, right: scoring.IntArray
    ) -> scoring.LevelArray:
        calls.append(len(left))
        return compare(scorer, left, right)

    monkeypatch.setattr(scoring.Scorer, "compare", noted)
    return calls


def _ids(town: World, start: int, end: int) -> list[str]:
    return sorted(town.rows)[start:end]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_any_split_in_any_order_ends_as_one_full_run(
    town: World, model: str, way: str, seed: int
) -> None:
    """Batches come in any order, with records changed and taken away; for all users of ids."""
    rng = random.Random(seed)
    names = sorted(town.rows)
    rng.shuffle(names)
    few, most, nearly = len(names) * 17 // 20, len(names) * 9 // 10, len(names) - 3
    first = names[:few]
    gone = [{**town.rows[n], "record_id": f"gone:{i}"} for i, n in enumerate(names[3:60:5])]
    wrong = [{**town.rows[n], "last_name": "Changed", "city": None} for n in first[::17]]
    batches = Batches(model)
    parts = [
        batches.check(world)
        for world in (
            town.without(names[few:]).having(*gone),
            town.without(names[most:]).having(*wrong),
            town.without(names[nearly:]).having(*gone[:4]),
            town,
        )
    ]
    assert [part.gone is None for part in parts].count(False) >= 2
    small = min(part.resolution.assignments.num_rows for part in parts if part.gone is not None)
    assert small < len(names) / 3


@pytest.mark.parametrize("seed", [1])
def test_whatever_happens_ends_as_one_full_run(
    town: World, model: str, way: str, seed: int
) -> None:
    """Records come, go and change; identifiers change hands; stewards decide and take back; values
    become junk, companies known and names common: every run leaves what a full one would."""
    _live(town, model, seed, batches=3, most=3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 26))
def test_long_lives_end_as_one_full_run(
    town: World, model: str, way: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for longer, under other policies, with few holders of an identifier, with a sample
    of the pairs."""
    rng = random.Random(seed)
    monkeypatch.setattr(links, "MOST_HOLDERS", rng.choice((4, 500)))
    above, wanted = rng.choice(((4_000, 2_000), (2_500_000, 500_000)))
    monkeypatch.setattr(pipeline, "SAMPLED_ABOVE", above)
    monkeypatch.setattr(pipeline, "SAMPLED", wanted)
    _live(
        town, model, seed, batches=8, most=6,
        cut=rng.choice((None, None, 3.0, -1.5)), sources=rng.choice(((), ("crm:",))),
        largest=rng.choice((None, 4, 8)), review_limit=rng.choice((20, 500)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def city() -> World:
    return town_of(people(800, seed=5) + TRAPS)


@pytest.fixture(scope="module")
def city_model(city: World, tmp_path_factory: pytest.TempPathFactory) -> str:
    return _model_of(city, tmp_path_factory.mktemp("city") / "person.json")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("budget", [40_000, 10_000_000])
def test_a_larger_town_lives_as_well(
    city: World, city_model: str, budget: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where two thousand records are blocked, most batches are small and stay so."""
    monkeypatch.setattr(blocking, "budget", lambda _, size: max(budget, 12 * size))
    _live(city, city_model, seed, batches=6, most=6)


def _live(town: World, model: str, seed: int, batches: int, most: int, **policy: Any) -> None:
    life, kept = Life(town, seed), Batches(model, **policy)
    world = town.without(life.some(town, 40))
    kept.check(world)
    parts = []
    for _ in range(batches):
        world = life.live(world, life.rng.randint(1, most))
        try:
            parts.append(kept.check(world))
        except AssertionError as error:
            raise AssertionError(f"after {', '.join(life.happened)}: {error}") from error
    assert sum(part.gone is not None for part in parts) >= len(parts) / 2, [
        part.reason for part in parts
    ]


def test_a_small_batch_is_a_small_part(after: Batches, town: World, counted: list[int]) -> None:
    """A run with four changed records compares only what they touch, and tells only what they
    touch anew: whoever waits for it waits for these."""
    world = town
    for name in _ids(town, 30, 34):
        world = world.changed(name, last_name="Neuling", email=None)
    part = after.run(world)
    size, pairs = len(town.rows), sum(counted)
    assert part.gone is not None
    assert 0 < len(part.gone) < 20
    assert 4 <= part.resolution.assignments.num_rows < size / 5
    assert pairs > 0
    counted.clear()
    after.resolved(world, None)
    assert pairs < sum(counted) / 5


def test_where_nothing_changed_nothing_is_compared(
    after: Batches, town: World, counted: list[int]
) -> None:
    """Whoever runs again without new records, in whatever order the old ones come, has no pair
    compared and nothing told anew but the figures."""
    before = after.findings
    part = after.check(town)
    assert part.gone is not None
    assert len(part.gone) == part.resolution.assignments.num_rows == 0
    counted.clear()
    after.run(town)
    assert sum(counted) == 0
    assert before is not None
    assert after.findings is not None
    for name in ("cluster", "link", "number", "junk", "review", "model"):
        assert rows_of(before, name) == rows_of(after.findings, name)


def _twice(town: World, model: str) -> list[list[str]]:
    """The parts that each of two runs told, between which a column changed that nobody reads."""
    session = duckdb.connect()
    names = ("record_id", "identifier_type", "identifier_value")
    given: dict[str, Any] = {
        "identifiers": pa.table({name: pa.nulls(0, pa.string()) for name in names}),
        "overrides": pa.table(
            {n: pa.nulls(0, pa.string()) for n in ("decision", "record_id_l", "record_id_r")}
        ),
    }
    settings = {"identity_model": model, "identity_cut": "None", "identity_policy": {}}
    found = nothing()
    parts = []
    for day in ("1", "2"):
        records = town.given(int(day))
        records = records.append_column("seen_at", pa.array([day] * records.num_rows))
        given |= {
            "records": records,
            "earlier": found.filter(pc.equal(found["part"], "kept")),
            "last": nothing,
        }
        found = dbt_model.resolve_relations(
            "person", given, REFERENCE, settings, session, keeps=True, changes_only=True
        )
        parts.append([str(part) for part in found["part"].to_pylist()])
    return parts


def test_what_matching_ignores_is_no_change(town: World, model: str) -> None:
    """A column that matching does not read may change in every record: none is resolved anew."""
    parts = _twice(town, model)
    assert parts[0].count("cluster") == len(town.rows)
    assert "all" in parts[0]
    assert not {"all", "gone", "cluster", "link"} & set(parts[1])
    assert {"number", "model", "kept"} <= set(parts[1])


def test_what_was_kept_may_come_late(
    town: World, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the last run kept is waited for, however late its parts come by each of their ways."""
    at_once = dbt_model.packed_of

    def late(way: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in way:
            time.sleep(0.3)
            yield batch

    monkeypatch.setattr(
        dbt_model, "packed_of", lambda *given: [late(way) for way in at_once(*given)]
    )
    assert "gone" not in _twice(town, model)[1]


def test_splink_is_asked_where_nothing_was_kept(
    town: World, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run after another need not load Splink: what it said is kept, and pairs are told by it."""
    asked: list[int] = []
    said, unpack = scoring._said_by_splink, kept.unpack_side_by_side

    def asking(comparisons: tuple[Comparison, ...]) -> scoring.Sql:
        asked.append(len(comparisons))
        return said(comparisons)

    def forgetting(*given: Any) -> Any:
        scoring._known_sql.clear()
        asked.append(0)
        return unpack(*given)

    monkeypatch.setattr(scoring, "_known_sql", {})
    monkeypatch.setattr(scoring, "_said_by_splink", asking)
    monkeypatch.setattr(kept, "unpack_side_by_side", forgetting)
    assert "gone" not in _twice(town, model)[1]
    assert asked[0] == 0
    assert asked[1] > 0
    assert asked[-1] == 0


def test_arrow_has_its_own_memory_again(
    town: World, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Matching takes Arrow's memory from the system, and nobody else does because of it."""
    before, pools = pa.default_memory_pool().backend_name, []
    resolve = incremental.resolve

    def noted(*given: Any, **named: Any) -> incremental.Part:
        pools.append(pa.default_memory_pool().backend_name)
        return resolve(*given, **named)

    monkeypatch.setattr(incremental, "resolve", noted)
    _twice(town, model)
    assert pools == ["system", "system"]
    assert pa.default_memory_pool().backend_name == before


Steps = Callable[[World], list[World]]
OTTO = [
    record(
        f"shop:h{i}", "", first_name="Otto", last_name="Brandt", phone=f"+4930{i // 2:07}",
        street="Am Markt 3", city="Köln", postcode="50667", email=f"otto{(i + 1) // 2}@mail.org",
    )
    for i in range(9)
]  # fmt: skip


def _swapped(town: World, one: str, two: str) -> World:
    return town.having({**town.rows[one], "record_id": two}, {**town.rows[two], "record_id": one})


def _all_change(town: World) -> list[World]:
    """A town in which in time every record has changed, and none came or went."""
    found, names = [], sorted(town.rows)
    for start in (0, 40):
        for name in names[start : start + 40]:
            town = town.changed(name, city="Neustadt")
        found.append(town)
    return found


def _named(given: str, *families: str) -> list[Row]:
    return [record(f"shop:n{i}", "", first_name=given, last_name=x) for i, x in enumerate(families)]


SIX = ("Ahorn", "Birke", "Calvet", "Dornfeld", "Eschen", "Fichtel")
COUPLE = [
    record(
        f"shop:{name}", "", first_name=name, last_name="Hollweg", street="Seeweg 3", city="Bonn",
        postcode="53111", birth_date="1970-01-01",
    )
    for name in ("Kasimira", "Brunhild")
]  # fmt: skip
WORKS = record("shop:w", "", first_name="Nordklippe", last_name="Stahl", email="b@nk.org")
SAID = {
    **record("crm:w", "", first_name="Anna", last_name="Zeder", email="c@nk.org"),
    "company_name": "Nordklippe Stahl",
}
# Five families are called Kasimira, unless one of the names is that of a company.
KASIMIRAS = (*COUPLE, *_named("Kasimira", *SIX[:3]), {**WORKS, "first_name": "Kasimira"})
KASIMIRA_STAHL = {**SAID, "company_name": "Kasimira Stahl"}
ODD: Mapping[str, Steps] = {
    "two records swap ids": lambda t: [_swapped(t, *_ids(t, 20, 41)[::20])],
    "two records of a person swap ids": lambda t: [_swapped(t, *_ids(t, 20, 22))],
    "a record changes and changes again": lambda t: [
        t.changed("shop:r0-0", last_name="Neu"), t.changed("shop:r0-0", last_name="Neuer"),
    ],
    "a record without anything, and nothing else": lambda t: [t.having({"record_id": "shop:b"})],
    "a record without anything": lambda t: [
        t.having({"record_id": "shop:bare"}),
        t.having({"record_id": "shop:bare2", "first_name": ""}),
    ],
    "empty names": lambda t: [
        t.having(record("shop:e1", "", first_name="", last_name=" ", email="a@b.org")).changed(
            _ids(t, 5, 6)[0], first_name="-"
        ),
    ],
    "all records of a cluster go and come back": lambda t: [
        t.without(n for n in t.rows if ":r7-" in n), t,
    ],
    "exact doubles": lambda t: [
        t.having(*({**t.rows[n], "record_id": f"crm:{n}"} for n in _ids(t, 0, 12))),
        t.having(*({**t.rows[n], "record_id": f"crm:{n}"} for n in _ids(t, 6, 12))).without(
            _ids(t, 8, 10)
        ),
    ],
    "every record changes in time": _all_change,
    "identifiers change hands": lambda t: [
        t.held(*((n, "user_id", "1") for n in _ids(t, 10, 50)[::20])),
        t.held(*((n, "user_id", "1") for n in _ids(t, 30, 70)[::20]), ("gone", "user_id", "1")),
    ],
    "a must_link and a cannot_link come and go": lambda t: [
        t.decided(("must_link", *_ids(t, 10, 31)[::20]), ("cannot_link", "crm:r9-1", "shop:r9-0")),
        t.decided(("must_link", *_ids(t, 10, 31)[::20]), ("cannot_link", *_ids(t, 50, 52))),
    ],
    "a must_link waits for its record": lambda t: [
        t.without(_ids(t, 10, 11)).decided(("must_link", *_ids(t, 10, 61)[::50])),
        t.decided(("must_link", *_ids(t, 10, 61)[::50])),
    ],
    "a cannot_link waits for its record": lambda t: [
        t.without(_ids(t, 10, 11)).decided(("cannot_link", *_ids(t, 10, 61)[::50])),
        t.decided(("cannot_link", *_ids(t, 10, 61)[::50])),
    ],
    "a mailbox becomes junk": lambda t: [
        t.having(*_mailbox(9)), t.having(*_mailbox(5)), t.having(*_mailbox(9)),
    ],
    "names that nobody bears come and go": lambda t: [
        t.having(*_nobody("Unknown", "Kunde"), *_nobody("Zacharias", "Test")),
        t.having(*_nobody("Unknown", "Kunde"), *_nobody("Zacharias", "Familie")),
        t.having(*_nobody("Zacharias", "Kunde")),
    ],
    "a company is known by name only": lambda t: [
        t.having(WORKS), t.having(WORKS, SAID), t.having(WORKS),
    ],
    "a first name becomes common": lambda t: [
        t.having(*COUPLE), t.having(*COUPLE, *_named("Kasimira", *SIX)), t.having(*COUPLE),
    ],
    "a company is known, and so a first name is no longer common": lambda t: [
        t.having(*KASIMIRAS), t.having(*KASIMIRAS, KASIMIRA_STAHL), t.having(*KASIMIRAS),
    ],
}  # fmt: skip


def _nobody(first: str, last: str) -> list[Row]:
    return [
        record(f"shop:{first}{i}", "", first_name=first, last_name=last, birth_date=f"198{i}-02-03")
        for i in range(2)
    ]


def _mailbox(count: int) -> list[Row]:
    return [
        record(
            f"shop:j{i}", "", first_name=f"Vor{i}nam", last_name=f"Nach{i}nam", city="Bonn",
            email="verein@alle.org",
        )
        for i in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_odd_changes_end_as_a_full_run(after: Batches, town: World, case: str) -> None:
    """Whatever odd thing happens to a few records, every run leaves what a full one would, and
    resolves these alone."""
    for world in ODD[case](town):
        part = after.check(world)
        assert part.gone is not None, part.reason


def _friedas(count: int) -> list[Row]:
    """Records of one first name, two of each person."""
    return [
        record(
            f"shop:f{i}", "", first_name="Frieda", last_name=f"Nachnam{chr(97 + i // 2)}",
            birth_date=f"19{50 + i // 2}-02-03", city="Bonn" if i % 2 else "Köln",
        )
        for i in range(count)
    ]  # fmt: skip


def test_a_frequent_name_gets_rarer_while_nobody_takes_or_leaves_it(
    after: Batches, town: World, model: str
) -> None:
    """What two records of one name weigh hangs on its share: where others come, it falls."""
    before = after.kept()
    assert before is not None
    given = before.totals["given"][0]
    # The fewest who share it by one in eight, or nearly: one more of others, and it is rarer.
    count = next(
        n for n in range(10, 99)
        if weighing.classes_of(np.array([n]), given + n)[0]
        < weighing.classes_of(np.array([n]), given + n + 6)[0]
    )  # fmt: skip
    town = town.having(*_friedas(count))
    batches = Batches(model, cut=2.0)
    batches.run(town)
    others = [
        record(f"shop:o{i}", "", first_name=f"Vor{name}", last_name=name, city="Bonn")
        for i, name in enumerate(SIX)
    ]
    part = batches.check(town.having(*others))
    assert part.gone is not None, part.reason
    frieda = [row for row in rows_of(batches.findings, "link") if "shop:f0" in row]
    assert frieda
    assert part.resolution.links["record_id_l"].to_pylist().count("shop:f0") == len(frieda)


BARE: Row = {"record_id": "shop:b", "email": "x@"}
TWIN: Row = {"record_id": "shop:b2", "email": "x@"}
ANNA = record("shop:b", "", first_name="Anna", last_name="Zeder", birth_date="1980-02-03")
ANNA_TOO = {**ANNA, "record_id": "shop:c"}
OTHER = record("shop:o", "", first_name="Xaver", last_name="Ulmer", email="x@mail.org")


@pytest.mark.parametrize(
    "worlds",
    [
        [[TWIN, BARE], [TWIN, {"record_id": "shop:b", "first_name": "-"}, ANNA_TOO]],
        [[OTHER, ANNA], [OTHER, ANNA, {**ANNA, "record_id": "shop:a", "email": "x@"}]],
    ],
    ids=["of one record", "of the first of two doubles"],
)
def test_what_blocks_and_is_no_match_field_counts_as_a_change(
    town: World, model: str, worlds: list[list[Row]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The beginning of a broken mailbox proposes pairs, though the mailbox is no match field."""
    monkeypatch.setattr(blocking, "budget", lambda _, size: max(20_000, 12 * size))
    batches = Batches(model)
    batches.run(town.having(*worlds[0]))
    assert batches.check(town.having(*worlds[1])).gone is not None


_NEW = [{"record_id": "crm:new", "email": f"{name}@mail1.org"} for name in ("one", "two")]
_REPEATED: dict[str, list[dict[str, str]]] = {
    "the same row": [{}],
    "another row of a record": [{"email": "another@mail1.org"}],
    "two rows of a new record": _NEW,
    # Rows that count once, and as many that count more than once.
    "both": [{}, {}, *_NEW],
}


@pytest.mark.parametrize("how", _REPEATED)
def test_repeated_ids_are_refused(after: Batches, town: World, how: str) -> None:
    """Whoever hands in one id twice is told so, as a full run tells it."""

    class Twice(World):
        def given(self, seed: int = 0) -> pa.Table:
            told = super().given(seed)
            (row,) = told.slice(0, 1).to_pylist()
            more = [{**row, **otherwise} for otherwise in _REPEATED[how]]
            return pa.concat_tables([told, pa.Table.from_pylist(more, schema=told.schema)])

    with pytest.raises(KindredError, match="record ids are missing or repeat"):
        after.run(Twice(town.rows))


def test_a_source_that_holds_everybody_once(town: World, model: str) -> None:
    """Of such a source no two records are one, whichever of exact doubles comes first or goes."""
    batches = Batches(model, sources=("crm:",))
    some = _ids(town, 0, 6)
    early, late = ([{**town.rows[n], "record_id": f"crm:{x}{n}"} for n in some] for x in ("0", "z"))
    batches.run(town)
    for world in (
        town.having(*late), town.having(*late, *early), town.without(some[:3]).having(*early),
    ):  # fmt: skip
        assert batches.check(world).gone is not None


def test_a_cannot_link_inside_a_cluster_that_is_held_back(town: World, model: str) -> None:
    """A cluster too large to be published silently stays right as stewards part it and records
    come, go and are told twice."""
    batches = Batches(model, largest=4, cut=-1.0)
    whole = town.having(*OTTO)
    parted = whole.decided(("cannot_link", "shop:h1", "shop:h4"))
    batches.run(whole)
    for world in (
        parted, whole.without(["shop:h5"]), whole.having({**OTTO[3], "record_id": "shop:h99"}),
    ):  # fmt: skip
        assert batches.check(world).gone is not None


def test_a_cut_given_by_hand(town: World, model: str) -> None:
    """Whoever sets the cut has it kept from batch to batch."""
    batches = Batches(model, cut=4.0)
    for world in (town.without(_ids(town, 0, 9)), town, town.without(_ids(town, 50, 55))):
        part = batches.check(world)
    assert part.gone is not None
    assert part.resolution.weighed_by["value"].to_pylist() == [4.0]


@pytest.mark.parametrize("asked", ["shipped", "auto"])
def test_the_shipped_model(
    town: World, way: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the shipped model weighs, what it learns of all pairs is learnt in batches as well."""
    monkeypatch.setattr(model_files, "other_records", lambda *_: "")
    monkeypatch.setattr(model_files, "misfit", lambda *_: "")
    batches = Batches(asked)
    reasons = []
    for world in (
        town, town.changed("shop:r0-0", city="Neustadt"), town.without(_ids(town, 50, 51)),
    ):  # fmt: skip
        part = batches.check(world)
        assert part.resolution.model_choice.startswith("the shipped model")
        reasons.append(part.reason if part.gone is None else "")
    assert reasons[1:].count("") >= 1, reasons


def test_a_trained_model_is_the_same_after_batches(town: World) -> None:
    """Where each run trains, it learns from all records, and nothing is kept for the next."""
    batches = Batches("train")
    for world in (town.without(_ids(town, 0, 40)), town):
        part = batches.check(world)
        assert part.gone is None
        assert part.kept is None


def test_pairs_compared_a_few_at_a_time_come_out_the_same(
    town: World, model: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many pairs are compared in parcels, to need less memory; nobody sees it in the result."""
    at_once = resolve(town.given(), PERSON, model=model)
    monkeypatch.setattr(scoring, "AT_A_TIME", 997)
    _same(resolve(town.given(), PERSON, model=model), at_once)


def _same(one: Resolution, other: Resolution) -> None:
    for name in ("assignments", "links", "junk", "numbers", "review"):
        assert getattr(one, name).equals(getattr(other, name)), name


def test_other_settings_recall_nothing(after: Batches, town: World, counted: list[int]) -> None:
    """Whoever changes how fields are compared gets every pair compared anew: code, word lists and
    settings are in the text under which a run's findings are kept."""
    assert after.findings is not None
    told = after.findings.filter(pc.equal(after.findings["part"], "kept"))
    other = pa.array(["other settings"] * told.num_rows)
    place = told.column_names.index("settings")
    fresh = replace(after, findings=told.set_column(place, "settings", other))
    part = fresh.run(town)
    asked = sum(counted)
    counted.clear()
    Batches(after.model).run(town)
    assert part.gone is None
    assert asked == sum(counted) > len(town.rows)


Patch = pytest.MonkeyPatch
Provoke = Callable[[World, Patch], World]


def _patched(target: object, name: str, value: object) -> Provoke:
    def provoke(town: World, patch: Patch) -> World:
        patch.setattr(target, name, value)
        return town.changed("shop:r0-0", city="Neustadt")

    return provoke


TOO_MUCH: Mapping[str, Provoke] = {
    "many records are new or changed": _patched(touched, "MOST", 0.0),
    "another share of the pairs is sampled": lambda town, patch: (
        patch.setattr(pipeline, "SAMPLED_ABOVE", 0)
        or _patched(pipeline, "SAMPLED", 9_000)(town, patch)
    ),
    "not all components can be closed": _patched(pipeline, "closing_budget", lambda *_: 20),
    "the cut has moved a step": _patched(leniency, "lowered", lambda *_: -4.0),
    "other blocking rules are asked": _patched(blocking, "budget", lambda *_: 9_000),
    "the number of values of company moved a step": lambda town, _: town.having(
        *({**town.rows[name], "company_name": "Firma Neu"} for name in _ids(town, 0, 120))
    ),
    "an identifier is held by too many now, or no longer": lambda town, patch: (
        patch.setattr(links, "MOST_HOLDERS", 3)
        or town.held(*((name, "user_id", "1") for name in _ids(town, 0, 40)[::10]))
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", TOO_MUCH)
def test_what_concerns_all_has_all_resolved(
    after: Batches, town: World, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a change moves what all records are resolved by, all are, and the run says why."""
    part = after.check(TOO_MUCH[reason](town, monkeypatch))
    assert (part.gone, part.reason) == (None, reason)


def test_other_rules_are_used_where_one_proposes_too_much(
    town: World, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a blocking rule no longer fits, or fits again, all pairs are proposed anew."""
    monkeypatch.setattr(blocking, "budget", lambda *_: 3_000)
    batches = Batches(model)
    batches.run(town)
    monkeypatch.setattr(blocking, "budget", lambda *_: 2_000)
    assert batches.check(town).reason.startswith("other blocking rules are")


def test_a_field_that_comes_or_goes_has_all_resolved(town: World) -> None:
    """The first value of a field, and the loss of the last one, change what is compared."""
    batches = Batches("shipped")
    batches.check(town)
    one = town.changed("shop:father-1", last_name="Brandt Sr")
    assert batches.check(one).reason == "a field is filled that was empty"
    assert batches.check(town).reason == "a field is empty that was filled"


def test_another_number_of_records_has_all_resolved(town: World, model: str) -> None:
    """The weight that two records start with hangs on how many there are, in steps."""
    batches = Batches(model)
    batches.check(town)
    more = [{"record_id": f"shop:{i}", "email": f"{i}@mail{i}.org"} for i in range(120)]
    assert batches.check(town.having(*more)).gone is None


def test_another_model_has_all_resolved(
    town: World, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that says otherwise now, or fits no more, weighs all pairs anew."""
    path = tmp_path / "model.json"
    path.write_bytes(Path(model).read_bytes())
    batches = Batches(str(path))
    batches.run(town)
    found = model_files.load(path, PERSON)
    model_files.save(replace(found, m=(found.m[0] * 0.9, *found.m[1:])), PERSON, path)
    assert batches.check(town).reason == "the model has changed"
    monkeypatch.setattr(model_files, "other_records", lambda *_: "")
    monkeypatch.setattr(model_files, "misfit", lambda *_: "")
    auto = Batches("auto")
    auto.run(town)
    monkeypatch.setattr(model_files, "misfit", lambda *_: "nothing fits")
    part = auto.check(town)
    assert part.reason == "a model is trained"
    assert part.kept is None
