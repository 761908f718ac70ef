{{ config(enabled=source_is_on('zendesk'), materialized='table') }}

with source as (
    {{ staged_rows('zendesk', 'domain_name', key=['organization_id', 'domain_name'], latest_by='_fivetran_synced') }}
),

valued as (
    {{ clean_values(
        'source',
        number=['"index"'], timestamp=['_fivetran_synced'],
        others=[['domain_name', 'invalid_domain', to_domain('domain_name')]]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        {{ to_text('organization_id') }} as organization_id,
        clean_domain_name as domain,

        -- measures
        {{ integer_of('clean_index') }} as place,

        -- timestamps
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
