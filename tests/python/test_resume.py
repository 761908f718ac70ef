"""`kindred build --resume`: what may count as done, and what makes a run begin anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cli_project import SmallProject, make_project, write
from kindred.project import load_project
from kindred.warehouse import journal
from kindred.warehouse.dbt_run import NodeDone
from kindred.warehouse.journal import Journal
from kindred.warehouse.postgres import AskedLikeDuckDB
from kindred.warehouse.raw_state import RawState, input_fingerprint, keep, kept, losses
from kindred.warehouse.resuming import State, bases_of, is_broken_off, options_for, rest_of
from postgres_server import PostgresDatabase

BASES: dict[str, str | None] = dict.fromkeys(journal.BASES, "same")
PARENTS = {
    "seed.k.policy": [],
    "model.k.generation": [],
    "model.k.records": ["source.k.raw", "seed.k.policy"],
    "test.k.key_records": ["model.k.records"],
    "model.k.ids": ["model.k.records", "model.k.generation"],
    "model.k.run_history": ["model.k.ids"],
    "model.k.notes": ["model.k.records"],
}


def node(name: str) -> dict[str, Any]:
    kind, _, leaf = name.split(".")
    return {
        "resource_type": kind,
        "name": leaf,
        "alias": leaf,
        "schema": "room",
        "fqn": ["k", "room", leaf],
        "config": {"materialized": "table"},
    }


MANIFEST = {
    "metadata": {"invocation_id": "run-1"},
    "nodes": {name: node(name) for name in PARENTS},
    "parent_map": PARENTS,
}
STATE = State(
    run_id="run-1",
    as_of=datetime(2026, 6, 30),
    generation=4,
    relations={"room": ["policy", "generation", "records", "ids", "run_history", "notes"]},
)


def broken_off(*done: str) -> Journal:
    return Journal(Path("journal"), BASES, ("run-1",), frozenset(done))


FIRST = ("seed.k.policy", "model.k.generation", "model.k.records", "test.k.key_records")


def test_only_what_is_left_is_built() -> None:
    """Whoever goes on with a killed run builds what it had not finished, for the same moment."""
    rest = rest_of(broken_off(*FIRST), BASES, STATE, MANIFEST)
    assert rest.why_all == ""
    assert rest.left == ("k.room.ids", "k.room.notes", "k.room.run_history")
    assert rest.done == 4
    assert rest.as_of == "2026-06-30 00:00:00"
    assert options_for(rest.left)[:3] == [
        "--indirect-selection=empty",
        "--select",
        "fqn:k.room.ids",
    ]


def test_a_relation_that_is_gone_is_built_with_all_that_hangs_on_it() -> None:
    """A journal is not believed against the warehouse: a missing table counts as not built."""
    relations = {"room": [name for name in STATE.relations["room"] if name != "policy"]}
    rest = rest_of(broken_off(*FIRST), BASES, replace(STATE, relations=relations), MANIFEST)
    assert "k.room.policy" in rest.left
    assert "k.room.records" in rest.left
    assert "k.room.key_records" in rest.left
    assert "k.room.generation" not in rest.left


def test_a_test_that_did_not_pass_is_run() -> None:
    """A killed run's tests are as much part of the gate as those of a clean one."""
    rest = rest_of(broken_off(*FIRST[:3]), BASES, STATE, MANIFEST)
    assert "k.room.key_records" in rest.left


def test_a_run_that_reached_its_end_builds_no_state_again() -> None:
    """Ids of a run that ended are not built once more: they would be taken for a past run's."""
    rest = rest_of(broken_off(*FIRST[:3]), BASES, replace(STATE, is_ended=True), MANIFEST)
    assert rest.left == ("k.room.key_records", "k.room.notes")


OTHER: dict[str, Callable[[], tuple[Any, ...]]] = {
    "No run was broken off": lambda: (None, BASES, STATE, MANIFEST),
    "the raw tables changed": lambda: (
        broken_off(*FIRST), {**BASES, "input": "x"}, STATE, MANIFEST,
    ),
    "the code, a seed or a library, the variables changed": lambda: (
        broken_off(*FIRST), {**BASES, "code": "x", "variables": "y"}, STATE, MANIFEST,
    ),
    "the target changed": lambda: (broken_off(*FIRST), {**BASES, "target": "x"}, STATE, MANIFEST),
    "the options changed": lambda: (broken_off(*FIRST), {**BASES, "options": "x"}, STATE, MANIFEST),
    "the privacy key changed": lambda: (
        broken_off(*FIRST), {**BASES, "key": "x"}, STATE, MANIFEST,
    ),
    "lies in another database": lambda: (
        replace(broken_off(*FIRST), bases={**BASES, "input": None}),
        {**BASES, "input": None}, STATE, MANIFEST,
    ),
    "another one came after it": lambda: (
        broken_off(*FIRST), BASES, replace(STATE, run_id="run-2"), MANIFEST,
    ),
    "did not get far": lambda: (broken_off(*FIRST), BASES, State(), MANIFEST),
    "dbt was started since": lambda: (
        broken_off(*FIRST), BASES, STATE, {**MANIFEST, "metadata": {"invocation_id": "run-9"}},
    ),
    "dbt was started": lambda: (broken_off(*FIRST), BASES, STATE, None),
}  # fmt: skip


@pytest.mark.parametrize("why", OTHER)
def test_where_anything_is_unsure_everything_is_built(why: str) -> None:
    """Nobody gets marts of two inputs, two codes or two moments: the reason is told."""
    rest = rest_of(*OTHER[why]())
    assert why in rest.why_all
    assert rest.left == ()


def test_a_journal_survives_what_a_kill_does_to_it(tmp_path: Path) -> None:
    """A torn last line is no node that is done; going on writes the file anew."""
    path = tmp_path / "kindred_build.duckdb.run-journal"
    assert journal.read(path) is None
    begun = journal.write(Journal(path, BASES))
    journal.add_invocation(begun, "run-1")
    journal.add_done(begun, "model.k.generation")
    with path.open("a", encoding="utf-8") as stream:
        stream.write('{"done": "model.k.rec')
    found = journal.read(path)
    assert found == broken_off("model.k.generation").__class__(
        path, BASES, ("run-1",), frozenset({"model.k.generation"})
    )
    assert found is not None
    journal.add_done(journal.write(found), "model.k.ids")
    again = journal.read(path)
    assert again is not None
    assert again.done == {"model.k.generation", "model.k.ids"}
    journal.end(path)
    assert journal.read(path) is None


def test_only_good_nodes_count_as_done() -> None:
    """A failed or skipped node is built again."""

    def done(status: str) -> bool:
        return NodeDone("x", "marts", "model", status, 1, 2).is_good

    assert all(done(status) for status in ("ok", "pass", "warn"))
    assert not any(done(status) for status in ("error", "fail", "skipped"))


def test_a_run_that_died_early_leaves_nothing_to_publish() -> None:
    """Readers get no mixture where a run was killed before the table `generation` was its own."""
    early = broken_off("seed.k.policy")
    before = replace(STATE, run_id="run-0", is_ended=True)
    assert is_broken_off(early, before, MANIFEST)
    assert not is_broken_off(early, STATE, MANIFEST)
    later = {**MANIFEST, "metadata": {"invocation_id": "run-9"}}
    assert not is_broken_off(early, before, later)


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SmallProject:
    made = make_project(tmp_path, monkeypatch, capsys)
    monkeypatch.setenv("KINDRED_PRIVACY_KEY", "one")
    return made


def test_what_a_run_hangs_on_is_noticed(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed file, variable, target or key gives another base; nothing else does."""
    from kindred.project import load_profile

    def bases(**variables: str) -> dict[str, str | None]:
        loaded = load_project(project.root)
        return bases_of(loaded, load_profile(loaded), variables, [], "raw")

    first = bases()
    assert bases() == first
    assert set(first) == set(journal.BASES)
    write(project.root / "models/segments/seg_new_customers.sql", "select 2 as customer_id\n")
    assert bases()["code"] != first["code"]
    assert bases(as_of="2026-01-01")["variables"] != first["variables"]
    monkeypatch.setenv("KINDRED_PRIVACY_KEY", "two")
    assert bases()["key"] != first["key"]
    assert "two" not in str(bases())
    monkeypatch.setenv("KINDRED_DATABASE", "other.duckdb")
    assert bases()["target"] != first["target"]


CHANGES = [
    "insert into stripe.customer values ('3', 'c@example.com')",
    "update stripe.customer set email = 'z@example.com' where id = '3'",
    "update stripe.customer set email = null where id = '3'",
    "delete from stripe.customer where id = '3'",
    "alter table stripe.customer add column note text",
    "drop table stripe.charge",
]
TABLES = [
    "create schema stripe",
    "create table stripe.customer as select '1' as id, 'a@example.com' as email"
    " union all select '2', 'b@example.com'",
    "create table stripe.charge as select '9' as id",
]


def fingerprints(
    project: SmallProject, execute: Callable[[str], Any], ask: Callable[[], Any]
) -> list[str | None]:
    loaded = load_project(project.root)
    for statement in TABLES:
        execute(statement)
    found = [input_fingerprint(ask(), loaded)]
    for change in CHANGES:
        execute(change)
        found.append(input_fingerprint(ask(), loaded))
    return found


def test_the_input_has_a_fingerprint_on_duckdb(project: SmallProject) -> None:
    """Every change of a raw table changes it; the same rows again, or in another order, do not."""
    with duckdb.connect() as connection:
        found = fingerprints(project, connection.execute, lambda: connection)
        # Taking the added row away again gives the first state again.
        assert found[0] == found[4]
        assert len(set(found)) == len(found) - 1
        loaded = load_project(project.root)
        connection.execute(
            "create or replace table stripe.customer as from stripe.customer order by id desc"
        )
        assert input_fingerprint(connection, loaded) == found[-1]
        loaded.variables["stripe_database"] = "elsewhere"
        assert input_fingerprint(connection, loaded) is None


def test_the_input_has_a_fingerprint_on_postgres(
    project: SmallProject, postgres_database: PostgresDatabase
) -> None:
    """The same on Postgres."""
    connection = postgres_database.connect()
    asked = AskedLikeDuckDB(connection)
    found = fingerprints(project, lambda sql: asked.execute(sql), lambda: asked)
    assert found[0] == found[4]
    assert len(set(found)) == len(found) - 1
    states = [RawState("stripe", "customer", 20, ("email", "id"))]
    keep(asked, states)
    keep(asked, states)
    assert kept(asked) == states
    connection.close()


def raw(table: str, rows: int, *columns: str, source: str = "stripe") -> RawState:
    return RawState(source, table, rows, columns or ("id",))


BEFORE = [raw("customer", 100, "email", "id"), raw("charge", 12), raw("refund", 3)]
LOST = {
    "customer holds 0 of 100": [raw("customer", 0, "email", "id"), *BEFORE[1:]],
    "customer holds 49 of 100": [raw("customer", 49, "email", "id"), *BEFORE[1:]],
    "charge holds 0 of 12": [BEFORE[0], BEFORE[2]],
    "customer is without email": [raw("customer", 100, "id"), *BEFORE[1:]],
}


@pytest.mark.parametrize("what", LOST)
def test_a_source_that_lost_much_stops_the_build(what: str) -> None:
    """Nobody is retired because a load broke; whoever means it says so, for that source."""
    (problem,) = losses(BEFORE, LOST[what])
    assert what in problem.message
    assert "--accept-loss stripe" in problem.hint
    assert losses(BEFORE, LOST[what], ["stripe"]) == []
    assert losses(BEFORE, LOST[what], ["shopify"]) != []


def test_a_source_that_lives_stops_nothing() -> None:
    """Growth, a few rows less, a small table that empties, a new column, a source switched off."""
    assert losses([], BEFORE) == []
    now = [raw("customer", 50, "email", "id", "note"), raw("charge", 40), raw("refund", 0)]
    assert losses(BEFORE, now) == []
    assert losses(BEFORE, [raw("order", 1, source="shopify")]) == []


def test_a_part_cannot_be_gone_on_with(project: SmallProject) -> None:
    """For a data engineer: --resume with --select is told apart, before anything runs."""
    outcome = project.run("build", "--resume", "--select", "customers")
    assert outcome.code == 2
    assert "leave --select out" in outcome.err
