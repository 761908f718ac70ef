{{ config(enabled=source_is_on('klaviyo'), materialized='table') }}

with source as (
    {{ staged_rows('klaviyo', 'metric', key='id', latest_by=['_fivetran_synced', 'updated']) }}
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
        {{ to_timestamp('created') }} as created_at,
        {{ to_timestamp('updated') }} as updated_at,
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(timestamp=['created', 'updated', '_fivetran_synced']) }} as unusable_values
    from source
)

select * from cleaned
