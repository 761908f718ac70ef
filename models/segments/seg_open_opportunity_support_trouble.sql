select account_id
from {{ ref('accounts') }}
where
    open_opportunity_count > 0
    and (open_ticket_count > 0 or tickets_90d >= 3)
