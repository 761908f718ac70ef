-- A steward finds every decision in force: records that must be one carry one id, records that must
-- not carry two.
with decisions as (
    select decision, record_id_l, record_id_r from {{ ref('int_person_overrides') }}
    union all
    select decision, record_id_l, record_id_r from {{ ref('int_account_overrides') }}
),

held as (
    select record_id, customer_id as id from {{ ref('int_person_ids') }}
    union all
    select record_id, account_id as id from {{ ref('int_account_ids') }}
)

select
    decisions.decision,
    decisions.record_id_l,
    decisions.record_id_r
from decisions
inner join held as l on decisions.record_id_l = l.record_id
inner join held as r on decisions.record_id_r = r.record_id
where
    (decisions.decision = 'must_link' and l.id <> r.id)
    or (decisions.decision = 'cannot_link' and l.id = r.id)
