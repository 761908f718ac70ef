{{ config(enabled=source_is_on('pos'), materialized='table') }}

with source as (
    {{ staged_rows('pos', 'loyalty_member', key='loyalty_id', latest_by=['updated_at', 'loaded_at'], country='country') }}
),

valued as (
    {{ clean_values(
        'source',
        email=['email'], phone=['phone'],
        boolean=['email_opt_in', 'sms_opt_in', 'post_opt_in', 'is_test', 'is_deleted'],
        timestamp=['joined_at', 'updated_at', 'loaded_at'], country='row_country_code',
        others=[['birth_date', 'invalid_date', to_birth_date('birth_date')]]
    ) }}
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
        clean_email as email,
        clean_phone as phone,
        clean_birth_date as birth_date,
        {{ to_name('street') }} as street,
        {{ to_name('city') }} as city,
        {{ to_text('region') }} as region,
        {{ to_postcode('postal_code') }} as postcode,
        row_country_code as country_code,

        -- flags
        clean_email_opt_in as has_email_opt_in,
        clean_sms_opt_in as has_sms_opt_in,
        clean_post_opt_in as has_post_opt_in,
        coalesce(clean_is_test, false) as is_test,
        coalesce(clean_is_deleted, false) as is_deleted,

        -- timestamps
        clean_joined_at as joined_at,
        clean_updated_at as updated_at,
        clean_loaded_at as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
