"""Publication on Postgres: what people who read the published views may rely on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from kindred.project import Profile
from kindred.quality.results import Generation
from kindred.warehouse.exposure import PublishedModel
from kindred.warehouse.postgres import AskedLikeDuckDB
from kindred.warehouse.publication_postgres import write_publication
from postgres_server import PostgresDatabase

PROFILE = Profile("postgres", "postgrespy", "kindred", Path(), None)


def model(name: str, columns: dict[str, str]) -> PublishedModel:
    """A mart of this name; column -> what BI may see of it."""
    told = {column: f"The {column}." for column in columns}
    return PublishedModel(name, "kindred", "marts", f"The {name}.", columns, told)  # type: ignore[arg-type]


CUSTOMERS = model(
    "customers", {"customer_id": "open", "email": "masked", "born": "masked", "iq": "x"}
)
ORDERS = model("orders", {"customer_id": "open", "run": "open"})


@pytest.fixture
def database(postgres_database: PostgresDatabase) -> PostgresDatabase:
    """Two marts of run 1."""
    postgres_database.execute(
        "create schema kindred",
        "create table kindred.customers as select 'cus_' || i as customer_id, "
        "'p' || i || '@example.com' as email, date '1980-02-03' as born, i as iq, 1 as run "
        "from generate_series(1, 500) as t(i)",
        "create table kindred.orders as select customer_id, 1 as run from kindred.customers",
    )
    return postgres_database


def publish(database: PostgresDatabase, number: int, keep: int = 3) -> list[str]:
    """Publish both marts as generation `number`; the schemas that were removed."""
    generation = Generation(number, f"run-{number}", datetime(2026, 6, 30))
    with closing(database.connect()) as connection:
        asked = AskedLikeDuckDB(connection)
        models = [CUSTOMERS, ORDERS]
        _, rows, removed = write_publication(
            asked, PROFILE, models, generation, keep, lambda name: None
        )
    assert rows == {"customers": 500, "orders": 500}
    return removed


def set_run(database: PostgresDatabase, number: int) -> None:
    """Change both marts, as run `number` would."""
    database.execute(
        f"update kindred.customers set run = {number}", f"update kindred.orders set run = {number}"
    )


def test_bi_sees_masked_values_and_the_few_see_all(database: PostgresDatabase) -> None:
    """An email shows its first letter, a birth date its year, an unclassified column nothing."""
    publish(database, 1)
    one = "select customer_id, email, born::text, iq from {} where customer_id = 'cus_7'"
    assert database.query(one.format("published.customers")) == [
        ("cus_7", "p***@example.com", "1980-01-01", None)
    ]
    assert database.query(one.format("published_restricted.customers")) == [
        ("cus_7", "p7@example.com", "1980-02-03", 7)
    ]
    told = "select col_description('published.customers'::regclass, 2)"
    assert database.query(told) == [("The email. (masked here)",)]


def test_what_is_published_is_no_view_of_the_working_tables(database: PostgresDatabase) -> None:
    """A build that changes or breaks the working tables changes nothing that people read."""
    publish(database, 1)
    database.execute("truncate kindred.orders", "drop table kindred.customers")
    assert database.query("select count(*) from published.customers") == [(500,)]
    assert database.query("select count(*) from published.orders") == [(500,)]


@pytest.fixture
def readers(database: PostgresDatabase) -> Iterator[list[object]]:
    """Readers who join both views again and again; what they saw, and their errors."""
    seen: list[object] = []
    publish(database, 1)
    is_over = threading.Event()

    def read(first: str, second: str) -> None:
        query = (
            f"select min(o.run), max(o.run), count(*) from published.{first} as a "
            f"inner join published.{second} as b using (customer_id) "
            "inner join published.orders as o using (customer_id)"
        )
        with closing(database.connect()) as connection, connection.cursor() as cursor:
            while not is_over.is_set():
                try:
                    cursor.execute(query)
                    seen.append(cursor.fetchone())
                    connection.commit()
                except Exception as error:  # noqa: BLE001 - an error of any kind is the finding
                    seen.append(error)
                    return

    names = [("customers", "orders"), ("orders", "customers")]
    threads = [threading.Thread(target=read, args=pair) for pair in names]
    for thread in threads:
        thread.start()
    yield seen
    is_over.set()
    for thread in threads:
        thread.join()


def test_readers_see_one_run_and_never_an_error(
    readers: list[object], database: PostgresDatabase
) -> None:
    """While runs are published, each query gets all rows of one run."""
    for number in range(2, 5):
        set_run(database, number)
        publish(database, number)
    errors = [found for found in readers if not isinstance(found, tuple)]
    assert errors == []
    assert {found[2] for found in readers if isinstance(found, tuple)} == {500}
    assert all(found[0] == found[1] for found in readers if isinstance(found, tuple))


def test_grants_and_other_peoples_views_stay(database: PostgresDatabase) -> None:
    """Who may read a published view still may after the next run, also when a column changed."""
    publish(database, 1)
    database.execute(
        "grant select on published.customers, published.orders to public",
        "create view public.dashboard as select count(*) as n from published.orders",
    )
    database.execute("alter table kindred.customers alter column iq type numeric(9, 2)")
    database.execute("alter table kindred.customers rename column run to generation")
    publish(database, 2)
    granted = database.query(
        "select table_name from information_schema.table_privileges "
        "where grantee = 'PUBLIC' and table_schema = 'published' order by 1"
    )
    assert granted == [("customers",), ("orders",)]
    assert database.query("select n from public.dashboard") == [(500,)]
    columns = "select column_name from information_schema.columns where table_schema = 'published'"
    assert ("generation",) in database.query(columns)


def test_only_the_last_publications_are_kept(database: PostgresDatabase) -> None:
    """Old tables go, and so do those that a killed run left half written."""
    database.execute("create schema published_run_000000_20260101t000000")
    for number in range(1, 4):
        removed = publish(database, number, keep=2)
    assert removed == ["published_run_000001_20260630t000000"]
    left = database.query(
        "select nspname from pg_namespace where nspname like 'published_run%' order by 1"
    )
    assert left == [
        ("published_run_000002_20260630t000000",),
        ("published_run_000003_20260630t000000",),
    ]
