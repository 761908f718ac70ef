"""The rules of identity that live in SQL: each scenario breaks once its rule is disabled."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from scenario_data import BATCHES, Batch, Scenario, scenarios
from scenario_judge import After, Event, groups, id_problems, partition_problems
from scenario_replay import Models, match, replay
from scenario_sql_rules import DIFFERENCES, ENTITIES, ID_RULES, OPEN_CLUSTERS, RECORD_RULES
from scenario_warehouse import compiled

ALL = scenarios()
OF_RECORDS = sorted(s.name for s in ALL if s.rule in RECORD_RULES)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """The project's SQL as dbt compiles it."""
    return Models(compiled(tmp_path_factory.mktemp("compiled")))


def _broken(models: Models, told: list[Scenario], entity: str) -> set[str]:
    history = replay(models, told, entity)
    return {scenario.name for scenario in told if id_problems(scenario, history)}


@pytest.mark.parametrize("entity", ENTITIES)
def test_ids_go_as_told_for_people_and_companies(models: Models, entity: str) -> None:
    """Whoever keeps an id, of a person or a company, can rely on every story of ids."""
    assert _broken(models, list(ALL), entity) == set()


@pytest.mark.parametrize("entity", ENTITIES)
@pytest.mark.parametrize("rule", ID_RULES)
def test_ids_fail_without_their_rule(models: Models, rule: str, entity: str) -> None:
    """A scenario that names a rule of ids breaks once the rule is disabled."""
    told = [scenario for scenario in ALL if scenario.rule == rule]
    disabled = models.without(ID_RULES[rule], entity)
    assert told
    assert _broken(disabled, told, entity) == {scenario.name for scenario in told}


@pytest.mark.parametrize("entity", ENTITIES)
@pytest.mark.parametrize("kind", OPEN_CLUSTERS)
def test_ids_fail_where_a_cluster_is_not_looked_at(models: Models, kind: str, entity: str) -> None:
    """Only clusters whose ids have to be chosen are looked at, and each kind of them has to be."""
    assert _broken(models.without(OPEN_CLUSTERS[kind], entity), list(ALL), entity)


def _left(history: list[After]) -> list[tuple[dict[str, str], set[Event], object]]:
    return [(after.ids, set(after.events), after.id_map) for after in history]


_MEDDLED = {
    "nothing": "",
    "another id": "update identity.int_{entity}_ids set {base}_id = 'x' where record_id like '%1'",
    "records are missing": "delete from identity.int_{entity}_ids where record_id like '%2'",
    "nothing is left": "delete from identity.int_{entity}_ids",
}


@pytest.mark.parametrize("entity", ENTITIES)
@pytest.mark.parametrize("meddled", _MEDDLED)
def test_ids_that_differ_make_the_ids_of_all(models: Models, meddled: str, entity: str) -> None:
    """A run that writes only what differs ends as one that writes all, after every batch, a killed
    run among them, and whatever somebody did to the table in between."""
    told = [*ALL, *(_random_story(seed) for seed in range(60))]
    asked = _MEDDLED[meddled].format(entity=entity, base=ENTITIES[entity])
    found = replay(models, told, entity, again=True, meddle={3: asked})
    assert _left(found) == _left(replay(models, told, entity))


@pytest.mark.parametrize("entity", ENTITIES)
@pytest.mark.parametrize("kind", DIFFERENCES)
def test_ids_that_differ_fail_without_a_question(models: Models, kind: str, entity: str) -> None:
    """All that is asked about the table of ids has to be asked."""
    told = [*ALL, *(_random_story(seed) for seed in range(60))]
    found = replay(models.without(DIFFERENCES[kind], entity), told, entity, again=True)
    assert _left(found) != _left(replay(models, told, entity))


@pytest.mark.parametrize("name", OF_RECORDS)
def test_matching_fails_without_its_rule_of_records(models: Models, name: str) -> None:
    """A scenario on what is matched at all breaks once its rule is disabled, and not before."""
    (scenario,) = [scenario for scenario in ALL if scenario.name == name]
    disabled = models.without(RECORD_RULES[scenario.rule], scenario.entity)
    batches = range(1, len(scenario.batches) + 1)
    broken = next((batch for batch in batches if _apart(disabled, scenario, batch)), None)
    assert broken, "the story goes as told without its rule"
    assert _apart(models, scenario, broken) == []


def _apart(models: Models, scenario: Scenario, batch: int) -> list[str]:
    return partition_problems(scenario, batch, match(models, scenario, batch).ids)


def _random_story(seed: int, records: int = 9) -> Scenario:
    """Records that come, go and change their company at random, batch by batch."""
    rng = random.Random(seed)
    names = [f"r{number}" for number in range(records)]
    at = {name: rng.randrange(records) for name in names}
    batches = []
    for batch in range(BATCHES):
        at = {n: rng.randrange(records) if rng.random() < 0.25 else at[n] for n in names}
        together: dict[str, set[str]] = {}
        for name in names:
            if rng.random() < 0.75:
                together.setdefault(str(at[name]), set()).add(name)
        given: dict[str, dict[str, object]] = {} if batch else {name: {} for name in names}
        customers = {label: frozenset(held) for label, held in together.items()}
        batches.append(Batch(given, (), (), (), customers, frozenset(), {}, {}))
    return Scenario(f"story_{seed}", "", "", "person", tuple(batches), Path())


@pytest.mark.parametrize("entity", ENTITIES)
def test_random_histories_keep_the_promises_of_ids(models: Models, entity: str) -> None:
    """Whoever keeps an id: none is lost, given twice or told wrongly, whatever records do."""
    told = [_random_story(seed) for seed in range(150)]
    history = replay(models, told, entity)
    since: dict[str, int] = {}
    merged: set[str] = set()
    before: set[str] = set()
    earlier: set[tuple[frozenset[str], str]] = set()
    for run, after in enumerate(history, start=1):
        now = set(after.ids.values())
        since |= dict.fromkeys(now - set(since), run)
        _every_id_leads(after, set(since))
        _ledger_tells(after, before, since)
        merged |= {str(e.from_id) for e in after.events if e.event == "merged"}
        assert not merged & now, "an id that was merged is in use again"
        held = {(records, name) for name, records in groups(after.ids).items()}
        stayed = {records for records, _ in earlier} & {records for records, _ in held}
        assert {one for one in earlier if one[0] in stayed} <= held, "a group lost its id"
        before, earlier = now, held


def _every_id_leads(after: After, given: set[str]) -> None:
    now = set(after.ids.values())
    assert set(after.id_map) == given
    for held, (status, current) in after.id_map.items():
        assert (status == "current") == (held in now)
        assert current in now or (status, current) == ("retired", None)


def _ledger_tells(after: After, before: set[str], since: dict[str, int]) -> None:
    """Ids in use were created, ids that went were merged into older ones or retired."""
    now = set(after.ids.values())
    merged = [(str(e.from_id), str(e.to_id)) for e in after.events if e.event == "merged"]
    retired = {e.from_id for e in after.events if e.event == "retired"}
    assert {e.to_id for e in after.events if e.event == "created"} == now - before
    assert before - now <= retired | {old for old, _ in merged}
    assert retired <= before - now
    for old, new in merged:
        assert old not in now
        assert new in now
        assert since[new] <= since[old]
