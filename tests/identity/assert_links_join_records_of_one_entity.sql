-- Whoever reads the evidence never finds a link whose ends belong to different customers or
-- accounts, or to another one than it says, and no link that the matching made is missing.
with links as (
    select * from {{ ref('identity_links') }}
),

owners as (
    select record_id, customer_id as entity_id from {{ ref('int_person_ids') }}
    union all
    select record_id, account_id as entity_id from {{ ref('int_account_ids') }}
),

made as (
    select record_id_l, record_id_r from {{ ref('int_person_links_scored') }}
    union
    select record_id_l, record_id_r from {{ ref('int_account_links_scored') }}
),

misplaced as (
    select
        links.record_id_l,
        links.record_id_r
    from links
    left join owners as l on links.record_id_l = l.record_id
    left join owners as r on links.record_id_r = r.record_id
    where
        coalesce(l.entity_id, 'none') <> coalesce(links.customer_id, links.account_id)
        or coalesce(r.entity_id, 'none') <> coalesce(links.customer_id, links.account_id)
),

missing as (
    select
        made.record_id_l,
        made.record_id_r
    from made
    left join links
        on
            made.record_id_l = links.record_id_l
            and made.record_id_r = links.record_id_r
    where links.record_id_l is null
)

select
    record_id_l,
    record_id_r
from misplaced
union all
select
    record_id_l,
    record_id_r
from missing
