"""Roles on Postgres: what each login can do, and what it must not be able to do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import psycopg2
import pytest

from cli_project import make_project
from kindred.errors import KindredError
from kindred.project import Profile, Project
from kindred.quality.results import Generation
from kindred.warehouse import postgres, roles
from kindred.warehouse.exposure import PublishedModel
from kindred.warehouse.publication_postgres import write_publication
from postgres_server import PostgresDatabase, PostgresServer
from whole_project import REPOSITORY

CUSTOMERS = PublishedModel(
    "customers",
    "kindred",
    "marts",
    "Customers.",
    {"customer_id": "open", "email": "masked"},
    {},
)
EMAIL = "ann@example.com"
# What lies in the working schemas, other than what is published.
HIDDEN = (
    "stripe.customer", "crm.contact", "staging.stg_customers", "kindred.customers",
    "identity.int_person_id_ledger", "kindred.run_history", "privacy.suppression",
    "kindred_load.loaded_files",
)  # fmt: skip
MADE = (
    *(f"create schema {name}" for name in ("stripe", "staging", "kindred", "identity", "privacy")),
    "create schema kindred_load",
    "create table kindred_load.loaded_files (schema_name text)",
    "insert into kindred_load.loaded_files values ('stripe')",
    f"create table stripe.customer as select '{EMAIL}'::text as email",
    "create view staging.stg_customers as select email from stripe.customer",
    "create table kindred.customers as select 'cus_1'::text as customer_id, email "
    "from stripe.customer",
    "create table identity.int_person_id_ledger as select 1 as generation",
    "create table kindred.run_history as select 1 as generation",
    "create table privacy.suppression as select 'x'::text as identifier_hash",
)


@dataclass(frozen=True)
class Site:
    """A database with roles set up, a login for each, and one publication."""

    database: PostgresDatabase
    project: Project
    profile: Profile
    names: roles.Roles

    def login(self, purpose: str) -> PostgresDatabase:
        """The database as the login of that purpose sees it."""
        user = f"{getattr(self.names, purpose)}_login"
        return PostgresDatabase({**self.database.address, "user": user, "password": "test"})

    def wrong(self) -> list[str]:
        """What the doctor would say of the rights."""
        with closing(self.database.connect()) as connection:
            asked = postgres.AskedLikeDuckDB(connection)
            places = roles.places_of(self.project, self.profile)
            return roles.what_is_wrong(asked, self.names, places)

    def publish(self, number: int) -> str:
        """Publish as the login that builds; the schema of the run."""
        address = self.login("build").address
        settings = {**address, "role": self.names.owner}
        with postgres.connected(replace(self.profile, settings=settings)) as connection:
            asked = postgres.AskedLikeDuckDB(connection)
            generation = Generation(number, f"run-{number}", datetime(2026, 6, 30))
            run, _, _ = write_publication(
                asked, self.profile, [CUSTOMERS], generation, 3, lambda name: None
            )
            return run


def profile_of(database: PostgresDatabase) -> Profile:
    return Profile("postgres", "postgrespy", "kindred", Path(), None, dict(database.address))


@pytest.fixture(scope="module")
def site(postgres: PostgresServer) -> Iterator[Site]:
    """Tables that a superuser made before there were roles, and tables of another loader."""
    start = f"k{uuid.uuid4().hex[:8]}"
    names = {purpose: f"{start}_{purpose}" for purpose in roles.PURPOSES}
    logins = {f"{names[purpose]}_login": names[purpose] for purpose in ("build", "bi", "privacy")}
    variables = {
        "sources": {"stripe": [], "salesforce": []},
        "salesforce_schema": "crm",
        "postgres_roles": names,
    }
    project = Project(REPOSITORY, "kindred", "kindred", variables)
    loader = f"{start}_loader"
    with postgres.new_database() as database:
        try:
            database.execute(
                *MADE,
                f"create role {loader}",
                f"create schema crm authorization {loader}",
                f"create table crm.contact as select '{EMAIL}'::text as email",
                f"alter table crm.contact owner to {loader}",
            )
            found = Site(database, project, profile_of(database), roles.roles_of(project))
            roles.apply(project, found.profile, is_own_database=True)
            for login, role in logins.items():
                database.execute(f"create role {login} login password 'test' in role {role}")
            found.publish(1)
            yield found
        finally:
            with closing(psycopg2.connect(**postgres.address)) as connection:
                connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute(f"drop database {database.address['dbname']} with (force)")
                    for role in [*logins, *names.values(), loader]:
                        cursor.execute(f"drop role if exists {role}")


def is_refused(database: PostgresDatabase, statement: str) -> bool:
    """Whether the server refuses a statement for want of a right."""
    try:
        database.execute(statement)
    except psycopg2.errors.InsufficientPrivilege:
        return True
    return False


def test_the_rights_are_as_they_should_be(site: Site) -> None:
    """For the administrator: after `kindred roles`, the doctor has nothing to say."""
    assert site.wrong() == []


def test_bi_reads_masked_values(site: Site) -> None:
    """For BI: every published view, with values masked."""
    rows = site.login("bi").query("select customer_id, email from published.customers")
    assert rows == [("cus_1", "a***@example.com")]


def test_privacy_reads_every_value(site: Site) -> None:
    """For the privacy officer: the same views as BI, and those with values."""
    login = site.login("privacy")
    assert login.query("select email from published_restricted.customers") == [(EMAIL,)]
    assert login.query("select email from published.customers") == [("a***@example.com",)]


@pytest.mark.parametrize("purpose", ["bi", "privacy"])
def test_readers_read_nothing_else(site: Site, purpose: str) -> None:
    """For people whose data it is: no reader gets at raw, working, run or state tables."""
    login = site.login(purpose)
    run = site.database.query("select nspname from pg_namespace where nspname ~ '^published_run'")
    tables = [*HIDDEN, *(f"{schema}.customers" for (schema,) in run)]
    if purpose == "bi":
        tables.append("published_restricted.customers")
    read = [name for name in tables if not is_refused(login, f"select * from {name}")]
    assert read == []
    told = login.query("select count(*) from pg_stats where tablename = 'customers'")
    assert told == [(0,)]


@pytest.mark.parametrize("purpose", ["bi", "privacy"])
def test_readers_change_nothing(site: Site, purpose: str) -> None:
    """For everybody who reads: no reader makes, changes or drops anything, or becomes another."""
    owner, build = site.names.owner, site.names.build
    tried = [
        "insert into published.customers (customer_id) values ('cus_2')",
        "update published.customers set customer_id = 'cus_2'",
        "delete from published.customers",
        "create view published.mine as select 1 as one",
        "create table published_restricted.mine (one integer)",
        "create table public.mine (one integer)",
        "create table kindred.mine (one integer)",
        "create schema mine",
        "create temporary table mine (one integer)",
        f"set role {owner}",
        f"set role {build}",
        f"grant {owner} to {purpose_login(site, purpose)}",
        "grant select on published.customers to public",
        f"alter default privileges for role {owner} grant select on tables to public",
        "comment on view published.customers is 'mine'",
        "drop view published.customers",
    ]
    login = site.login(purpose)
    before = site.database.query("select * from published.customers")
    done = [statement for statement in tried if not has_failed(login, statement)]
    assert done == []
    assert site.database.query("select * from published.customers") == before


def purpose_login(site: Site, purpose: str) -> str:
    return str(site.login(purpose).address["user"])


def has_failed(database: PostgresDatabase, statement: str) -> bool:
    """Whether a statement had no effect: refused, or a grant that gave nothing."""
    if not statement.startswith("grant select"):
        return is_refused(database, statement)
    try:
        database.execute(statement)
    except psycopg2.errors.InsufficientPrivilege:
        return True
    granted = database.query(
        "select has_table_privilege('public', 'published.customers', 'select')"
    )
    return granted == [(False,)]


def test_who_builds_is_no_administrator(site: Site) -> None:
    """For the administrator: the login that builds makes no roles, no databases, no superusers."""
    login = site.login("build")
    for statement in (
        "create role mine",
        "create database mine",
        f"alter role {site.names.bi} superuser",
        f"grant {site.names.bi} to {site.names.privacy}",
        "create table crm.mine (one integer)",
        "copy (select 1) to program 'true'",
    ):
        assert is_refused(login, statement), statement


def test_who_builds_reads_the_raw_tables_of_others(site: Site) -> None:
    """For the data engineer: tables that another loader brought, and brings later, can be read."""
    loader = f"{site.names.owner.removesuffix('_owner')}_loader"
    site.database.execute(
        f"set role {loader}; create table crm.account as select 1 as id", "reset role"
    )
    login = site.login("build")
    assert login.query("select email from crm.contact") == [(EMAIL,)]
    assert login.query("select id from crm.account") == [(1,)]


def test_nobody_else_comes_in(site: Site) -> None:
    """For the administrator of a database of Kindred's own: other logins may not connect."""
    stranger = f"{site.names.owner}_stranger"
    site.database.execute(f"create role {stranger} login password 'test'")
    try:
        address = {**site.database.address, "user": stranger, "password": "test"}
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            PostgresDatabase(address).query("select 1")
    finally:
        site.database.execute(f"drop role {stranger}")


def test_publishing_again_keeps_views_and_grants(site: Site) -> None:
    """For BI: a view of one's own on a published one lives on; new marts can be read at once."""
    bi = purpose_login(site, "bi")
    site.database.execute(
        f"create schema reporting authorization {bi}",
        f"grant select on published.customers to {site.names.privacy}",
    )
    login = site.login("bi")
    login.execute(
        "create view reporting.dashboard as select count(*) as n from published.customers"
    )
    owner = f"set role {site.names.owner};"
    site.database.execute(
        f"{owner} drop table kindred.customers;"
        "create table kindred.customers as select 'cus_1'::text as customer_id, email, 7 as extra "
        "from stripe.customer union all select 'cus_2', 'bo@example.com', 8"
    )
    run = site.publish(2)
    assert login.query("select n from reporting.dashboard") == [(2,)]
    assert len(login.query("select email from published.customers")) == 2
    assert is_refused(login, f"select * from {run}.customers")
    assert site.wrong() == []


def test_an_administrator_who_is_no_superuser_can_set_them_up(postgres: PostgresServer) -> None:
    """For whoever has a managed server: the right to create roles, and the database, are enough."""
    start = f"k{uuid.uuid4().hex[:8]}"
    names = {purpose: f"{start}_{purpose}" for purpose in roles.PURPOSES}
    administrator, loader = f"{start}_administrator", f"{start}_loader"
    variables = {"sources": {"stripe": []}, "postgres_roles": names}
    project = Project(REPOSITORY, "kindred", "kindred", variables)
    with postgres.new_database() as database:
        name = database.address["dbname"]
        try:
            database.execute(
                f"create role {administrator} login createrole password 'test'",
                f"create role {loader} login",
                f"alter database {name} owner to {administrator}",
                f"create schema stripe authorization {loader}",
            )
            address = {**database.address, "user": administrator, "password": "test"}
            theirs = PostgresDatabase(address)
            theirs.execute(
                "create schema kindred", "create table kindred.customers as select 1 as i"
            )
            for _ in range(2):
                roles.apply(project, profile_of(theirs))
            owners = database.query(
                "select distinct pg_get_userbyid(relowner) from pg_class"
                " where relnamespace = 'kindred'::regnamespace"
            )
            assert owners == [(names["owner"],)]
            with pytest.raises(KindredError, match="may not set the roles up"):
                roles.apply(project, profile_of(PostgresDatabase({**address, "user": loader})))
        finally:
            for role in (*names.values(), loader, administrator):
                database.execute(f"reassign owned by {role} to current_user")
                database.execute(f"drop owned by {role}")
            for role in (*names.values(), loader, administrator):
                database.execute(f"drop role {role}")


def test_the_command_prints_what_it_would_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For the administrator: plain SQL to read and to run; on DuckDB a word on files instead."""
    project = make_project(tmp_path, monkeypatch, capsys)
    (project.root / "profiles.yml").write_text((REPOSITORY / "profiles.example.yml").read_text())
    monkeypatch.setenv("KINDRED_PG_USER", "somebody")
    monkeypatch.setenv("KINDRED_PG_PASSWORD", "not shown")
    told = project.run("roles", "--target", "postgres")
    assert told.code == 0
    assert told.out.rstrip().endswith("commit;")
    assert "kindred_bi" in told.out
    assert "from public;" in project.run("roles", "--target", "postgres", "--own-database").out
    assert "from public;" not in told.out.replace("functions from public;", "")
    assert "not shown" not in told.text
    refused = project.run("roles", "--target", "duckdb")
    assert (refused.code, "rights on files" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"bi": "bi; drop role x"}, "no plain name"),
        ({"bi": "public"}, "no plain name"),
        ({"bi": "kindred_build"}, "twice"),
        ({"readers": "bi"}, "other roles"),
        (["kindred_bi"], "other roles"),
    ],
)
def test_names_of_roles_are_looked_at(given: object, told: str) -> None:
    """For whoever names the roles: what is no name never gets into SQL."""
    project = Project(REPOSITORY, "kindred", "kindred", {"postgres_roles": given})
    with pytest.raises(KindredError, match=told):
        roles.roles_of(project)


def test_running_it_again_changes_nothing(site: Site) -> None:
    """For the administrator: the script can be run at any time, and takes nothing from readers."""
    given = """
        select pg_class.oid, given.grantee, given.privilege_type
        from pg_class
        cross join lateral aclexplode(pg_class.relacl) as given
        where given.grantee <> pg_class.relowner
        order by 1, 2, 3
    """
    before = site.database.query(given)
    roles.apply(site.project, site.profile, is_own_database=True)
    assert site.database.query(given) == before
    assert site.login("bi").query("select count(*) from published.customers")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("grant usage on schema staging to public; grant select on staging.stg_customers to public",
         "{bi} can read the schema staging"),
        ("grant usage on schema published_restricted to {bi}; "
         "grant select on published_restricted.customers to {bi}",
         "{bi} can read the schema published_restricted"),
        ("grant create on schema published to {bi}", "{bi} can write to the schema published"),
        ("grant {owner} to {bi}", "{bi} may act as {owner}"),
        ("revoke select on published.customers from {bi}", "{bi} cannot read the schema published"),
        ("create table staging.by_hand (one integer)", "Tables of the schema staging belong to"),
    ],
)  # fmt: skip
def test_the_doctor_finds_rights_that_have_drifted(site: Site, statement: str, told: str) -> None:
    """For the administrator: a right too many or too few is named; running it again mends it."""
    names = vars(site.names)
    site.database.execute(statement.format(**names))
    found = site.wrong()
    assert any(told.format(**names) in text for text in found), found
    roles.apply(site.project, site.profile, is_own_database=True)
    assert site.wrong() == []
