{#-
    The last node: a run that did not get here never happened, and the next one takes its number
    again. What comes after dbt, the checks and the publication, adds to the row how far it came.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='generation',
    full_refresh=false,
    on_schema_change='append_new_columns'
) }}

-- depends_on: {{ ref('segment_members') }}
-- depends_on: {{ ref('data_quality_results') }}
-- depends_on: {{ ref('identity_health') }}
-- depends_on: {{ ref('identity_links') }}
-- depends_on: {{ ref('identity_review_queue') }}
-- depends_on: {{ ref('customer_id_map') }}
-- depends_on: {{ ref('customer_id_changes') }}
-- depends_on: {{ ref('account_id_map') }}
-- depends_on: {{ ref('account_id_changes') }}
-- depends_on: {{ ref('customer_source_records') }}
-- depends_on: {{ ref('account_source_records') }}
-- depends_on: {{ ref('customer_identifiers') }}
-- depends_on: {{ ref('customer_attributes') }}
-- depends_on: {{ ref('customer_accounts') }}
-- depends_on: {{ ref('customer_consents') }}
-- depends_on: {{ ref('consent_ledger') }}
-- depends_on: {{ ref('contact_points') }}

with this_run as (
    select * from {{ ref('generation') }}
),

row_counts as (
    select
        cast(sum(raw_count) as bigint) as raw_row_count,
        cast(sum(staged_count) as bigint) as staged_row_count
    from {{ ref('row_counts') }}
),

history as (
    select
        this_run.generation,
        this_run.run_id,
        this_run.as_of,
        coalesce(row_counts.raw_row_count, 0) as raw_row_count,
        coalesce(row_counts.staged_row_count, 0) as staged_row_count,
        (select count(*) from {{ ref('data_quality_quarantine') }}) as quarantine_count,
        (select count(*) from {{ ref('person_records') }}) as person_record_count,
        (select count(*) from {{ ref('account_records') }}) as account_record_count,
        (select count(*) from {{ ref('customers') }}) as customer_count,
        (select count(*) from {{ ref('accounts') }}) as account_count,
        (select count(*) from {{ ref('activities') }}) as activity_count,
        (select count(*) from {{ ref('transactions') }}) as transaction_count,
        (select count(*) from {{ ref('segments') }}) as segment_count,
        cast(null as text) as input_fingerprint,
        cast('build' as text) as stages,
        cast('built' as text) as outcome
    from this_run
    cross join row_counts
)

select * from history
