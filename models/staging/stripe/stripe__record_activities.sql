{{ config(enabled=source_is_on('stripe')) }}

with transactions as (
    select * from {{ ref('stripe__record_transactions') }}
),

subscriptions as (
    select * from {{ ref('stg_stripe__subscriptions') }}
    where not is_test
),

activities as (
    select
        transaction_id as object_id,
        case
            when type = 'invoice' then 'invoice_paid'
            when type = 'refund' then 'order_refunded'
            when status = 'paid' then 'payment_succeeded'
            else 'payment_failed'
        end as activity,
        record_id,
        occurred_at,
        case when is_revenue then amount end as revenue_impact,
        {{ json_object({'amount': 'amount', 'currency': 'currency', 'status': 'status'}) }} as feature_json,
        loaded_at
    from transactions
    where
        (type = 'invoice' and status = 'paid')
        or (type = 'refund' and status = 'refunded')
        or (type = 'charge' and status in ('paid', 'failed'))
    union all
    select
        'stripe:subscription:' || subscription_id as object_id,
        'subscription_started' as activity,
        'stripe:customer:' || customer_id as record_id,
        started_at as occurred_at,
        null as revenue_impact,
        {{ json_object({'status': 'status', 'quantity': 'quantity'}) }} as feature_json,
        loaded_at
    from subscriptions
    union all
    select
        'stripe:subscription:' || subscription_id as object_id,
        'subscription_cancelled' as activity,
        'stripe:customer:' || customer_id as record_id,
        coalesce(ended_at, cancelled_at) as occurred_at,
        null as revenue_impact,
        {{ json_object({'status': 'status', 'quantity': 'quantity'}) }} as feature_json,
        loaded_at
    from subscriptions
    where coalesce(ended_at, cancelled_at) is not null
),

final as (
    select
        object_id || ':' || activity as activity_id,
        'stripe' as source,
        occurred_at,
        activity,
        'billing' as channel,
        record_id,
        null as account_record_id,
        null as identifier_type,
        null as identifier_value,
        object_id,
        feature_json,
        revenue_impact,
        null as link,
        loaded_at
    from activities
    where occurred_at is not null and record_id is not null
)

select * from final
