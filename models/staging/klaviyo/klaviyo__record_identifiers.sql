{{ config(enabled=source_is_on('klaviyo')) }}

with persons as (
    select * from {{ ref('stg_klaviyo__persons') }}
),

identifiers as (
    select
        record_id,
        'klaviyo_id' as identifier_type,
        person_id as identifier_value,
        created_at as observed_at,
        loaded_at
    from persons
    union all
    select
        record_id,
        'email' as identifier_type,
        email as identifier_value,
        created_at as observed_at,
        loaded_at
    from persons
    union all
    select
        record_id,
        'phone' as identifier_type,
        phone as identifier_value,
        created_at as observed_at,
        loaded_at
    from persons
),

final as (
    select
        record_id,
        'klaviyo' as source,
        identifier_type,
        identifier_value,
        observed_at,
        loaded_at
    from identifiers
    where identifier_value is not null
)

select * from final
