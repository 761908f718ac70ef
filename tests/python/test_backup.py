"""Backup and restore: what nobody can build again is not lost, on either engine."""

from __future__ import annotations

import errno
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb
import pytest
from pyarrow import parquet

from conftest import sample_as_of
from kindred.errors import KindredError
from kindred.project import Profile, Project
from kindred.warehouse import backup, target
from kindred.warehouse.backup import SUPPRESSION, StateTable, back_up, read_backup, restore
from kindred.warehouse.database import Connection, arrow_rows, row_count
from postgres_server import PostgresDatabase, PostgresServer
from whole_project import REPOSITORY, WholeProject, copy_project

LEDGER = StateTable("identity", "int_person_id_ledger")
RESULTS = StateTable("", "data_quality_results")
HISTORY = StateTable("", "run_history")
TABLES = [RESULTS, HISTORY, LEDGER, SUPPRESSION]
PROJECT = Project(REPOSITORY, "kindred", "kindred", {})
MADE = (
    "create schema identity",
    "create schema kindred",
    "create schema privacy",
    "create table identity.int_person_id_ledger (generation bigint, to_id text, record_id text, "
    "occurred_at timestamp)",
    "insert into identity.int_person_id_ledger values "
    "(1, 'cus_1', 'crm:contact:1', timestamp '2026-01-02 03:04:05.000006'), "
    "(1, null, '', null), (2, 'cus_2', 'a,\"b\"\n\\N', timestamp '2026-01-03')",
    "create table kindred.run_history (generation bigint not null, run_id text, share "
    "double precision)",
    "insert into kindred.run_history values (1, 'one', 0.1), (2, 'two', null)",
    "create table kindred.data_quality_results (generation bigint, unexpected_percent "
    "numeric(9, 4), is_success boolean)",
    "insert into kindred.data_quality_results values (2, 12.3456, true), (2, null, false)",
    "create table privacy.suppression (identifier_type text, identifier_hash text, "
    "suppressed_at timestamp)",
    "insert into privacy.suppression values ('email', 'aa', timestamp '2026-01-01')",
)
Open = Callable[[], AbstractContextManager[Connection]]


@pytest.fixture
def profiles(tmp_path: Path, postgres_database: PostgresDatabase) -> dict[str, Profile]:
    """An empty target on each engine."""
    file = tmp_path / "kindred_build.duckdb"
    return {
        "duckdb": Profile("duckdb", "duckdb", "kindred", tmp_path, file),
        "postgres": Profile(
            "postgres", "postgrespy", "kindred", tmp_path, None, dict(postgres_database.address)
        ),
    }


@contextmanager
def made(profile: Profile, *statements: str) -> Iterator[Connection]:
    """A target in which these statements have run."""
    with target.opened(profile) as connection:
        for statement in statements:
            connection.execute(statement)
        yield connection


def everything(connection: Connection, profile: Profile) -> dict[str, list[str]]:
    """Types and rows of every table of state, in any order."""
    found = {}
    for table in TABLES:
        schema, name = table.place(PROJECT, profile)
        rows = arrow_rows(connection, f"select * from {schema}.{name}")
        types = sorted(str(field) for field in rows.schema)
        found[name] = [*types, *sorted(repr(row) for row in rows.to_pylist())]
    return found


@pytest.fixture
def saved(profiles: dict[str, Profile], tmp_path: Path) -> Path:
    """A backup of a DuckDB file."""
    file = tmp_path / "source" / "kindred_build.duckdb"
    profile = Profile("duckdb", "duckdb", "kindred", tmp_path, file)
    with made(profile, *MADE) as connection:
        back_up(connection, PROJECT, profile, TABLES, tmp_path / "saved")
    return tmp_path / "saved"


@pytest.mark.parametrize("to", ["duckdb", "postgres"])
@pytest.mark.parametrize("of", ["duckdb", "postgres"])
def test_state_comes_back_as_it_was(
    profiles: dict[str, Profile], postgres: PostgresServer, tmp_path: Path, of: str, to: str
) -> None:
    """Whoever restores, also on the other engine, gets every value of every row, and its type."""
    with made(profiles[of], *MADE) as connection:
        before = everything(connection, profiles[of])
        done = back_up(connection, PROJECT, profiles[of], TABLES, tmp_path / "saved")
    assert (done.generation, done.engine) == (2, of)
    with postgres.new_database() as other:
        settings = dict(other.address)
        empty = {
            "duckdb": Profile("d", "duckdb", "kindred", tmp_path, tmp_path / "other.duckdb"),
            "postgres": Profile("p", "postgrespy", "kindred", tmp_path, None, settings),
        }[to]
        with target.opened(empty) as connection:
            restore(connection, PROJECT, empty, tmp_path / "saved")
            assert everything(connection, empty) == before
            nullable = connection.execute(
                "select column_name from information_schema.columns "
                "where table_name = 'run_history' and is_nullable = 'NO'"
            ).fetchall()
            assert nullable == [("generation",)]


def test_a_backup_is_for_one_user_and_says_what_it_holds(saved: Path) -> None:
    """For the privacy officer: nobody else can open it; the manifest counts and seals each file."""
    assert saved.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in saved.iterdir()} == {0o600}
    told = json.loads((saved / "backup.json").read_text("utf-8"))
    assert (told["format"], told["generation"], told["engine"]) == (1, 2, "duckdb")
    rows = {table["name"]: table["rows"] for table in told["tables"]}
    assert rows == {
        "run_history": 2, "data_quality_results": 2, "int_person_id_ledger": 3, "suppression": 1,
    }  # fmt: skip


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_state_that_is_there_is_not_overwritten_unasked(
    profiles: dict[str, Profile], saved: Path, engine: str
) -> None:
    """Whoever restores into the wrong warehouse is refused, and may insist."""
    newer = (*MADE, "insert into kindred.run_history values (3, 'three', 1)")
    with made(profiles[engine], *newer) as connection:
        before = everything(connection, profiles[engine])
        with pytest.raises(KindredError, match=r"kindred\.run_history.*--replace"):
            restore(connection, PROJECT, profiles[engine], saved)
        assert everything(connection, profiles[engine]) == before
        restore(connection, PROJECT, profiles[engine], saved, is_replacing=True)
        runs = connection.execute("select count(*) from kindred.run_history").fetchall()
        assert runs == [(2,)]


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_nobody_who_was_suppressed_comes_back(
    profiles: dict[str, Profile], saved: Path, engine: str
) -> None:
    """Suppressions since the backup stay, those of the backup are added, none is there twice."""
    later = (
        "create schema privacy",
        MADE[-2],
        "insert into privacy.suppression values ('email', 'bb', timestamp '2026-07-01')",
    )
    with made(profiles[engine], *later) as connection:
        for _ in range(2):
            restore(connection, PROJECT, profiles[engine], saved, is_replacing=True)
        hashes = connection.execute(
            "select identifier_hash from privacy.suppression order by 1"
        ).fetchall()
    assert hashes == [("aa",), ("bb",)]


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_a_newer_table_takes_an_older_backup(
    profiles: dict[str, Profile], saved: Path, engine: str
) -> None:
    """After an upgrade: a table may have columns more or less, in any order, and views on it."""
    grown = (
        "create schema kindred",
        "create table kindred.run_history (extra text, generation bigint)",
        "create view kindred.runs as select generation from kindred.run_history",
    )
    with made(profiles[engine], *grown) as connection:
        restore(connection, PROJECT, profiles[engine], saved)
        rows = connection.execute(
            "select extra, generation, run_id from kindred.run_history order by 2"
        ).fetchall()
        assert rows == [(None, 1, "one"), (None, 2, "two")]
        assert connection.execute("select count(*) from kindred.runs").fetchall() == [(2,)]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def change_a_row(folder: Path) -> None:
    file = folder / "run_history.parquet"
    parquet.write_table(parquet.read_table(file).slice(1), file)


def change_manifest(folder: Path, **changes: object) -> None:
    file = folder / "backup.json"
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **changes}), "utf-8")


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no backup": (lambda folder: (folder / "backup.json").unlink(), "There is no backup in"),
    "half a manifest": (lambda folder: cut(folder / "backup.json"), "backup.json is damaged"),
    "a manifest of something else": (
        lambda folder: (folder / "backup.json").write_text("[]"),
        "backup.json is damaged",
    ),
    "a file gone": (
        lambda folder: (folder / "int_person_id_ledger.parquet").unlink(),
        "int_person_id_ledger.parquet is missing",
    ),
    "half a file": (
        lambda folder: cut(folder / "int_person_id_ledger.parquet"),
        "int_person_id_ledger.parquet is not the file",
    ),
    "a row less": (change_a_row, "run_history.parquet is not the file"),
    "of a newer version": (
        lambda folder: change_manifest(folder, format=99),
        "made by a newer Kindred",
    ),
    "a name that leads away": (
        lambda folder: change_manifest(
            folder,
            tables=[
                {"schema": "", "name": "../x", "rows": 0, "columns": {}, "required": [],
                 "sha256": ""}
            ],
        ),
        "backup.json is damaged",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_is_told_and_changes_nothing(
    profiles: dict[str, Profile], saved: Path, damage: str
) -> None:
    """Whoever restores a torn backup hears which file it is, and keeps what they have."""
    do, told = DAMAGES[damage]
    do(saved)
    with made(profiles["duckdb"], *MADE) as connection:
        before = everything(connection, profiles["duckdb"])
        with pytest.raises(KindredError, match=told):
            restore(connection, PROJECT, profiles["duckdb"], saved, is_replacing=True)
        assert everything(connection, profiles["duckdb"]) == before


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_nothing_is_told_of_the_state_that_was_replaced(
    profiles: dict[str, Profile], saved: Path, engine: str
) -> None:
    """Whoever puts other state in its place never finds changes of ids that it does not know."""
    told = (
        "create table kindred.customer_id_changes (generation bigint)",
        "insert into kindred.customer_id_changes values (1), (2)",
    )
    with made(profiles[engine], *MADE, *told) as connection:
        restore(connection, PROJECT, profiles[engine], saved, is_replacing=True)
        assert row_count(connection, "kindred", "customer_id_changes") == 0


def test_what_does_not_fit_changes_nothing(profiles: dict[str, Profile], saved: Path) -> None:
    """Where one table cannot be restored, none is: the target stays as it was."""
    odd = (*MADE, "alter table identity.int_person_id_ledger alter column record_id type integer "
           "using 1")  # fmt: skip
    with made(profiles["duckdb"], *odd) as connection:
        before = everything(connection, profiles["duckdb"])
        with pytest.raises(KindredError, match="nothing was restored"):
            restore(connection, PROJECT, profiles["duckdb"], saved, is_replacing=True)
        assert everything(connection, profiles["duckdb"]) == before


def test_an_unfinished_backup_is_never_there(
    profiles: dict[str, Profile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs out of disk is told, and finds no half backup; an older one is not touched."""
    with made(profiles["duckdb"], *MADE) as connection:
        first = tmp_path / "first"
        back_up(connection, PROJECT, profiles["duckdb"], TABLES, first)
        with pytest.raises(KindredError, match="holds something already"):
            back_up(connection, PROJECT, profiles["duckdb"], TABLES, first)

        def full(*_given: object, **_named: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(parquet, "write_table", full)
        with pytest.raises(KindredError, match="No space left"):
            back_up(connection, PROJECT, profiles["duckdb"], TABLES, tmp_path / "second")
    assert read_backup(first).generation == 2
    assert not [path for path in tmp_path.iterdir() if "second" in path.name]


def test_there_must_be_something_to_back_up(profiles: dict[str, Profile], tmp_path: Path) -> None:
    """Whoever backs up the wrong target is told instead of keeping an empty folder."""
    with (
        target.opened(profiles["duckdb"]) as connection,
        pytest.raises(KindredError, match="no state"),
    ):
        back_up(connection, PROJECT, profiles["duckdb"], TABLES, tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


# The project itself: is its state complete, and does a build go on from it?

# Read back by the next run to save work; made anew where they are missing.
REMEMBERED_FOR_SPEED = {"int_person_resolution", "int_account_resolution"}
# Tables that commands write and any run can write again.
WRITTEN_AGAIN = {"kindred_load.loaded_files", "kindred_load.raw_tables_of_last_run"}


def test_every_state_model_is_backed_up(built_project: WholeProject) -> None:
    """For whoever adds state: what a run reads of earlier runs is in the backup, or made anew."""
    manifest = built_project.root / "target" / "manifest.json"
    state = {table.name for table in backup.state_tables(manifest)}
    assert {"run_history", "int_person_id_ledger", "int_account_id_ledger"} < state
    nodes = json.loads(manifest.read_text("utf-8"))["nodes"].values()
    # What is written by difference is what the sources say, whatever was there before.
    incremental = {
        node["name"]
        for node in nodes
        if node["config"].get("materialized") == "incremental"
        and node["config"].get("incremental_strategy") != "by_difference"
    }
    growing = {table.name for table in backup.GROWING}
    assert incremental - growing - REMEMBERED_FOR_SPEED <= state
    assert growing <= incremental - state
    asked = set()
    for path in (REPOSITORY / "models").rglob("*.sql"):
        calls = r"(?:previous|kept_as_left|findings_as_left|changes_as_left)\(\s*'(\w+)'"
        asked |= set(re.findall(calls, path.read_text("utf-8")))
    assert "run_history" in asked
    assert asked - REMEMBERED_FOR_SPEED - growing <= state


def test_no_table_is_left_out(built_project: WholeProject) -> None:
    """For whoever adds a command: a table that no model and no loader makes is in the backup."""
    manifest = built_project.root / "target" / "manifest.json"
    content = json.loads(manifest.read_text("utf-8"))
    known = {
        f"{node['schema']}.{node.get('alias') or node.get('identifier') or node['name']}".lower()
        for kind in ("nodes", "sources")
        for node in content[kind].values()
        if node["resource_type"] in ("model", "seed", "source", "snapshot")
    }
    kept = {f"{table.schema}.{table.name}" for table in backup.state_tables(manifest)}
    found = built_project.query(
        "select table_schema, lower(table_schema || '.' || table_name) "
        "from information_schema.tables"
    )
    raw = {path.name for path in (built_project.root / "sample").iterdir()}
    others = {name for schema, name in found if schema not in raw} - known
    assert others <= kept | WRITTEN_AGAIN


def renamed(text: str) -> str:
    """A text with every customer id in it renamed, and with keys made of ids left out."""
    told = re.sub(
        r"cus_[0-9a-f]{16}",
        lambda found: "cus_" + hashlib.sha256(found.group().encode()).hexdigest()[:16],
        text,
    )
    return re.sub(r"\b[0-9a-f]{32}\b", "key", told)


def rename_in_ledger(project: WholeProject) -> None:
    """Give all customers other ids than a first build would: as after a long history."""
    for column in ("from_id", "to_id"):
        project.execute(
            "update identity.int_person_id_ledger set "
            f"{column} = 'cus_' || substr(sha256({column}), 1, 16) where {column} is not null"
        )


@pytest.fixture(scope="module")
def long_history(
    built_project: WholeProject, tmp_path_factory: pytest.TempPathFactory
) -> tuple[WholeProject, Path]:
    """A copy of the built project in which ids have a history, and its backup."""
    root = tmp_path_factory.mktemp("history") / "project"
    project = WholeProject(copy_project(root).root, built_project.environment)
    project.database.write_bytes(built_project.database.read_bytes())
    rename_in_ledger(project)
    told = project.kindred("backup", "saved").expect().text
    assert "kindred restore saved" in told
    return project, root / "saved"


def test_a_backup_names_nobody(
    built_project: WholeProject, long_history: tuple[WholeProject, Path]
) -> None:
    """For the privacy officer: keys and hashes are in it, names and contact points are not."""
    names = {
        str(value).lower()
        for column in ("email", "phone", "first_name || ' ' || last_name", "street")
        for (value,) in built_project.query(
            f"select distinct {column} from streams.person_records where length({column}) > 3"
        )
    }
    assert len(names) > 1000
    for file in long_history[1].glob("*.parquet"):
        rows = parquet.read_table(file)
        for column in rows.column_names:
            values = {str(value).lower() for value in rows[column].to_pylist()}
            parts = {part for value in values for part in re.split(r"[^\w@.+-]+", value)}
            assert not (values | parts) & names, (file.name, column)
            assert not any("@" in value for value in values), (file.name, column)


def marts(project: WholeProject, change: Callable[[str], str]) -> dict[str, list[str]]:
    """Rows of each mart as texts, in any order; runs' own marts and histories are left out."""
    own = "'run_history', 'identity_health', 'customer_id_changes', 'account_id_changes'"
    found: dict[str, list[str]] = {}
    with duckdb.connect(str(project.database), read_only=True) as connection:
        names = connection.execute(
            "select table_name from information_schema.tables "
            f"where table_schema = 'kindred' and table_name not in ({own})"
        ).fetchall()
        for (name,) in names:
            rows = connection.execute(f"select cast(t as text) from kindred.{name} as t").fetchall()
            found[name] = sorted(change(text) for (text,) in rows)
    return found


def test_a_build_goes_on_from_a_restored_backup(
    built_project: WholeProject, long_history: tuple[WholeProject, Path], tmp_path: Path
) -> None:
    """Whoever lost the warehouse loads, restores and builds: same ids, same marts, same history."""
    project = WholeProject(copy_project(tmp_path / "new").root, built_project.environment)
    project.kindred("load", str(built_project.root / "sample")).expect()
    told = project.kindred("restore", str(long_history[1])).expect().text
    assert "generation 2" in told
    alone = ("--quiet", "--exclude-resource-type", "test", "unit_test")
    project.dbt("build", *alone, KINDRED_AS_OF=sample_as_of(built_project)).expect()
    after, before = marts(project, renamed_key), marts(built_project, renamed)
    assert [name for name in before if before[name] != after.get(name)] == []
    assert project.query("select count(*), max(generation) from kindred.run_history") == [(2, 2)]
    project.execute("delete from stripe.customer")
    told = project.kindred("build", "--as-of", sample_as_of(built_project)).expect(2).text
    assert "Source 'stripe' has lost much" in told


def test_a_backup_reads_no_model_anew(project_copy: WholeProject) -> None:
    """Whoever backs up after each run does not wait for dbt to read the whole project."""
    project_copy.kindred("backup", "saved").expect()
    log = (project_copy.root / "logs" / "dbt.log").read_text("utf-8")
    _, _, last = log.rpartition("Running with dbt")
    assert "Registered adapter" in last
    assert "full parse" not in last


@pytest.mark.slow
def test_a_build_on_postgres_goes_on_from_a_backup_of_duckdb(
    built_project: WholeProject,
    long_history: tuple[WholeProject, Path],
    postgres: PostgresServer,
    tmp_path: Path,
) -> None:
    """Whoever moves to Postgres and back keeps every id; a backup of there serves here."""
    with postgres.new_database() as database:
        there = WholeProject(
            copy_project(tmp_path / "there").root,
            {**built_project.environment, **database.environment},
        )
        on_postgres = ("--target", "postgres")
        there.kindred("restore", str(long_history[1]), *on_postgres).expect()
        refused = there.kindred("restore", str(long_history[1]), *on_postgres).expect(2)
        assert "--replace" in refused.text
        there.kindred("load", str(built_project.root / "sample"), *on_postgres).expect()
        as_of = sample_as_of(built_project)
        there.kindred("build", "--as-of", as_of, *on_postgres).expect()
        ids = "select record_id, customer_id from kindred.customer_source_records order by 1"
        wanted = [(record, renamed(str(held))) for record, held in built_project.query(ids)]
        assert database.query(ids) == wanted
        there.kindred("backup", "saved", *on_postgres).expect()
    here = WholeProject(copy_project(tmp_path / "here").root, built_project.environment)
    here.kindred("restore", str(there.root / "saved")).expect()
    runs = "select generation, customer_count from kindred.run_history order by 1"
    ((count,),) = built_project.query("select count(*) from kindred.customers")
    assert here.query(runs) == [(1, count), (2, count)]
    ((ids_held,),) = here.query(
        "select count(distinct to_id) from identity.int_person_id_ledger where event = 'created'"
    )
    assert ids_held == count


def renamed_key(text: str) -> str:
    return re.sub(r"\b[0-9a-f]{32}\b", "key", text)
