{{ config(enabled=source_is_on('segment'), materialized='table') }}

with source as (
    {{ staged_rows('segment', 'identifies', key='id', latest_by='received_at') }}
),

users as (
    select * from {{ ref('stg_segment__users') }}
),

-- a phone number is read with the country the user gave, else with the one the device is set to
with_country as (
    select
        source.*,
        coalesce(
            users.country_code,
            upper({{ regexp_extract('source.context_locale', '^[A-Za-z]{2,3}[-_]([A-Za-z]{2})$', 1) }})
        ) as row_country_code
    from source
    left join users
        on users.user_id = {{ to_text('source.user_id') }}
),

valued as (
    {{ clean_values(
        'with_country',
        email=['email'], phone=['phone'], timestamp=['"timestamp"', 'original_timestamp', 'received_at'],
        country='row_country_code', others=[['user_id', 'key_too_long', row_key(['user_id'], 'with_country')]]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as identify_id,
        {{ to_text('anonymous_id') }} as anonymous_id,
        clean_user_id as user_id,

        -- attributes
        {{ to_name('first_name') }} as first_name,
        {{ to_name('last_name') }} as last_name,
        clean_email as email,
        clean_phone as phone,

        -- timestamps
        coalesce(
            clean_timestamp, clean_original_timestamp, clean_received_at
        ) as occurred_at,
        clean_received_at as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
