{{ config(enabled=source_is_on('shopify')) }}

with customers as (
    select * from {{ ref('stg_shopify__customers') }}
),

orders as (
    select * from {{ ref('stg_shopify__orders') }}
    where not is_test and not is_deleted
),

left_out_orders as (
    select order_id
    from {{ ref('stg_shopify__orders') }}
    where is_test or is_deleted
),

refunds as (
    select * from {{ ref('stg_shopify__refunds') }}
),

-- the REST layout names no amount of a refund: it is what was given back by line and by adjustment
refunded_lines as (
    select
        refund_id,
        sum(coalesce(amount, 0) + coalesce(tax_amount, 0)) as amount
    from {{ ref('stg_shopify__order_line_refunds') }}
    group by refund_id
),

refund_adjustments as (
    select
        refund_id,
        sum(coalesce(amount, 0) + coalesce(tax_amount, 0)) as amount
    from {{ ref('stg_shopify__order_adjustments') }}
    group by refund_id
),

decided_orders as (
    select
        orders.*,
        customers.record_id,
        case
            when orders.cancelled_at is not null or orders.financial_status in ('voided', 'expired')
                then 'cancelled'
            when orders.financial_status in ('paid', 'partially_refunded') then 'paid'
            when orders.financial_status = 'refunded' then 'refunded'
            else 'pending'
        end as status
    from orders
    left join customers
        on customers.customer_id = orders.customer_id
),

transactions as (
    select
        'shopify:order:' || order_id as transaction_id,
        record_id,
        'order' as type,
        amount,
        currency,
        ordered_at as occurred_at,
        status,
        status in ('paid', 'refunded') as is_revenue,
        'shopify:order:' || order_id as order_id,
        loaded_at
    from decided_orders
    union all
    select
        'shopify:refund:' || refunds.refund_id as transaction_id,
        decided_orders.record_id,
        'refund' as type,
        -coalesce(
            refunds.amount,
            case
                when
                    refunded_lines.refund_id is not null
                    or refund_adjustments.refund_id is not null
                    then coalesce(refunded_lines.amount, 0) - coalesce(refund_adjustments.amount, 0)
            end
        ) as amount,
        coalesce(refunds.currency, decided_orders.currency) as currency,
        refunds.refunded_at as occurred_at,
        'refunded' as status,
        -- money of an order that never counted cannot be taken off again
        coalesce(decided_orders.status in ('paid', 'refunded'), false) as is_revenue,
        'shopify:order:' || refunds.order_id as order_id,
        refunds.loaded_at
    from refunds
    left join refunded_lines
        on refunded_lines.refund_id = refunds.refund_id
    left join refund_adjustments
        on refund_adjustments.refund_id = refunds.refund_id
    left join decided_orders
        on decided_orders.order_id = refunds.order_id
    left join left_out_orders
        on left_out_orders.order_id = refunds.order_id
    where left_out_orders.order_id is null
),

final as (
    select
        transaction_id,
        'shopify' as source,
        record_id,
        null as account_record_id,
        type,
        amount,
        currency,
        occurred_at,
        status,
        is_revenue,
        order_id,
        loaded_at
    from transactions
)

select * from final
