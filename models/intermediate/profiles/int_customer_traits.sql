with customers as (
    select
        customer_id,
        count(*) as record_count
    from {{ ref('int_person_ids') }}
    group by customer_id
),

money as (
    select * from {{ ref('int_customer_money') }}
),

engagement as (
    select * from {{ ref('int_customer_engagement') }}
),

tickets as (
    select
        customer_id,
        count(*) as ticket_count,
        {{ count_where('is_open') }} as open_ticket_count
    from {{ ref('int_tickets') }}
    where customer_id is not null
    group by customer_id
),

joined as (
    select
        customers.customer_id,
        money.currency,
        coalesce(money.order_count, 0) as order_count,
        coalesce(money.orders_30d, 0) as orders_30d,
        coalesce(money.orders_90d, 0) as orders_90d,
        coalesce(money.orders_365d, 0) as orders_365d,
        coalesce(money.revenue_amount, 0) as revenue_amount,
        coalesce(money.revenue_30d_amount, 0) as revenue_30d_amount,
        coalesce(money.revenue_90d_amount, 0) as revenue_90d_amount,
        coalesce(money.revenue_365d_amount, 0) as revenue_365d_amount,
        money.average_order_amount,
        coalesce(money.other_currency_transaction_count, 0) as other_currency_transaction_count,
        money.first_order_at,
        money.last_order_at,
        coalesce(engagement.activity_count, 0) as activity_count,
        coalesce(engagement.activity_count_30d, 0) as activity_count_30d,
        coalesce(engagement.activity_count_90d, 0) as activity_count_90d,
        coalesce(engagement.activity_count_365d, 0) as activity_count_365d,
        coalesce(engagement.engagement_count_30d, 0) as engagement_count_30d,
        coalesce(engagement.engagement_count_90d, 0) as engagement_count_90d,
        coalesce(engagement.engagement_count_365d, 0) as engagement_count_365d,
        coalesce(engagement.email_responses_90d, 0) as email_responses_90d,
        engagement.first_activity_at,
        engagement.last_activity_at,
        engagement.last_engagement_at,
        coalesce(tickets.ticket_count, 0) as ticket_count,
        coalesce(tickets.open_ticket_count, 0) as open_ticket_count,
        case when money.order_count > 0 then money.order_count end as buyer_order_count,
        case when money.order_count > 0 then money.revenue_amount end as buyer_revenue_amount
    from customers
    left join money on money.customer_id = customers.customer_id
    left join engagement on engagement.customer_id = customers.customer_id
    left join tickets on tickets.customer_id = customers.customer_id
),

scored as (
    select
        joined.*,
        {{ score_in_fifths('last_order_at') }} as recency_score,
        {{ score_in_fifths('buyer_order_count') }} as frequency_score,
        {{ score_in_fifths('buyer_revenue_amount', partition_by='currency') }} as monetary_score,
        5 * engagement_count_30d + 2 * (engagement_count_90d - engagement_count_30d)
        + (engagement_count_365d - engagement_count_90d) as engagement_points
    from joined
),

final as (
    select
        customer_id,
        currency,
        cast(order_count as bigint) as order_count,
        cast(orders_30d as bigint) as orders_30d,
        cast(orders_90d as bigint) as orders_90d,
        cast(orders_365d as bigint) as orders_365d,
        cast(revenue_amount as numeric(18, 2)) as revenue_amount,
        cast(revenue_30d_amount as numeric(18, 2)) as revenue_30d_amount,
        cast(revenue_90d_amount as numeric(18, 2)) as revenue_90d_amount,
        cast(revenue_365d_amount as numeric(18, 2)) as revenue_365d_amount,
        average_order_amount,
        cast(other_currency_transaction_count as bigint) as other_currency_transaction_count,
        first_order_at,
        last_order_at,
        recency_score,
        frequency_score,
        monetary_score,
        case
            when order_count > 0 and first_order_at > {{ add_days(as_of(), -90) }} then 'new'
            when order_count > 0 and last_order_at > {{ add_days(as_of(), -90) }} then 'active'
            when order_count > 0 and last_order_at > {{ add_days(as_of(), -365) }} then 'at_risk'
            when order_count > 0 then 'lapsed'
            when engagement_count_90d > 0 then 'engaged'
            else 'prospect'
        end as lifecycle_stage,
        cast(
            floor(100.0 * engagement_points / (engagement_points + 50)) as integer
        ) as engagement_score,
        cast(activity_count as bigint) as activity_count,
        cast(activity_count_30d as bigint) as activity_count_30d,
        cast(activity_count_90d as bigint) as activity_count_90d,
        cast(activity_count_365d as bigint) as activity_count_365d,
        cast(email_responses_90d as bigint) as email_responses_90d,
        first_activity_at,
        last_activity_at,
        last_engagement_at,
        cast(ticket_count as bigint) as ticket_count,
        cast(open_ticket_count as bigint) as open_ticket_count
    from scored
)

select * from final
