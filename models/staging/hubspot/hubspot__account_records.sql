{{ config(enabled=source_is_on('hubspot')) }}

with companies as (
    select * from {{ ref('stg_hubspot__companies') }}
),

records as (
    select
        record_id,
        'hubspot' as source,
        'company' as source_object,
        company_id as source_record_id,
        company_name as name,
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
        'hubspot:company:' || parent_company_id as parent_record_id,
        false as is_test,
        is_deleted,
        created_at,
        coalesce(updated_at, created_at) as updated_at,
        loaded_at
    from companies
)

select * from records
