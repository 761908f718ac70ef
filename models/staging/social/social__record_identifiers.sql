{{ config(enabled=source_is_on('social')) }}

with submissions as (
    select * from {{ ref('stg_social__lead_form_submissions') }}
),

identifiers as (
    select
        record_id,
        'social_profile_id' as identifier_type,
        social_profile_id as identifier_value,
        submitted_at as observed_at,
        loaded_at
    from submissions
    union all
    select
        record_id,
        'email' as identifier_type,
        email as identifier_value,
        submitted_at as observed_at,
        loaded_at
    from submissions
    union all
    select
        record_id,
        'phone' as identifier_type,
        phone as identifier_value,
        submitted_at as observed_at,
        loaded_at
    from submissions
),

final as (
    select
        record_id,
        'social' as source,
        identifier_type,
        identifier_value,
        observed_at,
        loaded_at
    from identifiers
    where identifier_value is not null
)

select * from final
