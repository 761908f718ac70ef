with accounts as (
    select distinct account_id from {{ ref('int_account_ids') }}
),

primary_accounts as (
    select
        customer_id,
        account_id
    from {{ ref('customer_accounts') }}
    where is_primary
),

transactions as (
    select * from {{ ref('transactions') }}
    where is_revenue
),

people as (
    select
        account_id,
        count(*) as customer_count
    from {{ ref('customer_accounts') }}
    group by account_id
),

account_transactions as (
    select
        coalesce(transactions.account_id, primary_accounts.account_id) as account_id,
        transactions.currency,
        transactions.amount,
        transactions.is_purchase,
        transactions.occurred_at
    from transactions
    left join primary_accounts on primary_accounts.customer_id = transactions.customer_id
    where coalesce(transactions.account_id, primary_accounts.account_id) is not null
),

per_currency as (
    select
        account_id,
        currency,
        count(*) as transaction_count,
        {{ count_where('is_purchase') }} as order_count,
        cast(sum(amount) as numeric(18, 2)) as revenue_amount,
        {{ sum_where('amount', is_within_days('occurred_at', 365)) }} as revenue_365d_amount,
        max(case when is_purchase then occurred_at end) as last_order_at,
        max(occurred_at) as last_transaction_at
    from account_transactions
    group by account_id, currency
),

ranked as (
    select
        per_currency.*,
        row_number() over (
            partition by account_id
            order by
                case when currency is not null then 1 else 0 end desc,
                transaction_count desc,
                last_transaction_at desc nulls last,
                currency asc nulls last
        ) as currency_rank
    from per_currency
),

money as (
    select
        account_id,
        max(case when currency_rank = 1 then currency end) as currency,
        sum(order_count) as order_count,
        max(case when currency_rank = 1 then revenue_amount end) as revenue_amount,
        max(case when currency_rank = 1 then revenue_365d_amount end) as revenue_365d_amount,
        sum(
            case when currency_rank > 1 then transaction_count else 0 end
        ) as other_currency_transaction_count,
        max(last_order_at) as last_order_at
    from ranked
    group by account_id
),

opportunities as (
    select
        account_id,
        {{ count_where('is_open') }} as open_opportunity_count,
        {{ count_where('is_won') }} as won_opportunity_count,
        {{ sum_where('coalesce(amount, 0)', 'is_open') }} as open_opportunity_amount,
        {{ sum_where('coalesce(amount, 0)', 'is_won') }} as won_amount,
        max(case when is_won then closed_at end) as last_won_at
    from {{ ref('int_opportunities') }}
    where account_id is not null
    group by account_id
),

ticket_accounts as (
    select
        coalesce(tickets.account_id, primary_accounts.account_id) as account_id,
        tickets.is_open,
        tickets.created_at
    from {{ ref('int_tickets') }} as tickets
    left join primary_accounts on primary_accounts.customer_id = tickets.customer_id
),

tickets as (
    select
        account_id,
        {{ count_where('is_open') }} as open_ticket_count,
        {{ count_where(is_within_days('created_at', 90)) }} as tickets_90d
    from ticket_accounts
    where account_id is not null
    group by account_id
),

own_activities as (
    select
        account_id,
        max(occurred_at) as last_activity_at
    from {{ ref('activities') }}
    where
        account_id is not null
        and occurred_at <= {{ as_of() }}
    group by account_id
),

people_activities as (
    select
        primary_accounts.account_id,
        {{ count_where('engagement.engagement_count_90d > 0') }} as active_customer_count_90d,
        max(engagement.last_activity_at) as last_activity_at
    from primary_accounts
    inner join {{ ref('int_customer_engagement') }} as engagement on engagement.customer_id = primary_accounts.customer_id
    group by primary_accounts.account_id
),

final as (
    select
        accounts.account_id,
        cast(coalesce(people.customer_count, 0) as bigint) as customer_count,
        cast(
            coalesce(people_activities.active_customer_count_90d, 0) as bigint
        ) as active_customer_count_90d,
        cast(coalesce(opportunities.open_opportunity_count, 0) as bigint) as open_opportunity_count,
        cast(
            coalesce(opportunities.open_opportunity_amount, 0) as numeric(18, 2)
        ) as open_opportunity_amount,
        cast(coalesce(opportunities.won_opportunity_count, 0) as bigint) as won_opportunity_count,
        cast(coalesce(opportunities.won_amount, 0) as numeric(18, 2)) as won_amount,
        opportunities.last_won_at,
        cast(coalesce(tickets.open_ticket_count, 0) as bigint) as open_ticket_count,
        cast(coalesce(tickets.tickets_90d, 0) as bigint) as tickets_90d,
        money.currency,
        cast(coalesce(money.order_count, 0) as bigint) as order_count,
        cast(coalesce(money.revenue_amount, 0) as numeric(18, 2)) as revenue_amount,
        cast(coalesce(money.revenue_365d_amount, 0) as numeric(18, 2)) as revenue_365d_amount,
        cast(
            coalesce(money.other_currency_transaction_count, 0) as bigint
        ) as other_currency_transaction_count,
        money.last_order_at,
        case
            when own_activities.last_activity_at is null then people_activities.last_activity_at
            when people_activities.last_activity_at is null then own_activities.last_activity_at
            else greatest(own_activities.last_activity_at, people_activities.last_activity_at)
        end as last_activity_at
    from accounts
    left join people on people.account_id = accounts.account_id
    left join people_activities on people_activities.account_id = accounts.account_id
    left join opportunities on opportunities.account_id = accounts.account_id
    left join tickets on tickets.account_id = accounts.account_id
    left join money on money.account_id = accounts.account_id
    left join own_activities on own_activities.account_id = accounts.account_id
)

select * from final
