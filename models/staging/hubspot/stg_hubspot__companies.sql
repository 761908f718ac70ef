{{ config(enabled=source_is_on('hubspot'), materialized='table') }}

with source as (
    {{ staged_rows(
        'hubspot', 'company', key='id', latest_by=['_fivetran_synced', 'property_hs_lastmodifieddate'],
        country='property_country'
    ) }}
),

valued as (
    {{ clean_values(
        'source',
        phone=['property_phone'], number=['property_numberofemployees', 'property_annualrevenue'],
        boolean=['is_deleted', '_fivetran_deleted'],
        timestamp=['property_createdate', 'property_hs_lastmodifieddate', '_fivetran_synced'],
        country='row_country_code',
        others=[
            ['property_domain', 'invalid_domain', to_domain('property_domain')],
            ['property_website', 'invalid_domain', to_domain('property_website')]
        ]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        'hubspot:company:' || row_key as record_id,
        row_key as company_id,
        {{ regexp_replace_all(to_text('property_hs_parent_company_id'), '[.]0+$', '') }} as parent_company_id,

        -- attributes
        {{ to_name('property_name') }} as company_name,
        coalesce(clean_property_domain, clean_property_website) as domain,
        clean_property_phone as phone,
        {{ to_name("concat_ws(', ', " ~ to_text('property_address') ~ ", " ~ to_text('property_address_2') ~ ")") }} as street,
        {{ to_name('property_city') }} as city,
        {{ to_name('property_state') }} as region,
        {{ to_postcode('property_zip') }} as postcode,
        row_country_code as country_code,
        {{ to_text('property_industry') }} as industry,

        -- measures
        {{ integer_of('clean_property_numberofemployees') }} as employee_count,
        {{ amount_of('clean_property_annualrevenue') }} as annual_revenue,

        -- flags
        coalesce(clean__fivetran_deleted, false) or coalesce(clean_is_deleted, false) as is_deleted,

        -- timestamps
        clean_property_createdate as created_at,
        clean_property_hs_lastmodifieddate as updated_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
