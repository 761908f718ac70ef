{{ config(enabled=source_is_on('pos'), materialized='table') }}

with source as (
    {{ staged_rows('pos', 'store_visit', key='visit_id', latest_by='loaded_at') }}
),

valued as (
    {{ clean_values('source', timestamp=['occurred_at', 'loaded_at']) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as visit_id,
        {{ to_text('loyalty_id') }} as loyalty_id,
        {{ to_text('store_id') }} as store_id,

        -- timestamps
        clean_occurred_at as occurred_at,
        clean_loaded_at as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
