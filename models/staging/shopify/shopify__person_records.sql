{{ config(enabled=source_is_on('shopify')) }}

with customers as (
    select * from {{ ref('stg_shopify__customers') }}
),

records as (
    select
        record_id,
        'shopify' as source,
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
        company_name,
        null as company_domain,
        null as job_title,
        null as account_record_id,
        false as is_test,
        is_deleted,
        created_at,
        updated_at,
        loaded_at
    from customers
)

select * from records
