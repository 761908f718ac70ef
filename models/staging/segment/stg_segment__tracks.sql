{{ config(enabled=source_is_on('segment'), materialized='table') }}

with source as (
    {{ staged_rows('segment', 'tracks', key='id', latest_by='received_at') }}
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
        case when lower(trim(context_device_type)) in ('mobile', 'ios', 'android', 'tablet') then 'mobile' else 'web' end as channel,

        -- measures
        {{ to_number('"value"') }} as event_value,

        -- timestamps
        coalesce(
            {{ to_timestamp('"timestamp"') }}, {{ to_timestamp('original_timestamp') }}, {{ to_timestamp('received_at') }}
        ) as occurred_at,
        {{ to_timestamp('received_at') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(number=['"value"'], timestamp=['"timestamp"', 'original_timestamp', 'received_at']) }} as unusable_values
    from source
)

select * from cleaned
