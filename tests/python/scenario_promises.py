"""What every warehouse must hold after the scenarios were played in it, whatever its engine."""

from __future__ import annotations

from scenario_data import BATCHES, Scenario
from scenario_judge import link_problems, partition, partition_problems, problems
from scenario_warehouse import BASES, STORY, Played, Run, first_runs, links_after


def goes_as_told(story: Played, scenario: Scenario) -> None:
    """Partition, ids, events and map after each batch."""
    found = problems(scenario, [run.after[scenario.entity] for run in first_runs(story)])
    assert not found, "\n".join(found)


def ends_as_told(at_once: Played, scenario: Scenario) -> None:
    """Partition and links, where there was but one run."""
    after = at_once.last.after[scenario.entity]
    found = partition_problems(scenario, BATCHES, after.ids)
    found += link_problems(scenario, BATCHES, after)
    assert not found, "\n".join(found)


def ends_as_one_run(played: Played, at_once: Played) -> None:
    """The same groups, by the same links and weights."""
    for entity in BASES:
        assert partition(played.last.after[entity].ids) == partition(at_once.last.after[entity].ids)
    assert links_after(played, len(played.runs)) == links_after(at_once, 1)


def changed_rows(one: Run, other: Run) -> dict[str, int]:
    """Relation -> how many rows only one of two runs has."""
    differing = {
        relation: len(set(one.rows.get(relation, ())) ^ set(other.rows.get(relation, ())))
        for relation in {*one.rows, *other.rows}
    }
    return {relation: count for relation, count in differing.items() if count}


def again_changes_nothing(story: Played) -> None:
    """The last batch built again: no row differs, no event is told."""
    *_, first, again, _ = story.runs
    assert first.step.batch == again.step.batch
    changed = changed_rows(first, again)
    assert not changed, changed
    assert [again.after[entity].events for entity in BASES] == [(), ()]


def refresh_changes_nothing(story: Played) -> None:
    """The same after a full refresh."""
    *_, before, refreshed = story.runs
    assert refreshed.step.full_refresh
    changed = changed_rows(before, refreshed)
    assert not changed, changed
    assert [refreshed.after[entity].events for entity in BASES] == [(), ()]


def past_can_be_read_back(played: Played) -> None:
    """The ledger, asked for any run, gives what that run published."""
    asked = "select entity, record_id, id from kindred.past_assignments where asked = "
    for number, run in enumerate(played.runs, start=1):
        found = played.engine.rows(f"{asked}{number}")
        assert {(entity, record): held for entity, record, held in found} == {
            (entity, record): held
            for entity in BASES
            for record, held in run.after[entity].ids.items()
        }


def every_id_leads_somewhere(played: Played) -> None:
    """Each id ever given leads to one in use, or all its records are gone."""
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


def killed_run_never_happened(story: Played) -> None:
    """Runs are numbered as if there had been none but those that reached their end."""
    finished = story.engine.rows("select count(*), max(generation) from kindred.run_history")
    assert finished == [(len(story.runs), len(story.runs))]
    assert [step.batch for step in STORY if step.killed] == [BATCHES]
