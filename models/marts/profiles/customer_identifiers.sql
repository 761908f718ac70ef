with identifiers as (
    select * from {{ ref('record_identifiers') }}
),

person_ids as (
    select * from {{ ref('int_person_ids') }}
),

junk_identifiers as (
    select distinct
        identifier_type,
        identifier_value
    from {{ ref('int_person_junk_identifiers') }}
),

grouped as (
    select
        person_ids.customer_id,
        identifiers.identifier_type,
        identifiers.identifier_value,
        {{ dbt.listagg('distinct identifiers.source', "', '", 'order by identifiers.source') }} as sources,
        count(distinct identifiers.record_id) as record_count,
        min(identifiers.observed_at) as first_seen_at,
        max(identifiers.observed_at) as last_seen_at
    from identifiers
    inner join person_ids on person_ids.record_id = identifiers.record_id
    left join junk_identifiers
        on
            junk_identifiers.identifier_type = identifiers.identifier_type
            and junk_identifiers.identifier_value = identifiers.identifier_value
    where junk_identifiers.identifier_value is null
    group by person_ids.customer_id, identifiers.identifier_type, identifiers.identifier_value
),

final as (
    select * from grouped
)

select * from final
