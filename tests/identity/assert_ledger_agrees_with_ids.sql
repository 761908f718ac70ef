-- The last move of every record in the ledger is the id it carries: any past can be read back from
-- it.
with changes as (
    select * from {{ ref('customer_id_changes') }}
),

moves as (
    select
        record_id,
        to_customer_id,
        row_number() over (partition by record_id order by generation desc) as newest
    from changes
    where event = 'record_moved'
),

latest as (
    select
        record_id,
        to_customer_id
    from moves
    where newest = 1
),

ids as (
    select * from {{ ref('int_person_ids') }}
)

select coalesce(ids.record_id, latest.record_id) as record_id
from ids
full outer join latest on ids.record_id = latest.record_id
where coalesce(ids.customer_id, 'none') <> coalesce(latest.to_customer_id, 'none')
