{{ config(enabled=source_is_on('shopify'), materialized='table') }}

with source as (
    {{ staged_rows('shopify', 'customer_address', key='id', latest_by='_fivetran_synced', country='coalesce(country_code, country)') }}
),

valued as (
    {{ clean_values(
        'source',
        phone=['phone'], boolean=['is_default'], timestamp=['_fivetran_synced'], country='row_country_code'
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as address_id,
        {{ to_text('customer_id') }} as customer_id,

        -- attributes
        {{ to_name('company') }} as company_name,
        {{ to_text("concat_ws(', ', " ~ to_text('address_1') ~ ", " ~ to_text('address_2') ~ ")") }} as street,
        {{ to_name('city') }} as city,
        coalesce({{ to_text('province') }}, {{ to_text('province_code') }}) as region,
        {{ to_postcode('zip') }} as postcode,
        row_country_code as country_code,
        clean_phone as phone,

        -- flags
        coalesce(clean_is_default, false) as is_default,

        -- timestamps
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
