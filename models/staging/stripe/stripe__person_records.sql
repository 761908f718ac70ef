{{ config(enabled=source_is_on('stripe')) }}

with customers as (
    select * from {{ ref('stg_stripe__customers') }}
),

records as (
    select
        record_id,
        'stripe' as source,
        'customer' as source_object,
        customer_id as source_record_id,
        first_name,
        last_name,
        full_name,
        email,
        phone,
        street,
        city,
        region,
        postcode,
        country_code,
        null as birth_date,
        null as company_name,
        null as company_domain,
        null as job_title,
        null as account_record_id,
        is_test,
        is_deleted,
        created_at,
        created_at as updated_at,
        loaded_at
    from customers
)

select * from records
