{{ config(enabled=source_is_on('shopify')) }}

with transactions as (
    select * from {{ ref('shopify__record_transactions') }}
),

orders as (
    select
        'shopify:order:' || order_id as order_id,
        customer_id,
        email,
        source_name
    from {{ ref('stg_shopify__orders') }}
),

-- `products` lists each title once
ordered_items as (
    select
        'shopify:order:' || order_id as order_id,
        sum(quantity) as item_count,
        string_agg(distinct product_title, ', ' order by product_title) as products
    from {{ ref('stg_shopify__order_lines') }}
    group by order_id
),

activities as (
    select
        transactions.transaction_id || ':' || case
            when transactions.type = 'refund' then 'order_refunded'
            else 'order_placed'
        end as activity_id,
        'shopify' as source,
        transactions.occurred_at,
        case
            when transactions.type = 'refund' then 'order_refunded'
            else 'order_placed'
        end as activity,
        case
            when orders.source_name in ('pos', 'point_of_sale') then 'store'
            else 'shop'
        end as channel,
        transactions.record_id,
        null as account_record_id,
        case
            when transactions.record_id is not null then null
            when orders.email is not null then 'email'
            when orders.customer_id is not null then 'shopify_id'
        end as identifier_type,
        case
            when transactions.record_id is null then coalesce(orders.email, orders.customer_id)
        end as identifier_value,
        transactions.order_id as object_id,
        {{ json_object({
            'amount': 'transactions.amount', 'currency': 'transactions.currency', 'status': 'transactions.status',
            'item_count': "case when transactions.type = 'order' then ordered_items.item_count end",
            'products': "case when transactions.type = 'order' then ordered_items.products end",
        }) }} as feature_json,
        case when transactions.is_revenue then transactions.amount end as revenue_impact,
        null as link,
        transactions.loaded_at
    from transactions
    left join orders
        on orders.order_id = transactions.order_id
    left join ordered_items
        on ordered_items.order_id = transactions.order_id
    where
        transactions.occurred_at is not null
        and (
            transactions.record_id is not null
            or orders.email is not null
            or orders.customer_id is not null
        )
)

select * from activities
