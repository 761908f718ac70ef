"""A batch of a few records through dbt: the table ends as after a full refresh, and most of it is
not written again."""

from __future__ import annotations

from typing import Any

import pytest

from identity_batches import town_of
from identity_town import TRAPS, people
from stream_project import StreamProject

_TABLE = "identity.int_person_resolution"
_FOUND = "part in ('cluster', 'link')"
_CHOSEN = ("--select", "+int_person_resolution", "+customer_id_map")
_MAP = "kindred.customer_id_map"


@pytest.fixture(scope="module")
def town() -> list[dict[str, Any]]:
    """Some twelve hundred records in which every field is filled."""
    world = town_of(people(500, seed=11) + TRAPS)
    return [
        {name: value for name, value in row.items() if name != "truth"}
        for row in world.rows.values()
    ]


def _found(project: StreamProject) -> list[str]:
    """All that a run found, but what it keeps packed, and the mark."""
    rows = project.rows(
        f"select * exclude (settings, packed, kind, chunk) replace (case when not ({_FOUND})"
        f" then reason end as reason) from {_TABLE} where part <> 'kept'"
    )
    return sorted(map(str, rows))


def _told(project: StreamProject, condition: str = "true") -> set[tuple[Any, ...]]:
    """Rows of clusters and links."""
    return set(
        project.rows(
            "select part, component, record_id, entity, record_id_l, record_id_r, rule,"
            f" match_weight, field_weights from {_TABLE} where ({_FOUND}) and {condition}"
        )
    )


def _map(project: StreamProject) -> list[tuple[Any, ...]]:
    """Every row of the map of ids, in the order in which they were written."""
    return project.rows(f"select * from {_MAP} order by rowid")


def test_a_few_records_leave_the_rest_as_it_was(tmp_path: Any, town: list[dict[str, Any]]) -> None:
    project = StreamProject(tmp_path)
    # Two persons in four records come, one record goes, three change.
    before, held_back = town[4:], town[:4]
    project.run(before, *_CHOSEN)
    told = _told(project)
    project.execute(f"update {_TABLE} set reason = 'as it was' where {_FOUND}")
    # What others do to the map of ids is put right.
    led = _map(project)
    (moved, *_), (dropped, *_), *stayed = led
    project.execute(
        f"update {_MAP} set status = 'retired' where customer_id = '{moved}'",
        f"delete from {_MAP} where customer_id = '{dropped}'",
        f"insert into {_MAP} values ('cus_nobody', null, 'retired', 1, '2026-01-01')",
    )
    changed = [{**row, "email": "new@mail1.org"} for row in before[10:13]]
    after = [*before[:10], *changed, *before[14:], *held_back]
    project.run(after, *_CHOSEN)
    counts = project.rows(f"select count(*), count(reason) from {_TABLE} where part = 'cluster'")
    ((clusters, left),) = counts
    assert clusters == len(after)
    assert 0.8 * clusters < left < clusters
    # What is told as before lies where it lay, in components that were resolved anew as well.
    assert not told & _told(project, "reason is null")
    assert _told(project, "reason is not null") <= told
    found, leads = _found(project), _map(project)
    # The rows that stay are not written again.
    here = [row for row in stayed if row in leads]
    assert len(here) > 0.8 * len(led)
    assert leads[: len(here)] == here
    # What a run handed over is in no other table: it holds names, and nobody would look there.
    tables = project.rows("select table_name from information_schema.tables")
    assert not [name for (name,) in tables if name.endswith("_tmp") or "__dbt" in name]

    project.run(after, *_CHOSEN, "--full-refresh")
    assert project.rows(f"select count(reason) from {_TABLE} where part = 'cluster'") == [(0,)]
    assert found == _found(project)
    assert sorted(leads) == sorted(_map(project))
