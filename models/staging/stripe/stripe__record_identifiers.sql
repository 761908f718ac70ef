{{ config(enabled=source_is_on('stripe')) }}

with customers as (
    select * from {{ ref('stg_stripe__customers') }}
),

charges as (
    select * from {{ ref('stg_stripe__charges') }}
),

charges_of_customers as (
    select
        'stripe:customer:' || customer_id as record_id,
        receipt_email,
        created_at,
        loaded_at
    from charges
    where customer_id in (select customers.customer_id from customers)
),

identifiers as (
    {{ identifiers_of('stripe', 'customers', {
        'stripe_id': ['customer_id'],
        'email': ['email'],
        'phone': ['phone'],
        'user_id': ['user_id']
    }) }}
    union all
    {{ identifiers_of('stripe', 'charges_of_customers', {'email': ['receipt_email']}) }}
)

select * from identifiers
