{{ config(enabled=source_is_on('consent_platform'), materialized='table') }}

with source as (
    {{ staged_rows('consent_platform', 'gpc_signal', key='signal_id', latest_by='loaded_at') }}
),

valued as (
    {{ clean_values('source', boolean=['is_enabled'], timestamp=['occurred_at', 'loaded_at']) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as signal_id,
        {{ to_text('anonymous_id') }} as anonymous_id,
        {{ to_text('user_id') }} as user_id,

        -- attributes
        {{ to_text('brand') }} as brand,
        {{ to_upper(to_text('jurisdiction')) }} as jurisdiction,

        -- flags
        clean_is_enabled as is_enabled,

        -- timestamps
        clean_occurred_at as occurred_at,
        clean_loaded_at as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
