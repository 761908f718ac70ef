{{ config(enabled=source_is_on('stripe'), materialized='table') }}

with source as (
    {{ staged_rows('stripe', 'customer', key='id', latest_by='_fivetran_synced', country='address_country') }}
),

valued as (
    {{ clean_values(
        'source',
        email=['email'], phone=['phone'], boolean=['livemode', 'is_deleted'],
        timestamp=['created', '_fivetran_synced'], country='row_country_code'
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        'stripe:customer:' || row_key as record_id,
        row_key as customer_id,
        {{ to_text(json_value('metadata', 'user_id')) }} as user_id,

        -- attributes
        {{ first_name_of('name') }} as first_name,
        {{ last_name_of('name') }} as last_name,
        {{ to_name('name') }} as full_name,
        clean_email as email,
        clean_phone as phone,
        {{ to_text("concat_ws(', ', " ~ to_text('address_line_1') ~ ", " ~ to_text('address_line_2') ~ ")") }} as street,
        {{ to_name('address_city') }} as city,
        {{ to_text('address_state') }} as region,
        {{ to_postcode('address_postal_code') }} as postcode,
        row_country_code as country_code,

        -- flags
        coalesce(not clean_livemode, false) as is_test,
        coalesce(clean_is_deleted, false) as is_deleted,

        -- timestamps
        clean_created as created_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
