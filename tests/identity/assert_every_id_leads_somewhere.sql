-- Whoever kept an id, of a customer or an account, finds it in the map: as one in use, as one that
-- leads to another in use, or as retired. No id that the ledger ever named is missing.
with customer_changes as (
    select * from {{ ref('customer_id_changes') }}
),

account_changes as (
    select * from {{ ref('account_id_changes') }}
),

named as (
    select to_customer_id as id from customer_changes
    union
    select from_customer_id as id from customer_changes
    union
    select to_account_id as id from account_changes
    union
    select from_account_id as id from account_changes
),

in_use as (
    select customer_id as id from {{ ref('int_person_ids') }}
    union
    select account_id as id from {{ ref('int_account_ids') }}
),

leads as (
    select customer_id as id, current_customer_id as current_id, status
    from {{ ref('customer_id_map') }}
    union all
    select account_id as id, current_account_id as current_id, status
    from {{ ref('account_id_map') }}
),

judged as (
    select
        named.id,
        leads.id is null as is_missing,
        (leads.status = 'current') <> (in_use.id is not null) as is_current_wrongly,
        leads.status = 'merged'
        and (leads.current_id = named.id or goals.id is null) as leads_nowhere,
        leads.status = 'retired' and leads.current_id is not null as is_retired_wrongly
    from named
    left join leads on named.id = leads.id
    left join in_use on named.id = in_use.id
    left join in_use as goals on leads.current_id = goals.id
    where named.id is not null
)

select id
from judged
where is_missing or is_current_wrongly or leads_nowhere or is_retired_wrongly
