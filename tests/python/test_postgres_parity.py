"""The same input gives the same tables on DuckDB and on Postgres, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg2
import pyarrow as pa
import pytest

from conftest import sample_as_of
from engine_parity import NOT_BY_DBT, compared, postgres_rows, unlike
from kindred.warehouse.roles import PURPOSES
from postgres_server import PostgresDatabase, PostgresServer
from whole_project import WholeProject, copy_project, plain_environment

# What gains rows from run to run, and nothing else does.
GAIN_ROWS = {"identity_health", "run_history"}
ROLES = (
    "postgres_roles: {owner: kindred_owner, build: kindred_build, bi: kindred_bi, "
    "privacy: kindred_privacy}"
)
# Limits that no change passes.
WIDE = ("--max-merged", "100%", "--max-split", "100%", "--max-moved", "100%")
WIDE += ("--max-segment-change", "100%")


@dataclass(frozen=True)
class Both:
    """One input, built on DuckDB (`ours`) and on Postgres."""

    ours: WholeProject
    theirs: WholeProject
    database: PostgresDatabase
    as_of: str

    def dbt(self, command: str) -> None:
        """Run dbt on Postgres."""
        told = {"KINDRED_AS_OF": self.as_of}
        self.theirs.dbt(command, "--target", "postgres", **told).expect()

    def relations(self, schema: str) -> list[str]:
        """Tables and views of a schema on DuckDB."""
        found = self.ours.query(
            "select table_name from information_schema.tables "
            f"where table_schema = '{schema}' order by table_name"
        )
        return [str(name) for (name,) in found]


@pytest.fixture(scope="module")
def both(
    built_project: WholeProject,
    postgres: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Both]:
    """The shared warehouse's raw tables, built on Postgres as well, with every test of dbt."""
    root = tmp_path_factory.mktemp("parity") / "project"
    with postgres.new_database() as database, login_that_builds(database, root) as theirs:
        sample = built_project.root / "sample"
        theirs.kindred("load", str(sample), "--target", "postgres").expect()
        copy_suppressions(built_project, as_owner(database, theirs))
        found = Both(built_project, theirs, database, sample_as_of(built_project))
        found.dbt("build")
        yield found


@contextmanager
def login_that_builds(database: PostgresDatabase, root: Path) -> Iterator[WholeProject]:
    """A copy of the project in `root`, with roles set up, used by a login that may only build."""
    names = {purpose: f"{database.address['dbname']}_{purpose}" for purpose in PURPOSES}
    project = copy_project(root)
    project.edit("dbt_project.yml", ROLES, f"postgres_roles: {json.dumps(names)}")
    as_administrator = plain_environment(**database.environment)
    told = WholeProject(root, as_administrator).kindred("roles", "--target", "postgres", "--apply")
    assert names["build"] in told.expect().text
    login = f"{names['build']}_login"
    database.execute(f"create role {login} login password 'test' in role {names['build']}")
    given = {"KINDRED_PG_USER": login, "KINDRED_PG_PASSWORD": "test"}
    try:
        yield WholeProject(root, {**as_administrator, **given, "KINDRED_PG_ROLE": names["owner"]})
    finally:
        for role in (login, f"{names['bi']}_login", *names.values()):
            if database.query("select 1 from pg_roles where rolname = %s", [role]):
                database.execute(f"drop owned by {role} cascade", f"drop role {role}")


def as_owner(database: PostgresDatabase, project: WholeProject) -> PostgresDatabase:
    """The database as the login that builds sees it."""
    told = project.environment
    login = {"user": told["KINDRED_PG_USER"], "password": told["KINDRED_PG_PASSWORD"]}
    options = f"-c role={told['KINDRED_PG_ROLE']}"
    return PostgresDatabase({**database.address, **login, "options": options})


def copy_suppressions(project: WholeProject, database: PostgresDatabase) -> None:
    """Suppress the same people on Postgres."""
    ((kind, hashed),) = project.query(
        "select identifier_type, identifier_hash from privacy.suppression "
        "where identifier_type <> 'key_check'"
    )
    database.execute(
        "create schema privacy",
        "create table privacy.suppression "
        "(identifier_type text, identifier_hash text, suppressed_at timestamp)",
        f"insert into privacy.suppression values ('{kind}', '{hashed}', '2026-01-01')",
    )


def test_every_table_is_the_same_on_both_engines(both: Both) -> None:
    """For whoever moves to Postgres: streams, marts and segments, each column of each row."""
    assert unlike(both.ours, both.database) == {}


def test_every_mart_holds_rows(both: Both) -> None:
    """The comparison means something: no mart is empty on either engine."""
    marts = set(both.relations("kindred")) - NOT_BY_DBT
    assert len(marts) > 20
    empty = {
        name
        for name in marts
        if not both.database.query(f"select 1 from kindred.{name} limit 1")
        or not both.ours.query(f"select 1 from kindred.{name} limit 1")
    }
    assert empty == set()


def test_marts_are_described_and_indexed(both: Both) -> None:
    """For BI on Postgres: comments on each table and column, an index on each key to join by."""
    undescribed = both.database.query(
        """
        select relations.relname, columns.attname
        from pg_class as relations
        inner join pg_attribute as columns on columns.attrelid = relations.oid
        where
            relations.relnamespace = 'kindred'::regnamespace
            and relations.relkind in ('r', 'v')
            and columns.attnum > 0
            and (
                col_description(relations.oid, columns.attnum) is null
                or obj_description(relations.oid) is null
            )
        """
    )
    assert undescribed == []
    unindexed = both.database.query(
        """
        select relations.relname, columns.attname
        from pg_class as relations
        inner join pg_attribute as columns on columns.attrelid = relations.oid
        left join pg_index as indexes
            on indexes.indrelid = relations.oid and indexes.indkey[0] = columns.attnum
        where
            relations.relnamespace = 'kindred'::regnamespace
            and relations.relkind = 'r'
            and columns.attname in ('customer_id', 'account_id', 'record_id')
            and indexes.indexrelid is null
        """
    )
    assert unindexed == []


def test_the_server_knows_what_is_in_each_table(both: Both) -> None:
    """No join is planned blindly: raw tables, seeds, state and marts all have statistics."""
    unknown = both.database.query(
        "select nspname, relname from pg_class "
        "inner join pg_namespace on pg_namespace.oid = relnamespace "
        "where relkind = 'r' and reltuples < 0 "
        "and nspname not in ('pg_catalog', 'information_schema', 'privacy', 'kindred_load')"
    )
    assert unknown == []


def test_only_what_can_be_made_anew_is_unlogged(both: Both) -> None:
    """A crash of the server costs no state: ledgers and marts are in its log."""
    unlogged = {
        name
        for (name,) in both.database.query(
            "select relname from pg_class where relpersistence = 'u'"
        )
    }
    assert len(unlogged) > 10
    state = {"int_person_id_ledger", "int_account_id_ledger", "int_person_resolution"}
    assert not unlogged & (state | set(both.relations("kindred")))


def test_matching_is_explained_alike(both: Both) -> None:
    """For stewards on Postgres: the same words as on DuckDB, of two apart and of old."""
    owners = both.ours.query(
        "select min(record_id) from kindred.customer_source_records group by customer_id"
        " order by count(*) desc, 1 limit 2"
    )
    one, two = (str(record) for (record,) in owners)
    for asked in ((one, two), (one, "--as-of-generation", "1")):
        command = ("identity", "explain", *asked)
        ours = both.ours.kindred(*command).expect().text
        assert both.theirs.kindred(*command, "--target", "postgres").expect().text == ours, asked


def test_stewards_are_asked_the_same(both: Both, tmp_path: Path) -> None:
    """For stewards on Postgres: the review file holds the same rows as on DuckDB."""
    files = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    both.ours.kindred("identity", "review", "--out", str(files[0])).expect()
    both.theirs.kindred(
        "identity", "review", "--out", str(files[1]), "--target", "postgres"
    ).expect()
    ours, theirs = (path.read_text("utf-8") for path in files)
    assert ours.count("\n") > 10
    assert theirs == ours


def test_what_is_built_is_compared_with_postgres(both: Both) -> None:
    """For CI of a team on Postgres: `identity diff` reads the target, and finds what is the same.

    The candidate is the warehouse on DuckDB, built from the same input.
    """
    candidate = ("--candidate", str(both.ours.database), "--json")
    ended = both.theirs.kindred("identity", "diff", "--target", "postgres", *candidate).expect()
    told = json.loads(ended.text[ended.text.index("{") :])
    assert told["is_empty"], ended.text
    assert told["base"]["name"] == f"the database {both.database.address['dbname']}"


@pytest.mark.slow
@pytest.mark.parametrize("start", ["raw", "records"])
def test_a_change_is_tried_on_a_copy_of_postgres(both: Both, start: str) -> None:
    """For who changes the matching on Postgres: a higher cut splits as it does on DuckDB."""
    tried = ("identity", "diff", "--cut", "person=4", "--from", start, "--json", *WIDE)
    changes = []
    for project, target in ((both.ours, "duckdb"), (both.theirs, "postgres")):
        # A split lets a person's own consent come into force, which no limit allows.
        text = project.kindred(*tried, "--target", target).expect(1).text
        told, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
        changes.append((told["entities"], told["segments"], told["consent_gained"]))
    assert changes[0][0][0]["splits"] > 0
    assert changes[1] == changes[0]


@pytest.fixture(scope="module")
def second_run(both: Both) -> dict[str, pa.Table]:
    """The marts before `kindred build --target postgres`, which this calls on the same input."""
    before = {
        name: postgres_rows(both.database, f"kindred.{name}")
        for name in both.relations("kindred")
        if name not in NOT_BY_DBT
    }
    both.database.execute(
        "create view public.dashboard as select customer_id from kindred.customers"
    )
    ended = both.theirs.kindred("build", "--target", "postgres", "--as-of", both.as_of).expect()
    assert "schema published" in ended.text
    return before


def test_a_second_run_changes_nothing_but_its_own_rows(
    both: Both, second_run: dict[str, pa.Table]
) -> None:
    """Runs on Postgres are incremental: same ids, same marts, one more run in the history."""
    changed = {
        name
        for name, before in second_run.items()
        if compared(before, postgres_rows(both.database, f"kindred.{name}"))
    }
    assert changed == GAIN_ROWS
    history = both.database.query("select max(generation), count(*) from kindred.run_history")
    assert history == [(2, 2)]
    assert both.database.query("select count(*) from public.dashboard") == [
        (second_run["customers"].num_rows,)
    ]


def test_checks_find_the_same(both: Both, second_run: dict[str, pa.Table]) -> None:
    """Every check of the data counts the same rows on both engines, and ends alike."""
    told = """
        select
            suite, layer, table_name, column_name, expectation, meaning, severity, is_success,
            checked_count, unexpected_count, unexpected_percent, error
        from kindred.data_quality_results
    """
    ours = sorted(map(repr, both.ours.query(told)))
    assert len(ours) > 100
    assert sorted(map(repr, both.database.query(told))) == ours


def test_a_build_publishes_masked_views_and_all_rows(
    both: Both, second_run: dict[str, pa.Table]
) -> None:
    """BI reads every mart, masked as on DuckDB; the report lies in the project's folder."""
    published = both.ours.root / "published" / "current" / "kindred.duckdb"
    with duckdb.connect(str(published), read_only=True) as connection:
        columns = "customer_id, email, phone, birth_date, last_name, order_count, can_email"
        ours = connection.execute(f"select {columns} from customers").fetchall()
    theirs = both.database.query(f"select {columns} from published.customers")
    assert sorted(map(repr, theirs)) == sorted(map(repr, ours))
    emails = both.database.query("select count(email) from published_restricted.customers")
    assert emails == both.ours.query("select count(email) from kindred.customers")
    assert (both.theirs.root / "reports" / "report.html").is_file()


@pytest.fixture(scope="module")
def bi(both: Both, second_run: dict[str, pa.Table]) -> PostgresDatabase:
    """The database as an analyst's login of BI sees it, who has a view on each published one.

    After that the marts were made anew with --full-refresh, and published again.
    """
    role = f"{both.database.address['dbname']}_bi"
    login = f"{role}_login"
    both.database.execute(
        f"create role {login} login password 'test' in role {role}",
        f"create schema reporting authorization {login}",
    )
    found = PostgresDatabase({**both.database.address, "user": login, "password": "test"})
    for name in published(both):
        found.execute(f"create view reporting.{name} as select * from published.{name}")
    marts = ("--select", "customers", "segment_members", "int_person_id_ledger", "run_history")
    refresh = ("run", "--target", "postgres", "--full-refresh", *marts)
    both.theirs.dbt(*refresh, KINDRED_AS_OF=both.as_of).expect()
    both.theirs.kindred("publish", "--target", "postgres").expect()
    return found


def published(both: Both) -> list[str]:
    """Names of the published views."""
    rows = both.database.query(
        "select relname from pg_class where relnamespace = 'published'::regnamespace order by 1"
    )
    return [str(name) for (name,) in rows]


def test_views_of_bi_and_grants_outlast_a_full_refresh(both: Both, bi: PostgresDatabase) -> None:
    """For BI: own views on the published ones read the new run; state of ids is not lost."""
    assert len(published(both)) > 20
    for name in published(both):
        own, given = (
            bi.query(f"select count(*) from {s}.{name}") for s in ("reporting", "published")
        )
        assert own == given, name
    assert bi.query("select count(*) from published.customers where email like '%@%'") != [(0,)]
    ((runs, generations),) = both.database.query(
        "select count(*), max(generation) from kindred.run_history"
    )
    assert (runs, generations) == (2, 2)


def test_bi_reads_published_views_and_nothing_else(both: Both, bi: PostgresDatabase) -> None:
    """For people whose data it is: of all tables and views there are, BI reads the masked ones."""
    relations = both.database.query(
        "select nspname, quote_ident(nspname) || '.' || quote_ident(relname) from pg_class "
        "inner join pg_namespace on pg_namespace.oid = relnamespace "
        "where relkind in ('r', 'v', 'm') and nspname not in ('pg_catalog', 'information_schema')"
    )
    assert len(relations) > 300
    readable = set()
    with closing(bi.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for schema, name in relations:
            try:
                cursor.execute(f"select 1 from {name} limit 1")
                readable.add(schema)
            except psycopg2.errors.InsufficientPrivilege:
                continue
    assert readable == {"published", "reporting"}


def test_the_doctor_knows_the_roles(both: Both, bi: PostgresDatabase) -> None:
    """For the administrator: the doctor looks at rights and owners, and finds them in order."""
    told = both.theirs.kindred("doctor", "--target", "postgres").expect().text
    assert "_bi reads masked views only" in told
    without = {**both.theirs.environment, "KINDRED_PG_ROLE": ""}
    told = WholeProject(both.theirs.root, without).kindred("doctor", "--target", "postgres")
    assert "set KINDRED_PG_ROLE" in told.expect(2).text
