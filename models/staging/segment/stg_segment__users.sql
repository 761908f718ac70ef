{{ config(enabled=source_is_on('segment'), materialized='table') }}

with source as (
    {{ staged_rows('segment', 'users', key='id', latest_by='received_at', country='address_country') }}
),

valued as (
    {{ clean_values(
        'source',
        email=['email'], phone=['phone'], timestamp=['created_at', 'received_at'], country='row_country_code',
        others=[['birthday', 'invalid_date', to_birth_date('birthday')]]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as user_id,

        -- attributes
        coalesce({{ to_name('first_name') }}, {{ first_name_of('"name"') }}) as first_name,
        coalesce({{ to_name('last_name') }}, {{ last_name_of('"name"') }}) as last_name,
        coalesce(
            {{ to_name('"name"') }},
            {{ to_text("concat_ws(' ', " ~ to_name('first_name') ~ ", " ~ to_name('last_name') ~ ")") }}
        ) as full_name,
        clean_email as email,
        clean_phone as phone,
        clean_birthday as birth_date,
        {{ to_name('company_name') }} as company_name,
        {{ to_name('title') }} as job_title,
        {{ to_name('address_street') }} as street,
        {{ to_name('address_city') }} as city,
        {{ to_text('address_state') }} as region,
        {{ to_postcode('address_postal_code') }} as postcode,
        row_country_code as country_code,

        -- timestamps
        clean_created_at as created_at,
        clean_received_at as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
