{{ config(enabled=source_is_on('salesforce')) }}

with accounts as (
    select * from {{ ref('stg_salesforce__accounts') }}
),

records as (
    select
        record_id,
        'salesforce' as source,
        'account' as source_object,
        account_id as source_record_id,
        account_name as name,
        domain,
        phone,
        street,
        city,
        region,
        postcode,
        country_code,
        null as registration_number,
        industry,
        employee_count,
        annual_revenue,
        'salesforce:account:' || parent_account_id as parent_record_id,
        false as is_test,
        is_deleted,
        created_at,
        coalesce(updated_at, created_at) as updated_at,
        loaded_at
    from accounts
)

select * from records
