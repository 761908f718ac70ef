{{ config(enabled=source_is_on('stripe'), materialized='table') }}

with source as (
    {{ staged_rows('stripe', 'customer', key='id', latest_by='_fivetran_synced', country='address_country') }}
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
        {{ to_email('email') }} as email,
        {{ to_phone('phone', 'row_country_code') }} as phone,
        {{ to_text("concat_ws(', ', " ~ to_text('address_line_1') ~ ", " ~ to_text('address_line_2') ~ ")") }} as street,
        {{ to_name('address_city') }} as city,
        {{ to_text('address_state') }} as region,
        {{ to_postcode('address_postal_code') }} as postcode,
        row_country_code as country_code,

        -- flags
        coalesce(not {{ to_boolean('livemode') }}, false) as is_test,
        coalesce({{ to_boolean('is_deleted') }}, false) as is_deleted,

        -- timestamps
        {{ to_timestamp('created') }} as created_at,
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            email=['email'], phone=['phone'], boolean=['livemode', 'is_deleted'],
            timestamp=['created', '_fivetran_synced'], country='row_country_code'
        ) }} as unusable_values
    from source
)

select * from cleaned
