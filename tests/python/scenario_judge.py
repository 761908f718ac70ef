"""Whether what a run left agrees with what a scenario expects, told in the scenario's own names."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from scenario_data import Names, Scenario, record_id

Assignment = dict[str, str]


@dataclass(frozen=True)
class Event:
    """A row of the ledger of ids, without its moment."""

    event: str
    from_id: str | None
    to_id: str | None
    record_id: str | None
    record_count: int | None
    cause: str | None


@dataclass(frozen=True)
class After:
    """What the warehouse says of one entity after a batch.

    ids: record -> id. events: what this run wrote. id_map: id -> (status, current id). links: the
    two records and the rule of each link.
    """

    ids: Assignment
    events: tuple[Event, ...] = ()
    id_map: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    links: frozenset[tuple[str, str, str]] = frozenset()


def groups(ids: Assignment) -> dict[str, Names]:
    """The records of each id."""
    found: dict[str, set[str]] = defaultdict(set)
    for record, held in ids.items():
        found[held].add(record)
    return {held: frozenset(records) for held, records in found.items()}


def partition(ids: Assignment) -> frozenset[Names]:
    """Which records belong together, whatever the ids are called."""
    return frozenset(groups(ids).values())


def partition_problems(scenario: Scenario, batch: int, ids: Assignment) -> list[str]:
    """Where records are together or apart against what the scenario expects after a batch."""
    expected = scenario.expected(batch).customers or {}
    own = {r for r in ids if scenario.prefix in r}
    wanted = {
        frozenset(record_id(scenario, local) for local in locals_) for locals_ in expected.values()
    }
    together = groups(ids)
    found = {together[ids[r]] for r in own}
    problems = [f"batch {batch}: not together as expected: {_told(g)}" for g in wanted - found]
    return sorted(problems + [f"batch {batch}: found together: {_told(g)}" for g in found - wanted])


def link_problems(scenario: Scenario, batch: int, after: After) -> list[str]:
    """Which links that the scenario expects are not there, or for another reason."""
    problems = []
    for pair, rule in sorted(scenario.expected(batch).links.items(), key=str):
        left, right = sorted(record_id(scenario, local) for local in pair)
        rules = {r for one, two, r in after.links if (one, two) == (left, right)}
        if rule not in rules:
            problems.append(
                f"batch {batch}: {_told(pair)} not linked by '{rule}' but {sorted(rules)}"
            )
    return problems


def problems(scenario: Scenario, history: list[After]) -> list[str]:
    """Everything in which a history differs from the scenario, up to the first batch that does."""
    for batch, after in enumerate(history, start=1):
        found = link_problems(scenario, batch, after)
        if found:
            return found + id_problems(scenario, history[:batch])
    return id_problems(scenario, history)


def id_problems(scenario: Scenario, history: list[After]) -> list[str]:
    """The same of who is together, of ids, events and the map alone."""
    names: dict[str, str] = {}
    before: Assignment = {}
    found: list[str] = []
    for batch, after in enumerate(history, start=1):
        found += partition_problems(scenario, batch, after.ids)
        found += _name_problems(scenario, batch, after, names)
        found += _event_problems(scenario, batch, after, names, before)
        found += _map_problems(scenario, batch, after, names)
        before = after.ids
        if found:
            break
    return found


def _name_problems(
    scenario: Scenario, batch: int, after: After, names: dict[str, str]
) -> list[str]:
    """Each name stands for one id, in all batches; `names` learns the new ones."""
    found = []
    for name, locals_ in (scenario.expected(batch).customers or {}).items():
        held = {after.ids.get(record_id(scenario, local), "none") for local in locals_}
        if len(held) != 1:
            found.append(f"batch {batch}: {name} has {len(held)} ids")
            continue
        (one,) = held
        known = names.setdefault(name, one)
        if known != one:
            found.append(f"batch {batch}: {name} has another id than before")
        if [n for n, other in names.items() if other == one and n != name]:
            found.append(f"batch {batch}: {name} has the id of another")
    return found


def _event_problems(
    scenario: Scenario, batch: int, after: After, names: dict[str, str], before: Assignment
) -> list[str]:
    name_of = {held: name for name, held in names.items()}
    own = [e for e in after.events if _is_own(scenario, e, name_of)]
    told = {_id_event(e, name_of) for e in own if e.record_id is None}
    moved = {(e.record_id, e.from_id, e.to_id) for e in own if e.record_id is not None}
    expected_moves = {
        (record, before.get(record), after.ids.get(record))
        for record in {*before, *after.ids}
        if scenario.prefix in record and before.get(record) != after.ids.get(record)
    }
    wanted = scenario.expected(batch).events
    found = [f"batch {batch}: not in the ledger: {text}" for text in sorted(wanted - told)]
    found += [f"batch {batch}: in the ledger: {text}" for text in sorted(told - wanted)]
    if moved != expected_moves:
        found.append(
            f"batch {batch}: {len(moved ^ expected_moves)} moves of records are told wrongly"
        )
    return found


def _is_own(scenario: Scenario, event: Event, name_of: dict[str, str]) -> bool:
    if event.record_id is not None:
        return scenario.prefix in event.record_id
    return event.from_id in name_of or event.to_id in name_of


def _id_event(event: Event, name_of: dict[str, str]) -> str:
    old = name_of.get(str(event.from_id), "?")
    new = name_of.get(str(event.to_id), "?")
    if event.event == "created" and (event.cause or "").startswith("records of a retired id"):
        return f"{new} came back"
    return {
        "created": f"created {new}",
        "merged": f"merged {old} into {new}",
        "split": f"split {new} from {old}",
        "retired": f"retired {old}",
    }.get(event.event, event.event)


def _map_problems(scenario: Scenario, batch: int, after: After, names: dict[str, str]) -> list[str]:
    """Each id ever given resolves: to itself while in use, else as `ids` of the scenario says."""
    expected = scenario.expected(batch)
    found = []
    for name, held in sorted(names.items()):
        in_use = name in (expected.customers or {})
        wanted = name if in_use else expected.ids.get(name, "not told by the scenario")
        status, current = after.id_map.get(held, ("unknown", None))
        led = next((n for n, other in names.items() if other == current), status)
        if led != wanted or (status == "current") != in_use:
            found.append(f"batch {batch}: {name} leads to {led} ({status}), not to {wanted}")
    return found


def _told(records: Any) -> str:
    return " ".join(sorted(str(r).rsplit(":", 1)[-1] if ":" in str(r) else str(r) for r in records))
