{{ config(enabled=source_is_on('hubspot'), materialized='table') }}

with source as (
    {{ staged_rows(
        'hubspot', 'company', key='id', latest_by=['_fivetran_synced', 'property_hs_lastmodifieddate'],
        country='property_country'
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
        coalesce({{ to_domain('property_domain') }}, {{ to_domain('property_website') }}) as domain,
        {{ to_phone('property_phone', 'row_country_code') }} as phone,
        {{ to_name("concat_ws(', ', " ~ to_text('property_address') ~ ", " ~ to_text('property_address_2') ~ ")") }} as street,
        {{ to_name('property_city') }} as city,
        {{ to_name('property_state') }} as region,
        {{ to_postcode('property_zip') }} as postcode,
        row_country_code as country_code,
        {{ to_text('property_industry') }} as industry,

        -- measures
        {{ to_integer('property_numberofemployees') }} as employee_count,
        {{ to_amount('property_annualrevenue') }} as annual_revenue,

        -- flags
        coalesce({{ to_boolean('_fivetran_deleted') }}, false) or coalesce({{ to_boolean('is_deleted') }}, false) as is_deleted,

        -- timestamps
        {{ to_timestamp('property_createdate') }} as created_at,
        {{ to_timestamp('property_hs_lastmodifieddate') }} as updated_at,
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            phone=['property_phone'], number=['property_numberofemployees', 'property_annualrevenue'],
            boolean=['is_deleted', '_fivetran_deleted'],
            timestamp=['property_createdate', 'property_hs_lastmodifieddate', '_fivetran_synced'],
            country='row_country_code',
            others=[
                ['property_domain', 'invalid_domain', to_domain('property_domain')],
                ['property_website', 'invalid_domain', to_domain('property_website')]
            ]
        ) }} as unusable_values
    from source
)

select * from cleaned
