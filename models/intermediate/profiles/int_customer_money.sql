with transactions as (
    select * from {{ ref('transactions') }}
    where
        is_revenue
        and customer_id is not null
),

per_currency as (
    select
        customer_id,
        currency,
        count(*) as transaction_count,
        {{ count_where('is_purchase') }} as order_count,
        {{ count_where('is_purchase and ' ~ is_within_days('occurred_at', 30)) }} as orders_30d,
        {{ count_where('is_purchase and ' ~ is_within_days('occurred_at', 90)) }} as orders_90d,
        {{ count_where('is_purchase and ' ~ is_within_days('occurred_at', 365)) }} as orders_365d,
        cast(sum(amount) as numeric(18, 2)) as revenue_amount,
        {{ sum_where('amount', is_within_days('occurred_at', 30)) }} as revenue_30d_amount,
        {{ sum_where('amount', is_within_days('occurred_at', 90)) }} as revenue_90d_amount,
        {{ sum_where('amount', is_within_days('occurred_at', 365)) }} as revenue_365d_amount,
        {{ sum_where('amount', 'is_purchase') }} as purchase_amount,
        min(case when is_purchase then occurred_at end) as first_order_at,
        max(case when is_purchase then occurred_at end) as last_order_at,
        max(occurred_at) as last_transaction_at
    from transactions
    group by customer_id, currency
),

ranked as (
    select
        per_currency.*,
        row_number() over (
            partition by customer_id
            order by
                case when currency is not null then 1 else 0 end desc,
                transaction_count desc,
                last_transaction_at desc nulls last,
                currency asc nulls last
        ) as currency_rank
    from per_currency
),

final as (
    select
        customer_id,
        max(case when currency_rank = 1 then currency end) as currency,
        cast(sum(order_count) as bigint) as order_count,
        cast(sum(orders_30d) as bigint) as orders_30d,
        cast(sum(orders_90d) as bigint) as orders_90d,
        cast(sum(orders_365d) as bigint) as orders_365d,
        max(case when currency_rank = 1 then revenue_amount end) as revenue_amount,
        max(case when currency_rank = 1 then revenue_30d_amount end) as revenue_30d_amount,
        max(case when currency_rank = 1 then revenue_90d_amount end) as revenue_90d_amount,
        max(case when currency_rank = 1 then revenue_365d_amount end) as revenue_365d_amount,
        max(
            case
                when currency_rank = 1 and order_count > 0
                    then cast({{ rounded_quotient('purchase_amount', 'order_count') }} as numeric(18, 2))
            end
        ) as average_order_amount,
        cast(
            sum(case when currency_rank > 1 then transaction_count else 0 end) as bigint
        ) as other_currency_transaction_count,
        min(first_order_at) as first_order_at,
        max(last_order_at) as last_order_at
    from ranked
    group by customer_id
)

select * from final
