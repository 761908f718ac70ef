"""Identity scenarios through dbt: batch by batch, at once, again, refreshed, in another order.

All scenarios are one data set. Each is judged after each of its batches: who is together, that
names keep their ids, what the ledger tells and where every id ever given leads.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

import scenario_promises as promises
from scenario_data import BATCHES, scenarios
from scenario_warehouse import STORY, DuckDb, Played, Step, play_on_duckdb

NAMED = {scenario.name: scenario for scenario in scenarios()}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Batch after batch; the last one three times, at the end with a full refresh."""
    root = tmp_path_factory.mktemp("story")
    return play_on_duckdb(root, STORY)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Everything in one first run."""
    root = tmp_path_factory.mktemp("at_once")
    return play_on_duckdb(root, [Step(BATCHES)])


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Everything in one first run, the rows in another order."""
    root = tmp_path_factory.mktemp("shuffled")
    return play_on_duckdb(root, [Step(BATCHES)], shuffled=7)


@pytest.fixture(scope="module")
def disordered(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The batches in another order, some left out, one matched by another model."""
    root = tmp_path_factory.mktemp("disordered")
    steps = [Step(4), Step(2, model="train"), Step(BATCHES)]
    return play_on_duckdb(root, steps, shuffled=3)


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


_CHAIN, _CARD = "%:chain:a", "%:company_merge_and_split:b"
# What a singular test of tests/identity must find, and how it could come about.
FAULTS = {
    "a record without id": (
        "assert_every_live_record_has_an_id",
        f"delete from identity.int_person_ids where record_id like '{_CHAIN}'",
    ),
    "a record that the mart forgot": (
        "assert_every_live_record_has_an_id",
        f"delete from kindred.account_source_records where record_id like '{_CARD}'",
    ),
    "an id that the ledger does not know": (
        "assert_ledger_agrees_with_ids",
        f"update identity.int_account_ids set account_id = 'acc_x' where record_id like '{_CARD}'",
    ),
    "an id that the map forgot": (
        "assert_every_id_leads_somewhere",
        "delete from kindred.account_id_map where status = 'merged'",
    ),
    "an id that leads to nobody": (
        "assert_every_id_leads_somewhere",
        "update kindred.customer_id_map set current_customer_id = 'cus_x' where status = 'merged'",
    ),
    "an id in use that the map takes for retired": (
        "assert_every_id_leads_somewhere",
        "update kindred.customer_id_map set status = 'retired' where status = 'current'",
    ),
    "a cannot-link that does not hold": (
        "assert_decisions_hold",
        "update identity.int_person_ids set customer_id = 'cus_x'"
        " where record_id like '%:split_by_cannot_link:%'",
    ),
    "a must-link that does not hold": (
        "assert_decisions_hold",
        "update identity.int_person_ids set customer_id = 'cus_x'"
        " where record_id like '%:must_link_strangers:a'",
    ),
    "a group without a reason": (
        "assert_groups_have_reasons",
        f"delete from kindred.identity_links where record_id_l like '{_CHAIN}'"
        f" or record_id_r like '{_CHAIN}'",
    ),
    "a cluster of two ids": (
        "assert_groups_have_reasons",
        f"update identity.int_person_ids set customer_id = 'cus_x' where record_id like '{_CHAIN}'",
    ),
    "an id of two clusters": (
        "assert_groups_have_reasons",
        "update identity.int_person_ids set customer_id ="
        " (select min(customer_id) from identity.int_person_ids where record_id like '%:fan_in:%')"
        " where record_id like '%:chain:%'",
    ),
    "a link between two customers": (
        "assert_links_join_records_of_one_entity",
        f"update identity.int_person_ids set customer_id = 'cus_x' where record_id like '{_CHAIN}'",
    ),
    "a link that is told of another customer": (
        "assert_links_join_records_of_one_entity",
        "update kindred.identity_links set customer_id = 'cus_x' where entity = 'person'",
    ),
    "a link that is not told": (
        "assert_links_join_records_of_one_entity",
        f"delete from kindred.identity_links where record_id_l like '{_CHAIN}'",
    ),
}


@pytest.fixture(scope="module")
def invariants(story: Played) -> dict[str, str]:
    """The singular tests of identity, as dbt compiled them."""
    folder = story.project.root / "target" / "compiled" / "kindred" / "tests" / "identity"
    return {path.stem: path.read_text("utf-8") for path in folder.glob("*.sql")}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(
    story: Played, invariants: dict[str, str], fault: str, tmp_path: Path
) -> None:
    """Whoever builds is told of a lost record, a dead id or a groupless link: no test is idle."""
    test, statement = FAULTS[fault]
    assert isinstance(story.engine, DuckDb)
    copy = shutil.copyfile(story.engine.path, tmp_path / story.engine.path.name)
    with duckdb.connect(str(copy)) as connection:
        assert connection.execute(invariants[test]).fetchall() == []
        connection.execute(statement)
        assert connection.execute(invariants[test]).fetchall()
