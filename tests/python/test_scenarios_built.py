"""Identity scenarios through dbt: batch by batch, at once, again, refreshed, in another order.

All scenarios are one data set. Each is judged after each of its batches: who is together, that
names keep their ids, what the ledger tells and where every id ever given leads.
"""

from __future__ import annotations

import pytest

from scenario_data import BATCHES, scenarios
from scenario_judge import link_problems, partition, partition_problems, problems
from scenario_warehouse import BASES, EVERY_BATCH, DuckDb, Played, Run, Step, play

NAMED = {scenario.name: scenario for scenario in scenarios()}
# A run that is killed on the way does not count; a full refresh in the middle loses nothing.
STORY = (
    Step(1),
    Step(2),
    Step(3),
    Step(5, killed=True),
    Step(4, full_refresh=True),
    Step(5, every_test=True),
    Step(5),
    Step(5, full_refresh=True),
)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Batch after batch; the last one three times, at the end with a full refresh."""
    root = tmp_path_factory.mktemp("story")
    return play(root / "project", DuckDb(root / "warehouse.duckdb"), STORY)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Everything in one first run."""
    root = tmp_path_factory.mktemp("at_once")
    return play(root / "project", DuckDb(root / "warehouse.duckdb"), [Step(BATCHES)])


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Everything in one first run, the rows in another order."""
    root = tmp_path_factory.mktemp("shuffled")
    engine = DuckDb(root / "warehouse.duckdb")
    return play(root / "project", engine, [Step(BATCHES)], shuffled=7)


@pytest.fixture(scope="module")
def disordered(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The batches in another order, some left out, the last one at the end."""
    root = tmp_path_factory.mktemp("disordered")
    engine = DuckDb(root / "warehouse.duckdb")
    return play(root / "project", engine, [Step(4), Step(2), Step(BATCHES)], shuffled=3)


def _told(story: Played) -> list[Run]:
    """The first run of each batch."""
    return [next(run for run in story.runs if run.step.batch == batch) for batch in EVERY_BATCH]


def _changed(one: Run, other: Run) -> dict[str, int]:
    """Relation -> how many rows only one of two runs has."""
    differing = {
        relation: len(set(one.rows.get(relation, ())) ^ set(other.rows.get(relation, ())))
        for relation in {*one.rows, *other.rows}
    }
    return {relation: count for relation, count in differing.items() if count}


def _links(played: Played, run: int) -> list[tuple[object, ...]]:
    return sorted(
        played.engine.rows(
            "select entity, record_id_l, record_id_r, link_type, rule, match_weight, field_weights"
            f" from kindred.kept_links where run = {run}"
        ),
        key=str,
    )


@pytest.mark.parametrize("name", sorted(NAMED))
def test_batches_go_as_told(story: Played, name: str) -> None:
    """Whoever keeps an id finds it where the scenario says, and the ledger tells why."""
    scenario = NAMED[name]
    assert problems(scenario, [run.after[scenario.entity] for run in _told(story)]) == []


@pytest.mark.parametrize("name", sorted(NAMED))
def test_one_run_ends_as_told(at_once: Played, name: str) -> None:
    """Whoever starts with all the data finds the same people and companies."""
    after = at_once.last.after[NAMED[name].entity]
    assert partition_problems(NAMED[name], BATCHES, after.ids) == []
    assert link_problems(NAMED[name], BATCHES, after) == []


@pytest.mark.parametrize("way", ["story", "disordered"])
def test_any_batches_in_any_order_end_as_one_run(
    at_once: Played, way: str, request: pytest.FixtureRequest
) -> None:
    """Whatever the batches and their order were: the same groups by the same links and weights."""
    played: Played = request.getfixturevalue(way)
    for entity in BASES:
        assert partition(played.last.after[entity].ids) == partition(at_once.last.after[entity].ids)
    assert _links(played, len(played.runs)) == _links(at_once, 1)


def test_shuffled_rows_give_every_row_alike(at_once: Played, shuffled: Played) -> None:
    """Two runs agree to the byte in ids, links, ledger and queue, in whatever order rows come."""
    assert at_once.last.rows
    assert _changed(at_once.last, shuffled.last) == {}


def test_the_same_batch_again_changes_nothing(story: Played) -> None:
    """Whoever builds twice gets no new row in any mart, and no event."""
    *_, first, again, _ = story.runs
    assert first.step.batch == again.step.batch
    assert _changed(first, again) == {}
    assert [again.after[entity].events for entity in BASES] == [(), ()]


def test_a_full_refresh_changes_nothing(story: Played) -> None:
    """Whoever rebuilds everything from the sources keeps all ids and all history."""
    *_, before, refreshed = story.runs
    assert refreshed.step.full_refresh
    assert _changed(before, refreshed) == {}
    assert [refreshed.after[entity].events for entity in BASES] == [(), ()]


@pytest.mark.parametrize("way", ["story", "disordered"])
def test_every_past_assignment_can_be_read_back(way: str, request: pytest.FixtureRequest) -> None:
    """An auditor asks the ledger for any run and gets what that run published."""
    played: Played = request.getfixturevalue(way)
    asked = "select entity, record_id, id from kindred.past_assignments where asked = "
    for number, run in enumerate(played.runs, start=1):
        past = {
            (entity, record): held
            for entity, record, held in played.engine.rows(f"{asked}{number}")
        }
        assert past == {
            (entity, record): held
            for entity in BASES
            for record, held in run.after[entity].ids.items()
        }


@pytest.mark.parametrize("way", ["story", "disordered"])
def test_every_id_ever_given_leads_somewhere(way: str, request: pytest.FixtureRequest) -> None:
    """Whoever stored an id finds who it is now, or that all its records are gone."""
    played: Played = request.getfixturevalue(way)
    for entity in BASES:
        given: set[str] = set()
        for run in played.runs:
            now = set(run.after[entity].ids.values())
            given |= now
            leads = run.after[entity].id_map
            assert given <= set(leads)
            for held, (status, current) in leads.items():
                assert (status == "current") == (held in now)
                assert (status == "retired") == (current is None)
                assert current is None or current in now


def test_a_killed_run_never_happened(story: Played) -> None:
    """What a run wrote that did not end is in no mart; its number is taken by the next run."""
    finished = story.engine.rows("select count(*), max(generation) from kindred.run_history")
    assert finished == [(len(story.runs), len(story.runs))]
    assert [step.batch for step in STORY if step.killed] == [5]
