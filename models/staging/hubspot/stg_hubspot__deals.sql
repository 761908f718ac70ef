{{ config(enabled=source_is_on('hubspot'), materialized='table') }}

with source as (
    {{ staged_rows('hubspot', 'deal', key='deal_id', latest_by='_fivetran_synced') }}
),

valued as (
    {{ clean_values(
        'source',
        number=['property_amount'], boolean=['property_hs_is_closed', 'property_hs_is_closed_won', 'is_deleted'],
        timestamp=['property_createdate', 'property_closedate', '_fivetran_synced']
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as deal_id,
        {{ to_text('deal_pipeline_id') }} as pipeline_id,
        {{ to_text('deal_pipeline_stage_id') }} as stage_id,

        -- measures
        {{ amount_of('clean_property_amount') }} as amount,

        -- flags
        clean_property_hs_is_closed as is_closed,
        clean_property_hs_is_closed_won as is_won,
        coalesce(clean_is_deleted, false) as is_deleted,

        -- timestamps
        clean_property_createdate as created_at,
        clean_property_closedate as closed_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
