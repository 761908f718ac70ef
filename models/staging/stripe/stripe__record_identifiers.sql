{{ config(enabled=source_is_on('stripe')) }}

with customers as (
    select * from {{ ref('stg_stripe__customers') }}
),

charges as (
    select * from {{ ref('stg_stripe__charges') }}
),

identifiers as (
    select
        record_id,
        'stripe_id' as identifier_type,
        customer_id as identifier_value,
        created_at as observed_at,
        loaded_at
    from customers
    union all
    select
        record_id,
        'email' as identifier_type,
        email as identifier_value,
        created_at as observed_at,
        loaded_at
    from customers
    union all
    select
        record_id,
        'phone' as identifier_type,
        phone as identifier_value,
        created_at as observed_at,
        loaded_at
    from customers
    union all
    select
        record_id,
        'user_id' as identifier_type,
        user_id as identifier_value,
        created_at as observed_at,
        loaded_at
    from customers
    union all
    select
        'stripe:customer:' || customer_id as record_id,
        'email' as identifier_type,
        receipt_email as identifier_value,
        created_at as observed_at,
        loaded_at
    from charges
    where customer_id in (select customers.customer_id from customers)
),

final as (
    select
        record_id,
        'stripe' as source,
        identifier_type,
        identifier_value,
        observed_at,
        loaded_at
    from identifiers
    where identifier_value is not null
)

select * from final
