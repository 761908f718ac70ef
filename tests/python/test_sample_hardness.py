"""The sample is hard enough to tell a careful matcher from a naive one, and not unfair."""

# Queries are easier to compare on one line, and are made of fixed words.
# ruff: noqa: E501
from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from kindred.identity.baselines import plain_splink, union_find
from kindred.identity.metrics import bcubed
from kindred.sample.generate import generate

PREPARE = """
create macro code(country) as case lower(country)
    when 'united states' then 'US' when 'united kingdom' then 'GB' when 'germany' then 'DE'
    when 'france' then 'FR' when 'spain' then 'ES' when 'canada' then 'CA'
    when 'australia' then 'AU' when 'netherlands' then 'NL' else upper(country) end;
create macro calling(country) as case country
    when 'GB' then '44' when 'DE' then '49' when 'FR' then '33' when 'ES' then '34'
    when 'AU' then '61' when 'NL' then '31' else '1' end;
create macro digits(v) as regexp_replace(regexp_replace(v, ' ext.*$', ''), '[^0-9]', '', 'g');
create macro number(v, country) as case
    when replace(digits(v), left(digits(v), 1), '') = '' then null
    when trim(v) like '+%' or digits(v) like '00%' then ltrim(digits(v), '0')
    when calling(country) = '1' then '1' || nullif(regexp_extract(digits(v), '^1?([2-9][0-9]{9})$', 1), '')
    else calling(country) || ltrim(digits(v), '0') end;
create macro e164(v, country) as
    '+' || nullif(regexp_extract(number(v, country), '^(1[2-9][0-9]{9}|[2-9][0-9]{7,14})$', 0), '');
create macro email(v) as nullif(regexp_extract(lower(trim(v)), '^[^@ ]+@[^@ ]+[.][a-z]+$', 0), '');
create macro given(v) as case when v like '%, %' then split_part(v, ', ', 2) else split_part(v, ' ', 1) end;
create macro family(v) as case when v like '%, %' then split_part(v, ', ', 1)
    when position(' ' in v) > 0 then substr(v, position(' ' in v) + 1) end;
"""

# source table, key, then the expressions of first, last, full, email, phone, street, city, postcode,
# country, birth date, company, condition
SOURCES = (
    ("salesforce", "contact", "id", "first_name", "last_name", "name", "email", "coalesce(mobile_phone, phone)", "mailing_street", "mailing_city", "mailing_postal_code", "mailing_country_code", "birthdate", "null", "not is_deleted"),
    ("salesforce", "lead", "id", "first_name", "last_name", "name", "email", "coalesce(mobile_phone, phone)", "street", "city", "postal_code", "country_code", "null", "company", "not is_deleted"),
    ("hubspot", "contact", "id", "property_firstname", "property_lastname", "null", "property_email", "coalesce(property_mobilephone, property_phone)", "property_address", "property_city", "property_zip", "code(property_country)", "property_date_of_birth", "property_company", "not _fivetran_deleted"),
    ("stripe", "customer", "id", "given(trim(name))", "family(trim(name))", "name", "email", "phone", "address_line_1", "address_city", "address_postal_code", "address_country", "null", "description", "livemode and not is_deleted"),
    ("segment", "users", "id", "first_name", "last_name", "name", "email", "phone", "address_street", "address_city", "address_postal_code", "code(address_country)", "birthday", "company_name", "true"),
    ("zendesk", "user", "id", "given(trim(name))", "family(trim(name))", "name", "email", "phone", "null", "null", "null", "upper(right(locale, 2))", "null", "null", "active and role = 'end-user'"),
    ("klaviyo", "person", "id", "first_name", "last_name", "null", "email", "phone_number", "address_1", "city", "zip", "code(country)", "custom_birthday", "organization", "not _fivetran_deleted"),
    ("social", "lead_form_submission", "id", "coalesce(first_name, given(trim(full_name)))", "coalesce(last_name, family(trim(full_name)))", "full_name", "email", "phone_number", "null", "city", "null", "code(country)", "null", "company_name", "true"),
    ("pos", "loyalty_member", "loyalty_id", "first_name", "last_name", "null", "email", "phone", "street", "city", "postal_code", "code(country)", "birth_date", "null", "not is_test and not is_deleted"),
)  # fmt: skip
OBJECTS = {("segment", "users"): "user"}


def person_records(directory: Path) -> tuple[pa.Table, pa.Table]:
    """The person records of a sample, cleaned as staging does, and (record_id, entity) truth."""
    with duckdb.connect() as con:
        con.execute(PREPARE)
        for (
            source,
            table,
            key,
            first,
            last,
            full,
            mail,
            phone,
            street,
            city,
            postcode,
            country,
            birth,
            company,
            keep,
        ) in SOURCES:
            name = OBJECTS.get((source, table), table)
            files = directory / source / f"{table}.parquet"
            con.execute(f"""
                create or replace temp view part as
                select
                    '{source}:{name}:' || cast({key} as text) as record_id,
                    '{source}' as source,
                    nullif(trim({first}), '') as first_name,
                    nullif(trim({last}), '') as last_name,
                    nullif(trim(cast({full} as text)), '') as full_name,
                    email({mail}) as email,
                    e164({phone}, {country}) as phone,
                    cast({street} as text) as street,
                    cast({city} as text) as city,
                    cast({postcode} as text) as postcode,
                    {country} as country_code,
                    try_cast({birth} as date) as birth_date,
                    cast({company} as text) as company_name
                from read_parquet('{files}')
                where {key} is not null and {keep}
            """)
            made = con.execute("select count(*) from duckdb_tables() where table_name = 'records'")
            if made.fetchall()[0][0]:
                con.execute("insert into records select * from part")
            else:
                con.execute("create temp table records as select * from part")
        con.execute(f"""
            insert into records
            select
                'shopify:customer:' || cast(c.id as text), 'shopify', nullif(trim(c.first_name), ''),
                nullif(trim(c.last_name), ''), null, email(c.email), e164(coalesce(c.phone, a.phone), a.country_code),
                a.address_1, a.city, a.zip, a.country_code, null, a.company
            from read_parquet('{directory}/shopify/customer.parquet') as c
            left join read_parquet('{directory}/shopify/customer_address.parquet') as a
                on c.id = a.customer_id
            where c.id is not null
        """)
        records = con.sql(
            """
            select * from records
            qualify row_number() over (partition by record_id order by all) = 1
        """.replace("order by all", "order by email, phone")
        ).to_arrow_table()
        truth = con.sql(f"""
            select t.record_id, t.person_id as entity
            from read_parquet('{directory}/truth/persons.parquet') as t
            semi join records using (record_id)
        """).to_arrow_table()
    return records, truth


@pytest.mark.slow
def test_naive_matchers_fall_short_on_100k_people(tmp_path: Path) -> None:
    """Whoever praises our matching can trust the bar: simple rules do not clear it."""
    generate(100_000, 10_000, tmp_path / "sample")
    records, truth = person_records(tmp_path / "sample")
    assert 280_000 <= records.num_rows <= 360_000
    assert bcubed(union_find(records), truth).f1 <= 0.955
    assert bcubed(plain_splink(records), truth).f1 <= 0.965
