"""The SQL before and behind the matching, run batch after batch without dbt.

The models' compiled SQL is run as it is, or with a rule disabled. What gives ids and keeps the
ledger is run on the groups of records that the scenarios tell: so a rule of ids is tried in a
second, for people and for companies. What decides on the records that are matched is followed by
the matching itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from kindred.identity.pipeline import resolve
from scenario_data import BATCHES, MOMENTS, OVERRIDE_COLUMNS, Scenario, State, record_id, state
from scenario_judge import After, Event
from scenario_rules import as_shipped
from scenario_sql_rules import AGAIN, ENTITIES, Edit

DATABASE = "warehouse"
# A run on the last state that is killed on its way comes before batch 4.
RUNS = ((1, False), (2, False), (3, False), (BATCHES, True), (4, False), (BATCHES, False))
_LEDGER_COLUMNS = (
    "generation bigint, event text, from_id text, to_id text, record_id text,"
    " record_count bigint, cause text, occurred_at timestamp"
)


@dataclass(frozen=True)
class Models:
    """The compiled SQL of models by name, each edit made."""

    texts: Mapping[str, str]

    def without(self, edits: Iterable[Edit], entity: str) -> Models:
        """The same with a rule disabled."""
        texts = dict(self.texts)
        for edit in (given.of(entity) for given in edits):
            text = texts[edit.model]
            assert text.count(edit.old) == 1, (
                f"{edit.model} holds {text.count(edit.old)}x: {edit.old}"
            )
            texts[edit.model] = text.replace(edit.old, edit.new)
        return Models(texts)


def model_order(entity: str) -> tuple[tuple[str, str], ...]:
    """Schema and name of the models that a run makes, in order; the ledger is added to."""
    base = ENTITIES[entity]
    return (
        ("identity", "generation"),
        ("identity", f"int_{entity}_known_ids_prior"),
        ("identity", f"int_{entity}_ids_prior"),
        ("identity", f"int_{base}_id_changes_prior"),
        ("identity", f"int_{entity}_ids"),
        ("identity", f"int_{entity}_id_ledger"),
        ("kindred", f"{base}_id_changes"),
        ("kindred", f"{base}_id_map"),
    )


def replay(
    models: Models,
    scenarios: Sequence[Scenario],
    entity: str,
    *,
    again: bool = False,
    meddle: Mapping[int, str] | None = None,
) -> list[After]:
    """What each batch left, where all records are people or companies as `entity` says.

    again: runs write of the ids what differs, as where they find the table there. meddle: what
    somebody does to the warehouse before a batch.
    """
    with duckdb.connect() as con:
        con.execute(f"attach ':memory:' as {DATABASE}")
        con.execute(f"use {DATABASE}")
        for schema in ("identity", "kindred"):
            con.execute(f"create schema {schema}")
        ledger = f"identity.int_{entity}_id_ledger"
        con.execute(f"create table {ledger} ({_LEDGER_COLUMNS})")
        con.execute("create table kindred.run_history (generation bigint)")
        con.execute(f"create view {ledger}_prior as from {ledger}")
        con.execute("create view identity.int_run_history_prior as from kindred.run_history")
        found = []
        for batch, killed in RUNS:
            _clusters(con, entity, batch, scenarios)
            con.execute((meddle or {}).get(batch, ""))
            for schema, name in model_order(entity):
                if again and len(found) and name == f"int_{entity}_ids":
                    _write_what_differs(con, f"{schema}.{name}", models.texts[AGAIN.format(name)])
                else:
                    _make(con, f"{schema}.{name}", models.texts[name], batch)
            if not killed:
                found.append(_after(con, entity))
                con.execute(
                    "insert into kindred.run_history select generation from identity.generation"
                )
    return found


def _clusters(
    con: duckdb.DuckDBPyConnection, entity: str, batch: int, scenarios: Sequence[Scenario]
) -> None:
    rows = [
        {"record_id": record_id(scenario, local), "cluster_label": f"{scenario.name} {name}"}
        for scenario in scenarios
        for name, locals_ in (scenario.expected(batch).customers or {}).items()
        for local in locals_
    ]
    columns = pa.schema([("record_id", pa.string()), ("cluster_label", pa.string())])
    con.register("given", pa.Table.from_pylist(rows, schema=columns))
    con.execute(f"create or replace table identity.int_{entity}_clusters as from given")


def _make(con: duckdb.DuckDBPyConnection, name: str, sql: str, batch: int) -> None:
    """Build a model; the ledger keeps the rows of other generations."""
    if name == "identity.generation":
        moment = "cast('2026-01-01 12:00:00' as timestamp)"
        assert moment in sql
        sql = sql.replace(moment, f"cast('{MOMENTS[batch - 1]}' as timestamp)")
    if name.endswith("_id_ledger"):
        con.execute(f"create or replace temp table events as {sql}")
        con.execute(f"delete from {name} where generation in (select generation from events)")
        con.execute(f"insert into {name} from events")
    else:
        con.execute(f"create or replace table {name} as {sql}")


def _write_what_differs(con: duckdb.DuckDBPyConnection, name: str, sql: str) -> None:
    """As macro get_incremental_by_difference_sql does."""
    con.execute(f"create or replace temp table differing as {sql}")
    con.execute(f"delete from {name} where record_id in (select record_id from differing)")
    con.execute(f"insert into {name} from differing where generation is not null")


def _after(con: duckdb.DuckDBPyConnection, entity: str) -> After:
    base = ENTITIES[entity]
    ids = con.execute(f"select record_id, {base}_id from identity.int_{entity}_ids").fetchall()
    events = con.execute(
        f"""
        select event, from_{base}_id, to_{base}_id, record_id, record_count, cause
        from kindred.{base}_id_changes
        where generation = (select generation from identity.generation)
        """
    ).fetchall()
    leads = con.execute(
        f"select {base}_id, status, current_{base}_id from kindred.{base}_id_map"
    ).fetchall()
    return After(
        dict(ids), tuple(Event(*e) for e in events), {i: (status, to) for i, status, to in leads}
    )


def match(models: Models, scenario: Scenario, batch: int) -> After:
    """Who is together after a batch, of the records and decisions that the models let through."""
    entity, held = scenario.entity, state(batch, [scenario])
    with duckdb.connect() as con:
        con.execute(f"attach ':memory:' as {DATABASE}")
        con.execute(f"use {DATABASE}")
        _given(con, entity, held)
        for name in ("generation", f"int_{entity}_match_records", f"int_{entity}_overrides"):
            _make(con, f"identity.{name}", models.texts[name], batch)
        live = con.execute(f"from identity.int_{entity}_match_records").to_arrow_table()
        decisions = con.execute(f"from identity.int_{entity}_overrides").to_arrow_table()
    matching = as_shipped()
    found = resolve(
        live,
        matching.entity(entity),
        identifiers=held.identifiers,
        overrides=decisions,
        reference=matching.reference,
        model="shipped",
        junk_limits=matching.junk_limits,
    )
    return After({row["record_id"]: row["entity"] for row in found.assignments.to_pylist()})


def _given(con: duckdb.DuckDBPyConnection, entity: str, held: State) -> None:
    for schema in ("identity", "streams", "stewardship"):
        con.execute(f"create schema {schema}")
    con.execute("create table identity.int_run_history_prior (generation bigint)")
    records = held.records[entity]
    if "country_code" not in records.column_names:
        records = records.append_column("country_code", pa.nulls(records.num_rows, pa.string()))
    decisions = pa.Table.from_pylist(
        [{name: value or None for name, value in row.items()} for row in held.overrides],
        schema=pa.schema([(name, pa.string()) for name in OVERRIDE_COLUMNS]),
    )
    tables = {f"streams.{entity}_records": records, "stewardship.identity_overrides": decisions}
    for name, table in tables.items():
        con.register("given", table)
        con.execute(f"create table {name} as from given")
