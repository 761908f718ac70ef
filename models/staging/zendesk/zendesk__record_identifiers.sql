{{ config(enabled=source_is_on('zendesk')) }}

with users as (
    select * from {{ ref('stg_zendesk__users') }}
    where not is_staff
),

identifiers as (
    select
        record_id,
        'zendesk_id' as identifier_type,
        user_id as identifier_value,
        created_at as observed_at,
        loaded_at
    from users
    union all
    select
        record_id,
        'user_id' as identifier_type,
        external_id as identifier_value,
        created_at as observed_at,
        loaded_at
    from users
    union all
    select
        record_id,
        'email' as identifier_type,
        email as identifier_value,
        created_at as observed_at,
        loaded_at
    from users
    union all
    select
        record_id,
        'phone' as identifier_type,
        phone as identifier_value,
        created_at as observed_at,
        loaded_at
    from users
),

final as (
    select
        record_id,
        'zendesk' as source,
        identifier_type,
        identifier_value,
        observed_at,
        loaded_at
    from identifiers
    where identifier_value is not null
)

select * from final
