{{ config(enabled=source_is_on('segment'), materialized='table') }}

with source as (
    {{ staged_rows('segment', 'tracks', key='id', latest_by='received_at') }}
),

-- each moment is read once: these tables are the longest of all
timed as (
    select
        source.*,
        {{ to_timestamp('"timestamp"') }} as corrected_at,
        {{ to_timestamp('original_timestamp') }} as device_at,
        {{ to_timestamp('received_at') }} as loaded_at
    from source {{ made_once() }}
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
        {{ to_number('"value"') }} as event_value,

        -- timestamps
        coalesce(corrected_at, device_at, loaded_at) as occurred_at,
        loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(number=['"value"'], others=[
            ['"timestamp"', 'invalid_timestamp', 'corrected_at'],
            ['original_timestamp', 'invalid_timestamp', 'device_at'],
            ['received_at', 'invalid_timestamp', 'loaded_at']
        ]) }} as unusable_values
    from timed
)

select * from cleaned
