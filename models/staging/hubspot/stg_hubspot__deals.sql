{{ config(enabled=source_is_on('hubspot'), materialized='table') }}

with source as (
    {{ staged_rows('hubspot', 'deal', key='deal_id', latest_by='_fivetran_synced') }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as deal_id,
        {{ to_text('deal_pipeline_id') }} as pipeline_id,
        {{ to_text('deal_pipeline_stage_id') }} as stage_id,

        -- measures
        {{ to_amount('property_amount') }} as amount,

        -- flags
        {{ to_boolean('property_hs_is_closed') }} as is_closed,
        {{ to_boolean('property_hs_is_closed_won') }} as is_won,
        coalesce({{ to_boolean('is_deleted') }}, false) as is_deleted,

        -- timestamps
        {{ to_timestamp('property_createdate') }} as created_at,
        {{ to_timestamp('property_closedate') }} as closed_at,
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            number=['property_amount'], boolean=['property_hs_is_closed', 'property_hs_is_closed_won', 'is_deleted'],
            timestamp=['property_createdate', 'property_closedate', '_fivetran_synced']
        ) }} as unusable_values
    from source
)

select * from cleaned
