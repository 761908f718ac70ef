{{ config(materialized='view') }}

with account_records as (
    select * from {{ ref('account_records') }}
),

live as (
    select
        record_id,
        source,
        name,
        domain,
        phone,
        street,
        city,
        postcode,
        country_code,
        registration_number
    from account_records
    where
        not coalesce(is_test, false)
        and not coalesce(is_deleted, false)
)

select * from live
