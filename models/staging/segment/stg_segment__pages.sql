{{ config(enabled=source_is_on('segment'), materialized='table') }}

with source as (
    {{ staged_rows('segment', 'pages', key='id', latest_by='received_at') }}
),

valued as (
    {{ clean_values('source', timestamp=['"timestamp"', 'original_timestamp', 'received_at']) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as page_view_id,
        {{ to_text('anonymous_id') }} as anonymous_id,
        {{ to_text('user_id') }} as user_id,

        -- attributes
        path,
        url,
        case
            when lower({{ trimmed('context_device_type') }}) in ('mobile', 'ios', 'android', 'tablet')
                then 'mobile'
            else 'web'
        end as channel,

        -- timestamps
        coalesce(clean_timestamp, clean_original_timestamp, clean_received_at) as occurred_at,
        clean_received_at as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
