{{ config(materialized='view') }}

with person_records as (
    select * from {{ ref('person_records') }}
),

live as (
    select
        record_id,
        source,
        first_name,
        last_name,
        full_name,
        email,
        phone,
        street,
        city,
        postcode,
        birth_date,
        company_name,
        company_domain
    from person_records
    where
        not coalesce(is_test, false)
        and not coalesce(is_deleted, false)
)

select * from live
