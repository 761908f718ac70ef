"""The changes of ids of customers and accounts: written run by run, always what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from postgres_server import PostgresServer
from scenario_warehouse import BASES, DuckDb, Engine, Postgres, Step, make_project
from whole_project import WholeProject

_COLUMNS = "event, from_id, to_id, record_id, record_count, cause, occurred_at"
_TYPES = "text, from_id text, to_id text, record_id text, record_count bigint, cause text"
_NODES = (
    "int_run_history_prior", "generation", "int_person_id_ledger_prior",
    "int_account_id_ledger_prior", "int_customer_id_changes_prior", "int_account_id_changes_prior",
    "customer_id_changes", "account_id_changes",
)  # fmt: skip


@dataclass(frozen=True)
class Warehouse:
    """A project whose ledgers and history of runs the test writes."""

    project: WholeProject
    engine: Engine

    def execute(self, *statements: str) -> None:
        """Change the warehouse."""
        if isinstance(self.engine, Postgres):
            self.engine.database.execute(*statements)
            return
        assert isinstance(self.engine, DuckDb)
        with closing(duckdb.connect(str(self.engine.path))) as connection:
            for statement in statements:
                connection.execute(statement)

    def finish(self, generation: int) -> None:
        """Let the run count as finished."""
        self.execute(f"insert into kindred.run_history values ({generation})")

    def tell(self, entity: str, generation: int, *records: str, day: int = 1) -> None:
        """Write what a run tells of an entity, in the place of what it told before."""
        ledger, moment = f"identity.int_{entity}_id_ledger", f"2026-01-{day:02d} 12:00:00"
        rows = ["('run_started', null, null, null, cast(null as bigint), null)"]
        for record in records:
            rows.append(f"('created', null, 'id_{record}', null, 1, 'new')")
            rows.append(f"('record_moved', null, 'id_{record}', '{record}', 1, 'first seen')")
        self.execute(
            f"delete from {ledger} where generation = {generation}",
            f"insert into {ledger} select {generation}, told.*, timestamp '{moment}'"
            f" from (values {', '.join(rows)}) as told",
        )

    def run(self, *options: str) -> None:
        """Make the tables of changes, as a run does after it wrote the ledgers."""
        given = (*Step(1).arguments()[1:], "--target", self.engine.target, *options)
        chosen = ("--quiet", "--select", *_NODES)
        environment = {**self.engine.environment, **Step(1).environment}
        self.project.dbt("run", *given, *chosen, **environment).expect()

    def changes(self, entity: str) -> list[tuple[Any, ...]]:
        """What the table holds, without its keys."""
        base = BASES[entity]
        columns = _COLUMNS.replace("_id,", f"_{base}_id,", 2)
        return self._rows(f"select generation, {columns} from kindred.{base}_id_changes")

    def told(self, entity: str) -> list[tuple[Any, ...]]:
        """What the ledger tells of the runs that finished and of the last."""
        return self._rows(
            f"select generation, {_COLUMNS} from identity.int_{entity}_id_ledger"
            " where event <> 'run_started' and (generation in"
            " (select generation from identity.int_run_history_prior)"
            " or generation = (select generation from identity.generation))"
        )

    def keys(self, entity: str) -> list[tuple[Any, ...]]:
        """Keys of the changes."""
        return self._rows(f"select change_id from kindred.{BASES[entity]}_id_changes")

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return sorted(self.engine.rows(sql), key=str)


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    """Both engines, with empty ledgers."""
    project = make_project(tmp_path / "project")
    if request.param == "duckdb":
        yield _with_ledgers(project, DuckDb(tmp_path / "warehouse.duckdb", project.root))
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.new_database() as database:
        yield _with_ledgers(project, Postgres(database))


def _with_ledgers(project: WholeProject, engine: Engine) -> Warehouse:
    found = Warehouse(project, engine)
    columns = f"generation bigint, event {_TYPES}, occurred_at timestamp"
    found.execute(
        "create schema identity",
        "create schema kindred",
        *(f"create table identity.int_{entity}_id_ledger ({columns})" for entity in BASES),
        "create table kindred.run_history (generation bigint)",
    )
    return found


def test_changes_are_what_the_ledger_tells(warehouse: Warehouse) -> None:
    """Whoever reads changes of ids reads the ledger of runs that count, whatever went before."""

    def holds() -> None:
        for entity in BASES:
            assert warehouse.changes(entity) == warehouse.told(entity)
            assert len(set(warehouse.keys(entity))) == len(warehouse.told(entity))

    for entity in BASES:
        warehouse.tell(entity, 1, "a", "b")
    warehouse.run()
    holds()

    # A run that is killed after it wrote; what finished runs told is not written again.
    warehouse.finish(1)
    warehouse.execute(
        *(f"update kindred.{base}_id_changes set cause = 'as it was'" for base in BASES.values())
    )
    for entity in BASES:
        warehouse.tell(entity, 2, "c", day=2)
    warehouse.run()
    for entity in BASES:
        causes = [row[-2] for row in warehouse.changes(entity)]
        assert sorted(causes) == ["as it was"] * 4 + ["first seen", "new"]

    # The next attempt finds nothing to tell of people, and a row of an account has been lost.
    warehouse.tell("person", 2, day=3)
    warehouse.tell("account", 2, "d", day=3)
    warehouse.execute("delete from kindred.account_id_changes where record_id = 'a'")
    warehouse.run()
    assert {row[-2] for row in warehouse.changes("person")} == {"as it was"}
    assert len(warehouse.changes("person")) == 4
    assert warehouse.changes("account") == warehouse.told("account")

    # Other state was restored: a shorter history of people, another first run of accounts; and a
    # run that finished without these tables.
    warehouse.finish(2)
    warehouse.finish(3)
    warehouse.execute(
        "insert into kindred.customer_id_changes select 'left over', 9, 'created', null, 'id_x',"
        " null, 1, 'new', timestamp '2026-01-09 12:00:00'",
        "delete from kindred.customer_id_changes where generation = 1 and record_id = 'b'",
    )
    warehouse.tell("account", 1, "a", "c", day=8)
    for entity in BASES:
        warehouse.tell(entity, 3, "e", day=4)
        warehouse.tell(entity, 4, "f", day=5)
        warehouse.tell(entity, 9, "g", day=9)
    warehouse.run()
    holds()

    # Made anew: the same rows with the same keys, and a view of somebody else's still reads them.
    keys = {entity: warehouse.keys(entity) for entity in BASES}
    warehouse.execute(
        "create schema reporting",
        "create view reporting.changes as select change_id from kindred.customer_id_changes",
        "update kindred.customer_id_changes set cause = 'as it was'",
    )
    warehouse.run("--full-refresh")
    holds()
    assert {entity: warehouse.keys(entity) for entity in BASES} == keys
    counted = "select count(*) from reporting.changes"
    assert warehouse.engine.rows(counted) == [(len(keys["person"]),)]
