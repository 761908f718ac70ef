with person_links as (
    select * from {{ ref('int_person_links_scored') }}
),

account_links as (
    select * from {{ ref('int_account_links_scored') }}
),

person_ids as (
    select * from {{ ref('int_person_ids') }}
),

account_ids as (
    select * from {{ ref('int_account_ids') }}
),

of_people as (
    select
        'person' as entity,
        person_links.record_id_l,
        person_links.record_id_r,
        person_links.link_type,
        person_links.rule,
        person_links.match_weight,
        person_links.field_weights,
        person_links.field_levels,
        person_links.rule_version,
        person_links.model_version,
        ids_l.customer_id,
        cast(null as text) as account_id,
        greatest(ids_l.generation, ids_r.generation) as generation
    from person_links
    inner join person_ids as ids_l on person_links.record_id_l = ids_l.record_id
    inner join person_ids as ids_r on person_links.record_id_r = ids_r.record_id
),

of_companies as (
    select
        'account' as entity,
        account_links.record_id_l,
        account_links.record_id_r,
        account_links.link_type,
        account_links.rule,
        account_links.match_weight,
        account_links.field_weights,
        account_links.field_levels,
        account_links.rule_version,
        account_links.model_version,
        cast(null as text) as customer_id,
        ids_l.account_id,
        greatest(ids_l.generation, ids_r.generation) as generation
    from account_links
    inner join account_ids as ids_l on account_links.record_id_l = ids_l.record_id
    inner join account_ids as ids_r on account_links.record_id_r = ids_r.record_id
),

together as (
    select * from of_people
    union all
    select * from of_companies
),

links as (
    select
        cast({{ generate_surrogate_key(['entity', 'record_id_l', 'record_id_r', 'link_type', 'rule']) }} as text)
            as link_id,
        cast(entity as text) as entity,
        record_id_l,
        record_id_r,
        link_type,
        rule,
        match_weight,
        field_weights,
        field_levels,
        rule_version,
        model_version,
        customer_id,
        account_id,
        cast(generation as bigint) as generation
    from together
)

select * from links
