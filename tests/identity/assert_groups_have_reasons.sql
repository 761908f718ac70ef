-- Nobody is merged without a recorded reason: a record that shares its id with others has a link to
-- one of them, and records of one cluster share one id.
with clusters as (
    select record_id, 'person ' || cluster_label as cluster_label
    from {{ ref('int_person_clusters') }}
    union all
    select record_id, 'account ' || cluster_label as cluster_label
    from {{ ref('int_account_clusters') }}
),

held as (
    select record_id, customer_id as id from {{ ref('int_person_ids') }}
    union all
    select record_id, account_id as id from {{ ref('int_account_ids') }}
),

shared as (
    select
        id,
        count(*) as record_count
    from held
    group by id
),

linked as (
    select record_id_l as record_id from {{ ref('identity_links') }}
    union
    select record_id_r as record_id from {{ ref('identity_links') }}
),

without_link as (
    select held.record_id
    from held
    inner join shared on held.id = shared.id
    left join linked on held.record_id = linked.record_id
    where
        shared.record_count > 1
        and linked.record_id is null
),

torn_apart as (
    select min(held.record_id) as record_id
    from held
    inner join clusters on held.record_id = clusters.record_id
    group by clusters.cluster_label
    having count(distinct held.id) > 1
),

thrown_together as (
    select min(held.record_id) as record_id
    from held
    inner join clusters on held.record_id = clusters.record_id
    group by held.id
    having count(distinct clusters.cluster_label) > 1
)

select record_id from without_link
union all
select record_id from torn_apart
union all
select record_id from thrown_together
