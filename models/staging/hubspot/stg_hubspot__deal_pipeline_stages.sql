{{ config(enabled=source_is_on('hubspot'), materialized='table') }}

with source as (
    {{ staged_rows('hubspot', 'deal_pipeline_stage', key='stage_id', latest_by='_fivetran_synced') }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as stage_id,
        {{ to_text('pipeline_id') }} as pipeline_id,

        -- attributes
        {{ to_text('label') }} as stage,

        -- flags
        {{ to_boolean('is_closed') }} as is_closed,
        {{ to_boolean('closed_won') }} as is_won,

        -- timestamps
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(boolean=['is_closed', 'closed_won'], timestamp=['_fivetran_synced']) }} as unusable_values
    from source
)

select * from cleaned
