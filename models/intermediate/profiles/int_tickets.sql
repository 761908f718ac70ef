with activities as (
    select * from {{ ref('activities') }}
    where
        activity in ('ticket_created', 'ticket_solved')
        and object_id is not null
),

final as (
    select
        object_id as ticket_id,
        max(case when activity = 'ticket_created' then customer_id end) as customer_id,
        max(account_id) as account_id,
        min(case when activity = 'ticket_created' then occurred_at end) as created_at,
        max(case when activity = 'ticket_solved' then occurred_at end) as solved_at,
        max(case when activity = 'ticket_solved' then 1 else 0 end) = 0 as is_open
    from activities
    group by object_id
)

select * from final
