{{ config(enabled=source_is_on('shopify')) }}

with customers as (
    select * from {{ ref('stg_shopify__customers') }}
),

orders as (
    select * from {{ ref('stg_shopify__orders') }}
    where not is_test and not is_deleted
),

orders_of_customers as (
    select
        customers.record_id,
        orders.email,
        orders.ordered_at,
        orders.loaded_at
    from orders
    inner join customers
        on customers.customer_id = orders.customer_id
),

identifiers as (
    {{ identifiers_of('shopify', 'customers', {
        'shopify_id': ['customer_id'],
        'email': ['email'],
        'phone': ['phone']
    }) }}
    union all
    {{ identifiers_of('shopify', 'orders_of_customers', {'email': ['email']}, observed_at='ordered_at') }}
)

select * from identifiers
