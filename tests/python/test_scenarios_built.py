"""Identity scenarios through dbt: batch by batch, at once, again, refreshed, in another order.

All scenarios are one data set. Each is judged after each of its batches: who is together, that
names keep their ids, what the ledger tells and where every id ever given leads.
"""

from __future__ import annotations

import pytest

import scenario_promises as promises
from scenario_data import BATCHES, scenarios
from scenario_warehouse import STORY, DuckDb, Played, Step, play

NAMED = {scenario.name: scenario for scenario in scenarios()}


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


@pytest.mark.parametrize("name", sorted(NAMED))
def test_batches_go_as_told(story: Played, name: str) -> None:
    """Whoever keeps an id finds it where the scenario says, and the ledger tells why."""
    promises.goes_as_told(story, NAMED[name])


@pytest.mark.parametrize("name", sorted(NAMED))
def test_one_run_ends_as_told(at_once: Played, name: str) -> None:
    """Whoever starts with all the data finds the same people and companies."""
    promises.ends_as_told(at_once, NAMED[name])


@pytest.mark.parametrize("way", ["story", "disordered"])
def test_any_batches_in_any_order_end_as_one_run(
    at_once: Played, way: str, request: pytest.FixtureRequest
) -> None:
    """Whatever the batches and their order were: the same groups by the same links and weights."""
    promises.ends_as_one_run(request.getfixturevalue(way), at_once)


def test_shuffled_rows_give_every_row_alike(at_once: Played, shuffled: Played) -> None:
    """Two runs agree to the byte in ids, links, ledger and queue, in whatever order rows come."""
    assert at_once.last.rows
    assert promises.changed_rows(at_once.last, shuffled.last) == {}


def test_the_same_batch_again_changes_nothing(story: Played) -> None:
    """Whoever builds twice gets no new row in any mart, and no event."""
    promises.again_changes_nothing(story)


def test_a_full_refresh_changes_nothing(story: Played) -> None:
    """Whoever rebuilds everything from the sources keeps all ids and all history."""
    promises.refresh_changes_nothing(story)


@pytest.mark.parametrize("way", ["story", "disordered"])
def test_every_past_assignment_can_be_read_back(way: str, request: pytest.FixtureRequest) -> None:
    """An auditor asks the ledger for any run and gets what that run published."""
    promises.past_can_be_read_back(request.getfixturevalue(way))


@pytest.mark.parametrize("way", ["story", "disordered"])
def test_every_id_ever_given_leads_somewhere(way: str, request: pytest.FixtureRequest) -> None:
    """Whoever stored an id finds who it is now, or that all its records are gone."""
    promises.every_id_leads_somewhere(request.getfixturevalue(way))


def test_a_killed_run_never_happened(story: Played) -> None:
    """What a run wrote that did not end is in no mart; its number is taken by the next run."""
    promises.killed_run_never_happened(story)
