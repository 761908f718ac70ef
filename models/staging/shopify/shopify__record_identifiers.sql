{{ config(enabled=source_is_on('shopify')) }}

with customers as (
    select * from {{ ref('stg_shopify__customers') }}
),

orders as (
    select * from {{ ref('stg_shopify__orders') }}
    where not is_test and not is_deleted
),

identifiers as (
    select
        record_id,
        'shopify_id' as identifier_type,
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
        customers.record_id,
        'email' as identifier_type,
        orders.email as identifier_value,
        orders.ordered_at as observed_at,
        orders.loaded_at
    from orders
    inner join customers
        on customers.customer_id = orders.customer_id
),

final as (
    select
        record_id,
        'shopify' as source,
        identifier_type,
        identifier_value,
        observed_at,
        loaded_at
    from identifiers
    where identifier_value is not null
)

select * from final
