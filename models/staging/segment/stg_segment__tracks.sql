{{ config(enabled=source_is_on('segment'), materialized='table') }}

with source as (
    {{ staged_rows('segment', 'tracks', key='id', latest_by='received_at') }}
),

valued as (
    {{ clean_values('source', number=['"value"'], timestamp=['"timestamp"', 'original_timestamp', 'received_at']) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as track_id,
        {{ to_text('anonymous_id') }} as anonymous_id,
        {{ to_text('user_id') }} as user_id,
        {{ to_text('order_id') }} as order_id,
        {{ to_text('product_id') }} as product_id,

        -- attributes
        trim({{ regexp_replace_all("lower(coalesce(" ~ to_text('event') ~ ", " ~ to_text('event_text') ~ "))", '[^a-z0-9]+', '_') }}, '_') as event_name,
        category,
        case
            when lower({{ trimmed('context_device_type') }}) in ('mobile', 'ios', 'android', 'tablet')
                then 'mobile'
            else 'web'
        end as channel,

        -- measures
        clean_value as event_value,

        -- timestamps
        coalesce(clean_timestamp, clean_original_timestamp, clean_received_at) as occurred_at,
        clean_received_at as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
