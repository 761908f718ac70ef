with identifiers as (
    select * from {{ ref('record_identifiers') }}
),

person_ids as (
    select * from {{ ref('int_person_ids') }}
),

identifications as (
    select
        identifiers.identifier_type,
        identifiers.identifier_value,
        person_ids.customer_id,
        min(coalesce(identifiers.observed_at, identifiers.loaded_at)) as identified_at
    from identifiers
    inner join person_ids on person_ids.record_id = identifiers.record_id
    group by identifiers.identifier_type, identifiers.identifier_value, person_ids.customer_id
),

ordered as (
    select
        identifications.*,
        count(*) over (partition by identifier_type, identifier_value) as customer_count,
        row_number() over (
            partition by identifier_type, identifier_value
            order by identified_at asc nulls first, customer_id asc
        ) as place,
        lead(identified_at) over (
            partition by identifier_type, identifier_value
            order by identified_at asc nulls first, customer_id asc
        ) as next_identified_at
    from identifications
),

final as (
    select
        identifier_type,
        identifier_value,
        customer_id,
        customer_count,
        identified_at,
        case
            when place = 1 then cast('0001-01-01' as timestamp)
            else coalesce(identified_at, cast('0001-01-01' as timestamp))
        end as holds_from,
        case
            when place = customer_count then cast('9999-12-31' as timestamp)
            else coalesce(next_identified_at, cast('0001-01-01' as timestamp))
        end as holds_to
    from ordered
)

select * from final
