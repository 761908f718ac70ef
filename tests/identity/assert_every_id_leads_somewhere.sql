-- Whoever kept an id, of a customer or an account, finds it in the map: as one in use, as one that
-- leads to another in use, or as retired. No id that the ledger ever named is missing.
with customer_changes as (
    select * from {{ ref('customer_id_changes') }}
),

account_changes as (
    select * from {{ ref('account_id_changes') }}
),

person_ids as (
    select * from {{ ref('int_person_ids') }}
),

account_ids as (
    select * from {{ ref('int_account_ids') }}
),

id_map as (
    select customer_id as id, current_customer_id as current_id, status
    from {{ ref('customer_id_map') }}
    union all
    select account_id as id, current_account_id as current_id, status
    from {{ ref('account_id_map') }}
),

-- one line for each place an id is told of: it is grouped, as no plan of that is a bad one
places as (
    select to_customer_id as id, 'named' as place, null as current_id from customer_changes
    union all
    select from_customer_id as id, 'named' as place, null as current_id from customer_changes
    union all
    select to_account_id as id, 'named' as place, null as current_id from account_changes
    union all
    select from_account_id as id, 'named' as place, null as current_id from account_changes
    union all
    select customer_id as id, 'in use' as place, null as current_id from person_ids
    union all
    select account_id as id, 'in use' as place, null as current_id from account_ids
    union all
    select id, status as place, current_id from id_map
    union all
    select current_id as id, 'goal' as place, null as current_id from id_map
    where status = 'merged'
),

ids as (
    select
        id,
        max(current_id) as current_id,
        max(case when place = 'named' then 1 else 0 end) as is_named,
        max(case when place = 'in use' then 1 else 0 end) as is_in_use,
        max(case when place = 'goal' then 1 else 0 end) as is_goal,
        max(case when place = 'current' then 1 else 0 end) as is_current,
        max(case when place = 'merged' then 1 else 0 end) as is_merged,
        max(case when place = 'retired' then 1 else 0 end) as is_retired
    from places
    where id is not null
    group by id
)

select id
from ids
where
    (is_named = 1 and is_current + is_merged + is_retired = 0)
    or (is_named = 1 and is_current <> is_in_use)
    or (is_goal = 1 and is_in_use = 0)
    or (is_merged = 1 and (current_id is null or current_id = id))
    or (is_retired = 1 and current_id is not null)
