-- Whoever reads the evidence never finds a link whose ends belong to different customers or
-- accounts.
with links as (
    select * from {{ ref('identity_links') }}
),

owners as (
    select record_id, customer_id as entity_id from {{ ref('int_person_ids') }}
    union all
    select record_id, account_id as entity_id from {{ ref('int_account_ids') }}
)

select links.link_id
from links
inner join owners as l on links.record_id_l = l.record_id
inner join owners as r on links.record_id_r = r.record_id
where l.entity_id <> r.entity_id
