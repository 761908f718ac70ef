{{ config(enabled=source_is_on('hubspot'), materialized='table') }}

with source as (
    {{ staged_rows('hubspot', 'deal_pipeline_stage', key='stage_id', latest_by='_fivetran_synced') }}
),

valued as (
    {{ clean_values('source', boolean=['is_closed', 'closed_won'], timestamp=['_fivetran_synced']) }}
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
        clean_is_closed as is_closed,
        clean_closed_won as is_won,

        -- timestamps
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
