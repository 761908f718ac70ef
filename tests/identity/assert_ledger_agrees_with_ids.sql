-- The last move of every record in the ledger, of people and of companies, is the id it carries:
-- any past can be read back from it.
with latest_customers as (
    {{ assignments_as_of(ref('customer_id_changes'), 'customer_id', 2147483647) }}
),

latest_accounts as (
    {{ assignments_as_of(ref('account_id_changes'), 'account_id', 2147483647) }}
),

latest as (
    select record_id, customer_id as id from latest_customers
    union all
    select record_id, account_id as id from latest_accounts
),

held as (
    select record_id, customer_id as id from {{ ref('int_person_ids') }}
    union all
    select record_id, account_id as id from {{ ref('int_account_ids') }}
)

select coalesce(held.record_id, latest.record_id) as record_id
from held
full outer join latest on held.record_id = latest.record_id
where coalesce(held.id, 'none') <> coalesce(latest.id, 'none')
