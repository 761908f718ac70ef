{{ config(enabled=source_is_on('pos'), materialized='table') }}

with source as (
    {{ staged_rows('pos', 'store_visit', key='visit_id', latest_by='loaded_at') }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as visit_id,
        {{ to_text('loyalty_id') }} as loyalty_id,
        {{ to_text('store_id') }} as store_id,

        -- timestamps
        {{ to_timestamp('occurred_at') }} as occurred_at,
        {{ to_timestamp('loaded_at') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(timestamp=['occurred_at', 'loaded_at']) }} as unusable_values
    from source
)

select * from cleaned
