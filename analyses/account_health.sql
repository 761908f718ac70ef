-- Question: which accounts with business on the table are unhappy or gone quiet?
-- Read: one row an account with an open opportunity, the most worrying first. `concern` says what
-- to talk
-- about before the next sales call.
with accounts as (
    select * from {{ ref('accounts') }}
    where open_opportunity_count > 0
),

final as (
    select
        account_id,
        name,
        open_opportunity_count,
        open_opportunity_amount,
        open_ticket_count,
        tickets_90d,
        customer_count,
        active_customer_count_90d,
        revenue_365d_amount,
        currency,
        last_activity_at,
        case
            when open_ticket_count > 0 and active_customer_count_90d = 0
                then 'open tickets and nobody active'
            when open_ticket_count > 0 then 'open tickets'
            when customer_count > 0 and active_customer_count_90d = 0 then 'nobody active'
            when customer_count = 0 then 'no contact known'
            else 'none'
        end as concern
    from accounts
)

select * from final
order by
    case concern
        when 'open tickets and nobody active' then 1
        when 'open tickets' then 2
        when 'nobody active' then 3
        when 'no contact known' then 4
        else 5
    end asc,
    open_opportunity_amount desc,
    account_id asc
