-- Question: which channel brings customers, and which brings customers who spend?
-- Read: one row a channel and currency. `customer_count` came by that channel (their first activity
-- that was
-- not merely something sent to them); compare `buyer_count` and `revenue_per_buyer` between
-- channels.
with first_activities as (
    select
        customer_id,
        channel,
        row_number() over (
            partition by customer_id
            order by occurred_at asc, activity_id asc
        ) as place
    from {{ ref('activities') }}
    where
        customer_id is not null
        and {{ is_engagement('activity') }}
),

customers as (
    select * from {{ ref('customers') }}
),

final as (
    select
        first_activities.channel,
        coalesce(customers.currency, 'no purchase') as currency,
        count(*) as customer_count,
        {{ count_where('customers.order_count > 0') }} as buyer_count,
        sum(customers.revenue_amount) as revenue_amount,
        cast(round(cast({{ safe_divide('sum(customers.revenue_amount)', count_where('customers.order_count > 0')) }} as numeric(28, 6)), 2) as numeric(18, 2)) as revenue_per_buyer
    from first_activities
    inner join customers on customers.customer_id = first_activities.customer_id
    where first_activities.place = 1
    group by first_activities.channel, coalesce(customers.currency, 'no purchase')
)

select * from final
order by channel asc, customer_count desc, currency asc
