"""The sample keeps its promises: same seed same bytes, real layouts, every trap, honest truth."""

# Queries are easier to compare on one line, and are made of fixed words.
# ruff: noqa: E501
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from kindred.cli.sample import command
from kindred.errors import KindredError
from kindred.sample.generate import generate
from kindred.sample.people import make_companies, make_people
from kindred.sample.schema import SCHEMAS


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample of 8,000 people: large enough for the rare traps."""
    directory = tmp_path_factory.mktemp("sample") / "out"
    generate(8000, 800, directory, seed=7)
    return directory


@pytest.fixture(scope="module")
def con(sample: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The sample's tables as views `<source>_<table>`, and the truth as `persons`, `companies`."""
    with duckdb.connect() as connection:
        for source, table in SCHEMAS:
            connection.execute(
                f"create view \"{source}_{table}\" as from '{sample}/{source}/{table}.parquet'"
            )
        for name in ("persons", "companies"):
            connection.execute(f"create view {name} as from '{sample}/truth/{name}.parquet'")
        yield connection


def one(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    """The single value of a query."""
    return con.execute(query).fetchall()[0][0]


def digest(directory: Path) -> dict[str, str]:
    """The hash of every file under a directory."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_same_seed_gives_same_bytes_and_another_seed_another_sample(tmp_path: Path) -> None:
    """A bug report with a seed can be repeated by anybody."""
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        generate(300, 30, tmp_path / name, seed=seed)
    first, second, other = (digest(tmp_path / name) for name in "abc")
    assert first == second
    differing = {name for name in first if first[name] != other[name]}
    assert "salesforce/contact.parquet" in differing and "segment/pages.parquet" in differing


@pytest.mark.parametrize(("source", "table"), sorted(SCHEMAS))
def test_tables_have_the_connectors_layout(sample: Path, source: str, table: str) -> None:
    """Staging that reads the sample reads a real connector's table."""
    found = pq.read_schema(sample / source / f"{table}.parquet")
    assert found.names == SCHEMAS[source, table].names
    assert found.types == SCHEMAS[source, table].types
    assert pq.read_metadata(sample / source / f"{table}.parquet").num_rows > 0


def test_smallest_sample_has_every_table(tmp_path: Path) -> None:
    """Tests of other parts may use 50 people."""
    rows = generate(50, 5, tmp_path / "tiny")
    assert {f"{s}.{t}" for s, t in SCHEMAS} <= set(rows)


def test_volumes_are_those_of_a_business(con: duckdb.DuckDBPyConnection) -> None:
    """A person leaves about three records and thirty activities."""
    persons = one(con, "select count(*) from persons")
    assert 2.8 <= persons / 8000 <= 3.7
    assert 2.0 <= one(con, "select count(*) from companies") / 800 <= 3.0
    tables = "segment_pages segment_tracks hubspot_email_event klaviyo_event pos_store_visit pos_store_transaction shopify_order stripe_charge zendesk_ticket social_engagement"
    events = sum(one(con, f"select count(*) from {name}") for name in tables.split())
    assert 24 <= events / 8000 <= 42
    # few heavy customers, long tail
    top = one(
        con,
        """
        with spent as (
            select customer_id, sum(total_price_set_shop_amount) as total
            from shopify_order where customer_id is not null group by customer_id
        ), ranked as (select total, percent_rank() over (order by total desc) as place from spent)
        select sum(total) filter (place <= 0.1) / sum(total) from ranked
        """,
    )
    assert 0.3 <= top <= 0.75


def test_december_is_busier_than_february(con: duckdb.DuckDBPyConnection) -> None:
    """Seasonal reports have a season to show."""
    query = "select count(*) from shopify_order where month(created_at) = "
    assert one(con, query + "12") > 1.4 * one(con, query + "2")


TRAPS = {
    "a contact with a deleted flag": ("select count(*) from salesforce_contact where is_deleted", 5),
    "a test customer": ("select count(*) from stripe_customer where not livemode", 5),
    "a test member": ("select count(*) from pos_loyalty_member where is_test", 2),
    "a junk e-mail": ("select count(*) from (select property_email as email from hubspot_contact union all select email from klaviyo_person union all select email from salesforce_lead) where email in ('test@test.com', 'noemail@noemail.com', 'n/a', 'none@none.com')", 2),
    "a junk phone": ("select count(*) from pos_loyalty_member where phone in ('0000000000', '1111111111', '1234567890', 'n/a')", 2),
    "a default birth date": ("select count(*) from pos_loyalty_member where birth_date = '1900-01-01'", 3),
    "an impossible birth date": ("select count(*) from pos_loyalty_member where birth_date is not null and try_cast(birth_date as date) is null", 1),
    "an e-mail column without e-mail": ("select count(*) from klaviyo_person where email not like '%@%'", 3),
    "a number that is none": ("select count(*) from klaviyo_event where property_value is not null and try_cast(property_value as double) is null", 5),
    "a row without key": ("select count(*) from salesforce_contact where id is null", 1),
    "a row loaded twice": ("select count(*) - count(distinct id) from shopify_order where id is not null", 10),
    "an upper-case e-mail": ("select count(*) from shopify_customer where email = upper(email) and email like '%@%'", 10),
    "a plus address": ("select count(*) from klaviyo_person where email like '%+%@gmail.com'", 10),
    "a role address": ("select count(*) from salesforce_contact where email like 'info@%' or email like 'office@%'", 3),
    "a shared switchboard": ("select count(*) from (select phone from salesforce_contact where phone is not null group by phone having count(distinct last_name) > 1)", 3),
    "a bare initial": ("select count(*) from stripe_customer where regexp_matches(name, '^[A-Z][.]? ')", 10),
    "an accent": ("select count(*) from salesforce_contact where last_name <> strip_accents(last_name)", 10),
    "a leading-zero postcode": ("select count(*) from shopify_customer_address where zip like '0%'", 50),
    "a late event": ("select count(*) from segment_pages where received_at > timestamp + interval 1 day", 50),
    "a visit before log-in": ("select count(*) from segment_pages p where user_id is null and anonymous_id in (select anonymous_id from segment_identifies)", 1000),
    "a visitor never known": ("select count(distinct anonymous_id) from segment_pages where anonymous_id not in (select anonymous_id from segment_identifies where anonymous_id is not null)", 100),
    "a family device": ("select count(*) from (select anonymous_id from segment_identifies group by anonymous_id having count(distinct user_id) > 1)", 1),
    "a person on several devices": ("select count(*) from (select user_id from segment_identifies group by user_id having count(distinct anonymous_id) > 1)", 100),
    "a converted lead": ("select count(*) from salesforce_lead where converted_contact_id in (select id from salesforce_contact)", 50),
    "a customer with user_id": ("select count(*) from stripe_customer where metadata like '{\"user_id\": \"u%'", 100),
    "a requester with external_id": ("select count(*) from zendesk_user where external_id in (select id from segment_users)", 50),
    "a browser signal": ("select count(*) from consent_platform_gpc_signal where is_enabled", 20),
    "a consent withdrawn elsewhere": ("select count(*) from klaviyo_person k join consent_platform_consent_receipt c on lower(k.email) = c.identifier_value where custom_accepts_marketing and action in ('withdraw', 'object')", 20),
    "a subsidiary": ("select count(*) from salesforce_account where parent_id in (select id from salesforce_account)", 10),
    "a failed charge": ("select count(*) from stripe_charge where not paid", 10),
    "a charge that pays an invoice": ("select count(*) from stripe_charge where invoice_id in (select id from stripe_invoice)", 100),
}  # fmt: skip


@pytest.mark.parametrize("trap", sorted(TRAPS))
def test_every_trap_is_laid(con: duckdb.DuckDBPyConnection, trap: str) -> None:
    """A build that passes on the sample has met what real sources hold."""
    query, least = TRAPS[trap]
    assert one(con, query) >= least


def test_the_truth_knows_marriages_moves_and_job_changes(con: duckdb.DuckDBPyConnection) -> None:
    """One person may have two surnames, two towns' addresses and two employers."""
    con.execute("""
        create or replace temp view members as
        select person_id, last_name, first_name, postal_code from pos_loyalty_member
        join persons on record_id = 'pos:loyalty_member:' || loyalty_id
    """)
    con.execute("""
        create or replace temp view subscribers as
        select person_id, last_name, first_name, zip from klaviyo_person
        join persons on record_id = 'klaviyo:person:' || id
    """)
    both = "from members m join subscribers s using (person_id) where "
    assert (
        one(con, f"select count(*) {both} jaro_winkler_similarity(m.last_name, s.last_name) < 0.5")
        > 5
    )
    assert one(con, f"select count(*) {both} m.postal_code[:2] <> s.zip[:2]") > 20
    assert (
        one(
            con, f"select count(*) {both} m.first_name = s.last_name and m.last_name = s.first_name"
        )
        >= 1
    )
    assert (
        one(
            con,
            f"select count(*) {both} m.first_name <> s.first_name and m.first_name[1] <> s.first_name[1]",
        )
        > 5
    )
    # somebody is at two companies
    assert (
        one(
            con,
            """
        select count(*) from (
            select p.person_id from salesforce_contact c
            join persons p on p.record_id = 'salesforce:contact:' || c.id
            join companies o on o.record_id = 'salesforce:account:' || c.account_id
            group by p.person_id having count(distinct o.company_id) > 1
        )
    """,
        )
        >= 1
    )


def test_people_share_names_homes_and_numbers(con: duckdb.DuckDBPyConnection) -> None:
    """Different people look alike: namesakes, families, fathers and sons."""
    con.execute("""
        create or replace temp view seen as
        select person_id, lower(first_name) as f, lower(last_name) as l, lower(street) as s, postal_code as p, phone
        from pos_loyalty_member join persons on record_id = 'pos:loyalty_member:' || loyalty_id
    """)
    shared = "select count(*) from (select 1 from seen where {} is not null group by {} having count(distinct person_id) > 1)"
    assert one(con, shared.format("s", "l, s, p")) > 5
    assert one(con, shared.format("phone", "phone")) > 3
    namesakes = """
        select count(*) from (
            select 1 from klaviyo_person join persons on record_id = 'klaviyo:person:' || id
            where first_name is not null and last_name is not null
            group by lower(first_name), lower(last_name) having count(distinct person_id) > 1
        )
    """
    assert one(con, namesakes) >= 2


def test_families_hold_fathers_and_sons_and_twins() -> None:
    """One name at one address may be two people, and one birth date too."""
    people = make_people(7, 8000, make_companies(7, 800))
    member = np.flatnonzero(people.role >= 2)
    head = member - people.role[member]
    assert (people.household[member] == people.household[head]).all()
    same_name = (people.first[member] == people.first[head]) & (
        people.last[member] == people.last[head]
    )
    assert same_name.sum() >= 5
    assert (people.birth[member] == people.birth[member - 1]).sum() >= 2
    assert (people.birth[member] > people.birth[head]).mean() > 0.9


def test_segments_of_the_demo_are_not_empty(tmp_path: Path) -> None:
    """Whoever runs the demo of 2,000 people finds somebody in each segment."""
    generate(2000, 200, tmp_path / "demo")
    with duckdb.connect() as con:
        con.execute(
            f"create macro raw(name) as table from read_parquet('{tmp_path}/demo/' || name || '.parquet')"
        )
        now = "timestamp '2026-06-30'"
        checks = {
            "new": f"select count(*) from (select customer_id from raw('shopify/order') group by 1 having min(created_at) > {now} - interval 30 day)",
            "at risk": f"select count(*) from (select customer_id from raw('shopify/order') group by 1 having sum(total_price_set_shop_amount) > 800 and max(created_at) < {now} - interval 90 day)",
            "lapsed": f"select count(*) from (select customer_id from raw('shopify/order') group by 1 having max(created_at) < {now} - interval 365 day)",
            "trouble": "select count(*) from (select organization_id from raw('zendesk/ticket') where status in ('new', 'open', 'pending', 'hold') and organization_id is not null group by 1 having count(*) >= 3)",
            "open deal": "select count(*) from raw('salesforce/opportunity') where not is_closed",
            "clicks": f"select count(*) from raw('klaviyo/event') where datetime > {now} - interval 30 day",
        }
        for name, query in checks.items():
            assert one(con, query) >= 3, name


@pytest.mark.parametrize(
    ("child", "key", "parent", "parent_key", "share"),
    [
        ("salesforce_contact", "account_id", "salesforce_account", "id", 1.0),
        ("salesforce_opportunity", "account_id", "salesforce_account", "id", 1.0),
        ("stripe_charge", "customer_id", "stripe_customer", "id", 1.0),
        ("stripe_invoice", "subscription_id", "stripe_subscription", "id", 1.0),
        ("stripe_refund", "charge_id", "stripe_charge", "id", 1.0),
        ("shopify_order", "customer_id", "shopify_customer", "id", 1.0),
        ("shopify_order_line", "order_id", "shopify_order", "id", 1.0),
        ("shopify_refund", "order_id", "shopify_order", "id", 1.0),
        ("zendesk_ticket", "requester_id", "zendesk_user", "id", 1.0),
        ("klaviyo_event", "metric_id", "klaviyo_metric", "id", 1.0),
        ("klaviyo_event", "person_id", "klaviyo_person", "id", 1.0),
        ("pos_store_visit", "loyalty_id", "pos_loyalty_member", "loyalty_id", 1.0),
        ("hubspot_deal_company", "company_id", "hubspot_company", "id", 1.0),
    ],
)
def test_references_are_sane(
    con: duckdb.DuckDBPyConnection, child: str, key: str, parent: str, parent_key: str, share: float
) -> None:
    """A broken join is the project's fault and not the sample's."""
    found = one(
        con,
        f"""
        select avg((c.{key} in (select {parent_key} from {parent} where {parent_key} is not null))::int)
        from {child} as c where c.{key} is not null
        """,
    )
    assert found >= share


def test_money_adds_up(con: duckdb.DuckDBPyConnection) -> None:
    """The total of an order is that of its lines; a charge pays its invoice to the cent."""
    wrong_orders = one(
        con,
        """
        with lines as (
            select order_id, sum(original_total_set_shop_amount - total_discount_set_shop_amount) as total
            from (select distinct on (id) * from shopify_order_line where id is not null) group by order_id
        )
        select count(*) from shopify_order as o join lines as l on o.id = l.order_id
        where abs(o.total_price_set_shop_amount - l.total) > 0.02
    """,
    )
    wrong_charges = one(
        con,
        """
        select count(*) from stripe_charge as c join stripe_invoice as i on c.invoice_id = i.id
        where c.amount <> i.total or c.created < i.created
    """,
    )
    assert (wrong_orders, wrong_charges) == (0, 0)


def test_every_record_has_one_truth(con: duckdb.DuckDBPyConnection) -> None:
    """An evaluation neither misses records nor counts them twice."""
    assert one(con, "select count(*) - count(distinct record_id) from persons") == 0
    assert one(con, "select count(*) - count(distinct record_id) from companies") == 0
    assert (
        one(
            con,
            "select count(*) from klaviyo_person anti join persons on record_id = 'klaviyo:person:' || id where id is not null",
        )
        == 0
    )
    assert (
        one(
            con,
            "select count(*) from stripe_customer anti join persons on record_id = 'stripe:customer:' || id where id is not null",
        )
        == 0
    )


def test_nothing_happens_after_as_of(con: duckdb.DuckDBPyConnection, sample: Path) -> None:
    """The calendar is fixed, so figures in the documentation stay true."""
    facts = json.loads((sample / "sample.json").read_text("utf-8"))
    assert facts["as_of"] == "2026-06-30T00:00:00"
    assert facts["people"] == 8000 and facts["rows"]["segment.pages"] > 0
    for table, column in (
        ("segment_pages", "timestamp"),
        ("shopify_order", "created_at"),
        ("klaviyo_event", "datetime"),
        ("zendesk_ticket", "created_at"),
    ):
        assert one(con, f"select max({column}) <= timestamp '2026-06-30' from {table}")
        assert one(con, f"select min({column}) >= timestamp '2023-06-01' from {table}")


def test_command_refuses_a_directory_with_other_things(tmp_path: Path) -> None:
    """Nobody loses files by a mistyped --out."""
    (tmp_path / "thesis.txt").write_text("years of work", "utf-8")
    result = CliRunner().invoke(command, ["--people", "60", "--out", str(tmp_path)])
    assert isinstance(result.exception, KindredError)
    assert str(tmp_path) in result.exception.message
    assert (tmp_path / "thesis.txt").exists()


def test_command_replaces_an_older_sample_and_sums_up(tmp_path: Path) -> None:
    """The demo can be run again, and says what it made and what comes next."""
    for _ in range(2):
        result = CliRunner().invoke(command, ["--people", "60", "--out", str(tmp_path / "s")])
        assert result.exit_code == 0, result.output
    assert "39 tables" in result.output and "kindred load" in result.output


@pytest.mark.parametrize("arguments", [["--people", "49"], ["--companies", "0"], ["--seed", "-1"]])
def test_command_refuses_impossible_sizes(tmp_path: Path, arguments: list[str]) -> None:
    """A typo is told at once, with the way out."""
    result = CliRunner().invoke(command, [*arguments, "--out", str(tmp_path / "s")])
    assert isinstance(result.exception, KindredError)
    assert result.exception.hint and not (tmp_path / "s").exists()
