with recursive person_ids as (
    select * from {{ ref('int_person_ids') }}
),

links as (
    select
        record_id_l,
        record_id_r
    from {{ ref('identity_links') }}
    where
        entity = 'person'
        and link_type = 'deterministic'
),

-- Links inside one customer, in both directions.
neighbours as (
    select
        links.record_id_l as record_id,
        links.record_id_r as neighbour_id
    from links
    inner join person_ids as ids_l on ids_l.record_id = links.record_id_l
    inner join person_ids as ids_r
        on
            ids_r.record_id = links.record_id_r
            and ids_r.customer_id = ids_l.customer_id
    union
    select
        links.record_id_r as record_id,
        links.record_id_l as neighbour_id
    from links
    inner join person_ids as ids_l on ids_l.record_id = links.record_id_l
    inner join person_ids as ids_r
        on
            ids_r.record_id = links.record_id_r
            and ids_r.customer_id = ids_l.customer_id
),

-- The smallest record of a component reaches all of it, as each step leads to a greater record than
-- it.
reached as (
    select
        record_id,
        record_id as component_id
    from person_ids
    union
    select
        neighbours.neighbour_id as record_id,
        reached.component_id
    from reached
    inner join neighbours on neighbours.record_id = reached.record_id
    where reached.component_id < neighbours.neighbour_id
),

final as (
    select
        person_ids.record_id,
        person_ids.customer_id,
        min(reached.component_id) as component_id
    from person_ids
    inner join reached on reached.record_id = person_ids.record_id
    group by person_ids.record_id, person_ids.customer_id
)

select * from final
