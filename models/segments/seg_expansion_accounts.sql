select account_id
from {{ ref('accounts') }}
where
    won_opportunity_count > 0
    and open_opportunity_count = 0
    and open_ticket_count = 0
    and {{ any_person('people.activity_count_90d > 0', at_least=2) }}
