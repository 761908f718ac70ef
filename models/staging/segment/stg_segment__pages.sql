{{ config(enabled=source_is_on('segment'), materialized='table') }}

with source as (
    {{ staged_rows('segment', 'pages', key='id', latest_by='received_at') }}
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
        coalesce(corrected_at, device_at, loaded_at) as occurred_at,
        loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(others=[
            ['"timestamp"', 'invalid_timestamp', 'corrected_at'],
            ['original_timestamp', 'invalid_timestamp', 'device_at'],
            ['received_at', 'invalid_timestamp', 'loaded_at']
        ]) }} as unusable_values
    from timed
)

select * from cleaned
