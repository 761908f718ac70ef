with activities as (
    select
        activities.*,
        {{ try_cast(json_value('feature_json', 'amount'), 'numeric(18, 2)') }} as amount,
        {{ json_value('feature_json', 'currency') }} as currency
    from {{ ref('activities') }} as activities
    where
        activity in ('opportunity_created', 'opportunity_won', 'opportunity_lost')
        and object_id is not null
),

final as (
    select
        object_id as opportunity_id,
        max(account_id) as account_id,
        max(customer_id) as customer_id,
        max(currency) as currency,
        coalesce(max(amount), max(revenue_impact)) as amount,
        max(case when activity = 'opportunity_won' then 1 else 0 end) = 1 as is_won,
        max(
            case when activity in ('opportunity_won', 'opportunity_lost') then 1 else 0 end
        ) = 0 as is_open,
        min(case when activity = 'opportunity_created' then occurred_at end) as created_at,
        max(
            case when activity in ('opportunity_won', 'opportunity_lost') then occurred_at end
        ) as closed_at
    from activities
    group by object_id
)

select * from final
