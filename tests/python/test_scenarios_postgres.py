"""Identity scenarios through dbt on Postgres: they go as on DuckDB, to the id and the weight."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import scenario_promises as promises
from postgres_server import PostgresServer
from scenario_data import BATCHES, scenarios
from scenario_warehouse import (
    BASES,
    STORY,
    Played,
    Postgres,
    Step,
    links_after,
    play,
    play_on_duckdb,
)

NAMED = {scenario.name: scenario for scenario in scenarios()}


@pytest.fixture(scope="module")
def story(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Batch after batch; the last one three times, at the end with a full refresh."""
    root = tmp_path_factory.mktemp("postgres_story") / "project"
    with postgres.new_database() as database:
        yield play(root, Postgres(database), STORY)


@pytest.fixture(scope="module")
def at_once(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Everything in one first run."""
    root = tmp_path_factory.mktemp("postgres_at_once") / "project"
    with postgres.new_database() as database:
        yield play(root, Postgres(database), [Step(BATCHES)])


@pytest.fixture(scope="module")
def on_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Everything in one first run of the other engine."""
    root = tmp_path_factory.mktemp("duckdb_at_once")
    return play_on_duckdb(root, [Step(BATCHES)])


@pytest.mark.parametrize("name", sorted(NAMED))
def test_batches_go_as_told(story: Played, name: str) -> None:
    """Whoever keeps an id on Postgres finds it where the scenario says."""
    promises.goes_as_told(story, NAMED[name])


@pytest.mark.parametrize("name", sorted(NAMED))
def test_one_run_ends_as_told(at_once: Played, name: str) -> None:
    """Whoever starts on Postgres with all the data finds the same people and companies."""
    promises.ends_as_told(at_once, NAMED[name])


def test_batches_end_as_one_run(story: Played, at_once: Played) -> None:
    """Batches and one run on Postgres: the same groups by the same links and weights."""
    promises.ends_as_one_run(story, at_once)


def test_both_engines_agree(at_once: Played, on_duckdb: Played) -> None:
    """Whoever moves to Postgres gets the ids, the ledger, the map and the links of DuckDB."""
    assert links_after(at_once, 1) == links_after(on_duckdb, 1)
    for entity in BASES:
        one, other = (played.last.after[entity] for played in (at_once, on_duckdb))
        assert one.ids == other.ids
        assert one.id_map == other.id_map
        assert set(one.events) == set(other.events)


def test_the_same_batch_again_changes_nothing(story: Played) -> None:
    """Whoever builds twice on Postgres gets no new row in any mart, and no event."""
    promises.again_changes_nothing(story)


def test_a_full_refresh_changes_nothing(story: Played) -> None:
    """Whoever rebuilds everything on Postgres keeps all ids and all history."""
    promises.refresh_changes_nothing(story)


def test_the_past_of_ids_holds(story: Played) -> None:
    """An auditor on Postgres reads back every past assignment; every id leads somewhere."""
    promises.past_can_be_read_back(story)
    promises.every_id_leads_somewhere(story)
    promises.killed_run_never_happened(story)
