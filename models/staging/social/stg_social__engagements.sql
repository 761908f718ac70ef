{{ config(enabled=source_is_on('social'), materialized='table') }}

with source as (
    {{ staged_rows('social', 'engagement', key='id', latest_by='loaded_at') }}
),

valued as (
    {{ clean_values('source', timestamp=['occurred_at', 'loaded_at']) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as engagement_id,
        {{ to_text('post_id') }} as post_id,
        lower({{ to_text('platform') }}) || ':' || {{ to_text('profile_id') }} as social_profile_id,

        -- attributes
        lower({{ to_text('platform') }}) as platform,
        lower({{ to_text('"action"') }}) as engagement_type,
        {{ to_text('post_url') }} as post_url,

        -- timestamps
        clean_occurred_at as occurred_at,
        clean_loaded_at as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
