{{ config(enabled=source_is_on('klaviyo'), materialized='table') }}

with source as (
    {{ staged_rows('klaviyo', 'metric', key='id', latest_by=['_fivetran_synced', 'updated']) }}
),

valued as (
    {{ clean_values('source', timestamp=['created', 'updated', '_fivetran_synced']) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as metric_id,

        -- attributes
        {{ to_text('"name"') }} as metric_name,
        {{ to_text('integration_name') }} as integration_name,

        -- timestamps
        clean_created as created_at,
        clean_updated as updated_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
