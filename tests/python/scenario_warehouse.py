"""Scenarios through dbt: the identity part of the project, fed by one source that tells them.

The project's own models, macros, seeds and tests are used as they are. Only the source is made up,
the streams read it as they read any source, and `run_history` is cut to what identity needs of it.
Models named `kept_*` take down what each run left, so that every run can be judged afterwards.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import yaml

from postgres_server import PostgresDatabase
from scenario_data import BATCHES, MOMENTS, OVERRIDE_COLUMNS, scenarios, state
from scenario_judge import After, Assignment, Event
from scenario_rules import JUNK_LIMITS
from scenario_sql_rules import AGAIN
from whole_project import REPOSITORY, WholeProject, plain_environment

STREAMS = ("person_records", "account_records", "record_identifiers")
BASES = {"person": "customer", "account": "account"}
_IDENTITY = (
    "macros", "seeds", "tests/generic", "tests/identity", "models/_groups.yml",
    "models/intermediate/identity", "models/intermediate/streams/_streams__models.yml",
    *(f"models/intermediate/streams/{stream}.sql" for stream in STREAMS),
    "models/marts/identity", "dbt_project.yml",
)  # fmt: skip
_LEFT_OUT = ("__pycache__", "*_unit_tests.yml")
# What a run leaves that people read, or that the next run builds on.
RELATIONS = (
    "int_person_ids", "int_account_ids", "customer_id_changes", "account_id_changes",
    "customer_id_map", "account_id_map", "customer_source_records", "account_source_records",
    "identity_links", "identity_review_queue", "int_person_junk_identifiers",
    "int_account_junk_identifiers",
)  # fmt: skip
MOST_RUNS = 8


class Engine(Protocol):
    """A warehouse that dbt builds in: the target of profiles.example.yml, and where it is."""

    target: str

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that the target reads."""

    def load(self, schema: str, tables: Mapping[str, pa.Table]) -> None:
        """Make the tables anew in a schema."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""


@dataclass(frozen=True)
class DuckDb:
    """The embedded warehouse, in a file of its own.

    root: the project's folder, from which dbt is told the way to the file: the same for every such
    project, so that what dbt remembers of reading one serves all.
    """

    path: Path
    root: Path | None = None
    target: str = "duckdb"

    @property
    def environment(self) -> Mapping[str, str]:
        """Where dbt finds it."""
        path = os.path.relpath(self.path, self.root) if self.root else str(self.path)
        return {"KINDRED_DATABASE": path, "KINDRED_MEMORY_LIMIT": "1GB"}

    def load(self, schema: str, tables: Mapping[str, pa.Table]) -> None:
        """Make the tables anew in a schema."""
        with duckdb.connect(str(self.path)) as connection:
            connection.execute(f"create schema if not exists {schema}")
            for name, table in tables.items():
                connection.register("given", table)
                connection.execute(f"create or replace table {schema}.{name} as from given")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@dataclass(frozen=True)
class Postgres:
    """A database of a Postgres server."""

    database: PostgresDatabase
    target: str = "postgres"

    @property
    def environment(self) -> Mapping[str, str]:
        """Where dbt finds it."""
        return self.database.environment

    def load(self, schema: str, tables: Mapping[str, pa.Table]) -> None:
        """Make the tables anew in a schema."""
        with closing(self.database.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"create schema if not exists {schema}")
            for name, table in tables.items():
                columns = ", ".join(f'"{f.name}" {_postgres_type(f.type)}' for f in table.schema)
                cursor.execute(f"create table {schema}.{name} ({columns})")
                cursor.copy_expert(
                    f"copy {schema}.{name} from stdin with (format csv, null '\\N')", _as_csv(table)
                )
            connection.commit()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return self.database.query(sql)


def _postgres_type(given: pa.DataType) -> str:
    return "boolean" if pa.types.is_boolean(given) else "text"


def _as_csv(table: pa.Table) -> io.StringIO:
    text = io.StringIO()
    writer = csv.writer(text)
    for row in table.to_pylist():
        writer.writerow([r"\N" if value is None else value for value in row.values()])
    text.seek(0)
    return text


@dataclass(frozen=True)
class Step:
    """One run of dbt on the state after a batch. A run that is `killed` never reaches its end."""

    batch: int
    full_refresh: bool = False
    killed: bool = False
    every_test: bool = False
    model: str = "shipped"

    def arguments(self) -> list[str]:
        """What dbt is called with."""
        given = {
            "sources": {"scenario": list(STREAMS)},
            "segments": [],
            "identity_model": self.model,
            "junk_max_names_per_contact": JUNK_LIMITS["email"],
            "junk_max_names_per_address": JUNK_LIMITS["address"],
        }
        found = ["build", "--vars", json.dumps(given)]
        if self.killed:
            found += ["--select", "+customer_id_changes", "+account_id_changes"]
            found += ["--exclude-resource-type", "test"]
        elif not self.every_test:
            found += ["--exclude", "test_type:generic"]
        return found + (["--full-refresh"] if self.full_refresh else [])

    @property
    def environment(self) -> dict[str, str]:
        """What dbt is told beside: for these it need not read the project anew."""
        return {"SCENARIO_BATCH": str(self.batch), "KINDRED_AS_OF": MOMENTS[self.batch - 1]}


@dataclass(frozen=True)
class Run:
    """What a run that reached its end left: by entity, and every row of RELATIONS by its hash."""

    step: Step
    after: dict[str, After]
    rows: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Played:
    """A project and warehouse after some steps, with all runs that reached their end."""

    project: WholeProject
    engine: Engine
    runs: tuple[Run, ...]

    @property
    def last(self) -> Run:
        """The last run."""
        return self.runs[-1]


def play(
    root: Path, engine: Engine, steps: Sequence[Step], *, shuffled: int | None = None
) -> Played:
    """Run dbt step by step; `shuffled`, the seed of another order of all rows of the source."""
    project = make_project(root)
    for batch in sorted({step.batch for step in steps}):
        engine.load(f"batch_{batch}", streams_after(batch, shuffled))
        _write_overrides(root / f"overrides_{batch}.csv", batch, shuffled)
    told = [
        {
            "overrides": f"overrides_{step.batch}.csv",
            "arguments": [*step.arguments(), "--target", engine.target],
            "environment": step.environment,
        }
        for step in steps
    ]
    for later in told[1:]:
        later["arguments"] += ["--exclude", "path:seeds/reference"]
    (root / "steps.json").write_text(json.dumps(told), "utf-8")
    driver = Path(__file__).with_name("scenario_steps.py")
    with project.parsed_before(("dbt", *told[0]["arguments"])):
        project.run(sys.executable, str(driver), "steps.json", **engine.environment).expect()
    return Played(project, engine, _runs(engine, steps))


def play_on_duckdb(root: Path, steps: Sequence[Step], *, shuffled: int | None = None) -> Played:
    """The same in a folder of its own, on DuckDB."""
    project = root / "project"
    engine = DuckDb(root / "warehouse.duckdb", project)
    return play(project, engine, steps, shuffled=shuffled)


def compiled(root: Path) -> dict[str, str]:
    """The SQL of the identity models on an empty DuckDB, by name; for the moment of batch 1.

    Of the tables of ids also, as `AGAIN` names them, what a run asks that finds the table there.
    """
    project = make_project(root / "project")
    engine = DuckDb(root / "warehouse.duckdb", project.root)
    (_, *given) = Step(1).arguments()[:3]
    environment = {**engine.environment, **Step(1).environment}
    chosen = ("--select", "+customer_id_map", "+account_id_map")
    project.dbt("compile", *given, *chosen, **environment).expect()
    folder = project.root / "target" / "compiled" / "kindred" / "models"
    found = {path.stem: path.read_text("utf-8") for path in folder.rglob("*.sql")}
    ids = {f"int_{entity}_ids": _ids_of_nobody(base) for entity, base in BASES.items()}
    engine.load("identity", ids)
    project.dbt("compile", *given, "--select", *ids, **environment).expect()
    again = {p.stem: p.read_text("utf-8") for p in folder.rglob("*.sql") if p.stem in ids}
    return found | {AGAIN.format(name): text for name, text in again.items()}


def _ids_of_nobody(base: str) -> pa.Table:
    columns = {"record_id": pa.string(), f"{base}_id": pa.string(), "generation": pa.int64(),
               "placement": pa.uint64()}  # fmt: skip
    return pa.schema(list(columns.items())).empty_table()


def make_project(root: Path) -> WholeProject:
    """The identity part of the project, fed by the source that tells the scenarios."""
    for place in _IDENTITY:
        source, target = REPOSITORY / place, root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        else:
            shutil.copyfile(source, target)
    shutil.copyfile(REPOSITORY / "profiles.example.yml", root / "profiles.yml")
    for path, text in {**_source_models(), **_kept_models()}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    environment = plain_environment(PYTHONPATH=str(REPOSITORY / "python"))
    return WholeProject(root, environment, "identity")


def _source_models() -> dict[str, str]:
    """The source that tells the scenarios, and the mark of a run that reached its end."""
    batch = "batch_{{ env_var('SCENARIO_BATCH') if execute else 0 }}"
    folder = "models/staging/scenario"
    history = (REPOSITORY / "models/marts/quality/run_history.sql").read_text("utf-8")
    settings, _, _ = history.partition("-- depends_on")
    ends = [f"-- depends_on: {{{{ ref('{name}') }}}}" for name in (*RELATIONS, "identity_health")]
    return {
        **{
            f"{folder}/scenario__{stream}.sql": f"select * from {batch}.{stream}\n"
            for stream in STREAMS
        },
        "models/kept/run_history.sql": "\n".join(
            [settings, *ends, "select * from {{ ref('generation') }}\n"]
        ),
    }


def _kept_models() -> dict[str, str]:
    def keep(*parts: str) -> str:
        config = "{{ config(materialized='incremental', full_refresh=false) }}\n"
        body = "\nunion all\n".join(parts)
        return (
            f"{config}select kept.*, this_run.generation as run from (\n{body}\n) as kept\n"
            "cross join {{ ref('generation') }} as this_run\n"
        )

    links = "record_id_l, record_id_r, link_type, rule, match_weight, field_weights"
    found = {
        "kept_ids": keep(
            *(
                f"select '{entity}' as entity, record_id, {base}_id as id"
                f" from {{{{ ref('int_{entity}_ids') }}}}"
                for entity, base in BASES.items()
            )
        ),
        "kept_map": keep(
            *(
                f"select '{entity}' as entity, {base}_id as id, status, current_{base}_id"
                f" as current_id from {{{{ ref('{base}_id_map') }}}}"
                for entity, base in BASES.items()
            )
        ),
        "kept_links": keep(f"select entity, {links} from {{{{ ref('identity_links') }}}}"),
        "kept_rows": keep(
            *(
                f"select '{name}' as relation, {{{{ whole_row_hash('one') }}}} as row_hash"
                f" from {{{{ ref('{name}') }}}} as one"
                for name in RELATIONS
            )
        ),
        "past_assignments": "\nunion all\n".join(
            f"select '{entity}' as entity, {run} as asked, record_id, {base}_id as id from ("
            f"{{{{ assignments_as_of(ref('{base}_id_changes'), '{base}_id', {run}) }}}}) as past"
            for entity, base in BASES.items()
            for run in range(1, MOST_RUNS + 1)
        ),
    }
    return {f"models/kept/{name}.sql": text for name, text in found.items()}


@cache
def stream_columns() -> dict[str, dict[str, str]]:
    """The columns of the streams' contracts, and their types."""
    told = yaml.safe_load(
        (REPOSITORY / "models/intermediate/streams/_streams__models.yml").read_text("utf-8")
    )
    return {
        model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
        for model in told["models"]
        if model["name"] in STREAMS
    }


def streams_after(batch: int, shuffled: int | None = None) -> dict[str, pa.Table]:
    """The streams' tables after a batch of all scenarios, with all columns of their contracts."""
    held = state(batch, scenarios())
    given = (held.records["person"], held.records["account"], held.identifiers)
    return {
        stream: _shuffled(_with_columns(table, list(stream_columns()[stream])), shuffled)
        for stream, table in zip(STREAMS, given, strict=True)
    }


def _with_columns(table: pa.Table, columns: Iterable[str]) -> pa.Table:
    """The table in these columns; one that it does not hold is empty."""
    missing = pa.nulls(table.num_rows, pa.string())
    return pa.table({c: table[c] if c in table.column_names else missing for c in columns})


def _shuffled(table: pa.Table, seed: int | None) -> pa.Table:
    if seed is None:
        return table
    order = list(range(table.num_rows))
    random.Random(seed).shuffle(order)
    return table.take(order)


def _write_overrides(path: Path, batch: int, shuffled: int | None) -> None:
    rows = state(batch, scenarios(), background=False).overrides
    if shuffled is not None:
        random.Random(shuffled).shuffle(rows)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, OVERRIDE_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def _runs(engine: Engine, steps: Sequence[Step]) -> tuple[Run, ...]:
    finished = [step for step in steps if not step.killed]
    ids: dict[tuple[int, str], Assignment] = defaultdict(dict)
    for run, entity, record, held in engine.rows(
        "select run, entity, record_id, id from kindred.kept_ids"
    ):
        ids[run, entity][record] = held
    maps: dict[tuple[int, str], dict[str, tuple[str, str | None]]] = defaultdict(dict)
    for run, entity, held, status, current in engine.rows(
        "select run, entity, id, status, current_id from kindred.kept_map"
    ):
        maps[run, entity][held] = (status, current)
    links: dict[tuple[int, str], set[tuple[str, str, str]]] = defaultdict(set)
    for run, entity, *link in engine.rows(
        "select run, entity, record_id_l, record_id_r, rule from kindred.kept_links"
    ):
        links[run, entity].add((link[0], link[1], link[2]))
    rows: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for run, relation, row_hash in engine.rows(
        "select run, relation, row_hash from kindred.kept_rows order by relation, row_hash"
    ):
        rows[run][relation].append(row_hash)
    events = {entity: _events(engine, entity) for entity in BASES}
    return tuple(
        Run(
            step,
            {
                entity: After(
                    ids[run, entity],
                    tuple(events[entity][run]),
                    maps[run, entity],
                    frozenset(links[run, entity]),
                )
                for entity in BASES
            },
            {relation: tuple(found) for relation, found in rows[run].items()},
        )
        for run, step in enumerate(finished, start=1)
    )


def _events(engine: Engine, entity: str) -> dict[int, list[Event]]:
    base = BASES[entity]
    found: dict[int, list[Event]] = defaultdict(list)
    for run, *event in engine.rows(
        f"select generation, event, from_{base}_id, to_{base}_id, record_id, record_count, cause"
        f" from kindred.{base}_id_changes"
    ):
        found[run].append(Event(*event))
    return found


def first_runs(played: Played) -> list[Run]:
    """The first run of each batch."""
    return [next(run for run in played.runs if run.step.batch == batch) for batch in EVERY_BATCH]


def links_after(played: Played, run: int) -> list[tuple[Any, ...]]:
    """The links that a run left, with what they weigh."""
    columns = "entity, record_id_l, record_id_r, link_type, rule, match_weight, field_weights"
    found = played.engine.rows(f"select {columns} from kindred.kept_links where run = {run}")
    return sorted(found, key=str)


EVERY_BATCH = tuple(range(1, BATCHES + 1))
# A run that is killed on the way does not count; a full refresh in the middle loses nothing.
STORY = (
    Step(1),
    Step(2),
    Step(5, killed=True),
    Step(3),
    Step(4, full_refresh=True),
    Step(5, every_test=True),
    Step(5),
    Step(5, full_refresh=True),
)
