"""A small built warehouse, made with SQL alone, for tests of check and publish."""

from __future__ import annotations

from cli_project import SmallProject

PLANTED_EMAIL = "planted.secret@example.com"
PLANTED_NAME = "Plantagenet"

TABLES = """
create schema streams; create schema identity; create schema stripe; create schema segments;
create schema kindred; create schema staging;
create table stripe.customer as
    select 'cus' || i as id, 'p' || i || '@example.com' as email from range({n}) as t(i);
create table streams.person_records as
    select
        'stripe:customer:cus' || i as record_id, 'stripe' as source,
        'Name' || i as last_name, 'p' || i || '@example.com' as email,
        '+1415555' || lpad(cast(i as text), 7, '0') as phone, 'US' as country_code,
        false as is_test, false as is_deleted, timestamp '2026-01-01' as created_at
    from range({n}) as t(i);
update streams.person_records set email = '{secret}', last_name = '{name}'
    where record_id = 'stripe:customer:cus0';
create table streams.account_records as
    select 'a' as record_id, 'x.com' as domain, 1 as employee_count, 1.0 as annual_revenue;
create table streams.record_identifiers as
    select record_id, 'email' as identifier_type, email as identifier_value
    from streams.person_records;
create table streams.record_activities as
    select
        'act' || i as activity_id, timestamp '2026-01-01' + to_seconds(i % 1000) as occurred_at,
        'order_placed' as activity, 'shop' as channel,
        'stripe:customer:cus' || (i % {n}) as record_id,
        cast(null as text) as account_record_id, cast(null as text) as identifier_value
    from range({activities}) as t(i);
create table streams.record_transactions as
    select
        'tx' || i as transaction_id, 'order' as type, cast(10 as numeric(18, 2)) as amount,
        'USD' as currency, true as is_revenue, timestamp '2026-01-01' as occurred_at
    from range({n}) as t(i);
create table streams.consent_events as
    select 'e1' as consent_event_id, 'grant' as action, timestamp '2026-01-01' as occurred_at;
create table identity.generation as
    select 1::bigint as generation, 'run-1' as run_id, timestamp '2026-06-30' as as_of;
create table identity.int_person_ids as
    select record_id, 'cus_' || substr(md5(record_id), 1, 16) as customer_id
    from streams.person_records;
create table identity.int_account_ids as
    select 'a' as record_id, 'acc_0123456789abcdef' as account_id, 1::bigint as generation;
create table kindred.customers as
    select
        ids.customer_id, records.email, records.last_name, date '1980-02-03' as birth_date,
        'US' as country_code, true as can_email, false as can_sms, false as can_phone,
        false as can_post, false as can_personalise, false as can_profile,
        false as can_share_with_ads, 42 as unclassified_number
    from streams.person_records as records
    inner join identity.int_person_ids as ids on ids.record_id = records.record_id;
create table kindred.accounts as select 'acc_0123456789abcdef' as account_id, 'X Ltd' as name;
create table kindred.activities as
    select activity_id, occurred_at, activity from streams.record_activities;
create table kindred.transactions as select * from streams.record_transactions;
create table kindred.segment_members as
    select 'new_customers' as segment, customer_id, cast(null as text) as account_id
    from kindred.customers;
create table kindred.data_quality_results (
    result_id text, generation bigint, run_id text, suite text, layer text, table_name text,
    column_name text, expectation text, meaning text, severity text, is_success boolean,
    checked_count bigint, unexpected_count bigint, unexpected_percent numeric(9, 4), error text,
    checked_at timestamp
);
create view segments.seg_new_customers as select customer_id from kindred.customers;
"""


def build_warehouse(project: SmallProject, people: int = 20, activities: int = 50) -> None:
    """Fill the working database as a build of `people` people would."""
    project.execute(
        TABLES.format(n=people, activities=activities, secret=PLANTED_EMAIL, name=PLANTED_NAME)
    )
