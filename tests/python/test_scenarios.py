"""Identity scenarios: who is together after each batch, and which rule each story depends on.

This tries the matching on the records of each batch. Ids, the ledger and the map that the
scenarios also tell of are tried in test_scenarios_built.py, on the models run batch by batch.
"""

from __future__ import annotations

from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kindred.identity.pipeline import resolve
from scenario_data import BATCHES, MOMENTS, Rows, Scenario, scenarios, state
from scenario_judge import After, link_problems, partition_problems
from scenario_rules import MATCHING_RULES, Matching, as_shipped
from scenario_sql_rules import SQL_RULES

OVERRIDES = pa.schema([(c, pa.string()) for c in ("decision", "record_id_l", "record_id_r")])
NAMED = {scenario.name: scenario for scenario in scenarios()}
OF_MATCHING = sorted(n for n, s in NAMED.items() if s.rule in MATCHING_RULES)


def _in_force(overrides: Rows, entity: str, batch: int, matching: Matching) -> pa.Table:
    now = MOMENTS[batch - 1].replace("T", " ")
    found = [
        {name: row[name] for name in OVERRIDES.names}
        for row in overrides
        if row["entity"] == entity
        and row["decision"] in matching.decisions
        and row["valid_from"] <= now
        and (not row["valid_to"] or row["valid_to"] > now)
    ]
    return pa.Table.from_pylist(found, schema=OVERRIDES)


def _match(entity: str, batch: int, matching: Matching) -> After:
    """What the matching says of the records that the sources hold after a batch."""
    held = state(batch, scenarios())
    given = held.records[entity]
    # The rules on test and deleted records are SQL's; see int_person_match_records.
    live = given.filter(pc.invert(pc.or_(given["is_test"], given["is_deleted"])))
    identifiers = held.identifiers if matching.with_identifiers else held.identifiers.slice(0, 0)
    with matching.in_force():
        found = resolve(
            live,
            matching.entity(entity),
            identifiers=identifiers,
            overrides=_in_force(held.overrides, entity, batch, matching),
            reference=matching.reference,
            model="shipped",
            junk_limits=matching.junk_limits,
        )
    return After(
        {row["record_id"]: row["entity"] for row in found.assignments.to_pylist()},
        links=frozenset(
            (row["record_id_l"], row["record_id_r"], row["rule"]) for row in found.links.to_pylist()
        ),
    )


@cache
def _matched(entity: str, batch: int, rule: str | None) -> After:
    matching = as_shipped()
    return _match(entity, batch, matching if rule is None else MATCHING_RULES[rule](matching))


def _problems(scenario: Scenario, rule: str | None) -> list[str]:
    """Everything that is not as the scenario tells, up to the first batch that has any."""
    for batch in range(1, len(scenario.batches) + 1):
        after = _matched(scenario.entity, batch, rule)
        found = partition_problems(scenario, batch, after.ids)
        found += link_problems(scenario, batch, after)
        if found:
            return found
    return []


@pytest.mark.parametrize("name", sorted(NAMED))
def test_records_are_together_as_told(name: str) -> None:
    """Whoever reads a scenario finds its records together, and apart, after every batch."""
    assert _problems(NAMED[name], None) == []


@pytest.mark.parametrize("name", OF_MATCHING)
def test_fails_without_its_rule(name: str) -> None:
    """A scenario that names a rule of matching breaks once that rule is disabled."""
    assert _problems(NAMED[name], NAMED[name].rule), "the story goes as told without its rule"


def test_scenarios_and_rules_belong_together() -> None:
    """There are thirty stories at least, each with a rule we know, and each rule has a story."""
    used = {scenario.rule for scenario in scenarios()}
    assert len(NAMED) >= 30
    assert used == {*MATCHING_RULES, *SQL_RULES}
    assert len({scenario.shows for scenario in scenarios()}) == len(NAMED)
    assert max(len(scenario.batches) for scenario in scenarios()) <= BATCHES
