{{ config(enabled=source_is_on('salesforce'), materialized='table') }}

with source as (
    {{ staged_rows(
        'salesforce', 'account', key='id', latest_by=['_fivetran_synced', 'last_modified_date'],
        country='coalesce(' ~ to_country_code('billing_country_code') ~ ', billing_country)'
    ) }}
),

valued as (
    {{ clean_values(
        'source',
        phone=['phone'], number=['number_of_employees', 'annual_revenue'], boolean=['is_deleted'],
        timestamp=['created_date', 'last_modified_date', '_fivetran_synced'], country='row_country_code',
        others=[['website', 'invalid_domain', to_domain('website')]]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        'salesforce:account:' || row_key as record_id,
        row_key as account_id,
        {{ to_text('parent_id') }} as parent_account_id,

        -- attributes
        {{ to_name('"name"') }} as account_name,
        clean_website as domain,
        clean_phone as phone,
        {{ to_name('billing_street') }} as street,
        {{ to_name('billing_city') }} as city,
        {{ to_name('billing_state') }} as region,
        {{ to_postcode('billing_postal_code') }} as postcode,
        row_country_code as country_code,
        {{ to_text('industry') }} as industry,
        {{ to_text('"type"') }} as account_type,

        -- measures
        {{ integer_of('clean_number_of_employees') }} as employee_count,
        {{ amount_of('clean_annual_revenue') }} as annual_revenue,

        -- flags
        coalesce(clean_is_deleted, false) as is_deleted,

        -- timestamps
        clean_created_date as created_at,
        clean_last_modified_date as updated_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
