{{ config(enabled=source_is_on('zendesk'), materialized='table') }}

with source as (
    {{ staged_rows('zendesk', 'domain_name', key=['organization_id', 'domain_name'], latest_by='_fivetran_synced') }}
),

cleaned as (
    select
        -- keys
        row_key,
        {{ to_text('organization_id') }} as organization_id,
        {{ to_domain('domain_name') }} as domain,

        -- measures
        {{ to_integer('"index"') }} as place,

        -- timestamps
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            number=['"index"'], timestamp=['_fivetran_synced'],
            others=[['domain_name', 'invalid_domain', to_domain('domain_name')]]
        ) }} as unusable_values
    from source
)

select * from cleaned
