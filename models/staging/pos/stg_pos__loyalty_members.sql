{{ config(enabled=source_is_on('pos'), materialized='table') }}

with source as (
    {{ staged_rows('pos', 'loyalty_member', key='loyalty_id', latest_by=['updated_at', 'loaded_at'], country='country') }}
),

cleaned as (
    select
        -- keys
        row_key,
        'pos:loyalty_member:' || row_key as record_id,
        row_key as loyalty_id,

        -- attributes
        {{ to_name('first_name') }} as first_name,
        {{ to_name('last_name') }} as last_name,
        {{ to_text("concat_ws(' ', " ~ to_name('first_name') ~ ", " ~ to_name('last_name') ~ ")") }} as full_name,
        {{ to_email('email') }} as email,
        {{ to_phone('phone', 'row_country_code') }} as phone,
        {{ to_birth_date('birth_date') }} as birth_date,
        {{ to_name('street') }} as street,
        {{ to_name('city') }} as city,
        {{ to_text('region') }} as region,
        {{ to_postcode('postal_code') }} as postcode,
        row_country_code as country_code,

        -- flags
        {{ to_boolean('email_opt_in') }} as has_email_opt_in,
        {{ to_boolean('sms_opt_in') }} as has_sms_opt_in,
        {{ to_boolean('post_opt_in') }} as has_post_opt_in,
        coalesce({{ to_boolean('is_test') }}, false) as is_test,
        coalesce({{ to_boolean('is_deleted') }}, false) as is_deleted,

        -- timestamps
        {{ to_timestamp('joined_at') }} as joined_at,
        {{ to_timestamp('updated_at') }} as updated_at,
        {{ to_timestamp('loaded_at') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            email=['email'], phone=['phone'],
            boolean=['email_opt_in', 'sms_opt_in', 'post_opt_in', 'is_test', 'is_deleted'],
            timestamp=['joined_at', 'updated_at', 'loaded_at'], country='row_country_code',
            others=[['birth_date', 'invalid_date', to_birth_date('birth_date')]]
        ) }} as unusable_values
    from source
)

select * from cleaned
