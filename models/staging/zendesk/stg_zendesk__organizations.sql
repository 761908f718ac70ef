{{ config(enabled=source_is_on('zendesk'), materialized='table') }}

with source as (
    {{ staged_rows('zendesk', 'organization', key='id', latest_by=['_fivetran_synced', 'updated_at']) }}
),

valued as (
    {{ clean_values('source', timestamp=['created_at', 'updated_at', '_fivetran_synced']) }}
),

cleaned as (
    select
        -- keys
        row_key,
        'zendesk:organization:' || row_key as record_id,
        row_key as organization_id,
        {{ to_text('external_id') }} as external_id,

        -- attributes
        {{ to_name('"name"') }} as organization_name,

        -- timestamps
        clean_created_at as created_at,
        clean_updated_at as updated_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
