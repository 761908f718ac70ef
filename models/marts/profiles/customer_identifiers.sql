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

per_source as (
    select
        person_ids.customer_id,
        identifiers.identifier_type,
        identifiers.identifier_value,
        identifiers.source,
        count(*) as record_count,
        min(identifiers.observed_at) as first_seen_at,
        max(identifiers.observed_at) as last_seen_at
    from identifiers
    inner join person_ids on person_ids.record_id = identifiers.record_id
    left join junk_identifiers
        on
            junk_identifiers.identifier_type = identifiers.identifier_type
            and junk_identifiers.identifier_value = identifiers.identifier_value
    where junk_identifiers.identifier_value is null
    group by
        person_ids.customer_id,
        identifiers.identifier_type,
        identifiers.identifier_value,
        identifiers.source
),

final as (
    select
        customer_id,
        identifier_type,
        identifier_value,
        {{ dbt.listagg('source', "', '", 'order by source') }} as sources,
        cast(sum(record_count) as bigint) as record_count,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from per_source
    group by customer_id, identifier_type, identifier_value
)

select * from final
