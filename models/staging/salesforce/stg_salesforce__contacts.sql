{{ config(enabled=source_is_on('salesforce'), materialized='table') }}

with source as (
    {{ staged_rows(
        'salesforce', 'contact', key='id', latest_by=['_fivetran_synced', 'last_modified_date'],
        country='coalesce(' ~ to_country_code('mailing_country_code') ~ ', mailing_country)'
    ) }}
),

valued as (
    {{ clean_values(
        'source',
        email=['email'], phone=['mobile_phone', 'phone'],
        boolean=['has_opted_out_of_email', 'do_not_call', 'is_deleted'],
        timestamp=['created_date', 'last_modified_date', '_fivetran_synced'], country='row_country_code',
        others=[['birthdate', 'invalid_date', to_birth_date('birthdate')]]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        'salesforce:contact:' || row_key as record_id,
        row_key as contact_id,
        {{ to_text('account_id') }} as account_id,

        -- attributes
        coalesce(
            {{ to_name('first_name') }},
            case when {{ to_text('last_name') }} is null then {{ first_name_of('"name"') }} end
        ) as first_name,
        coalesce(
            {{ to_name('last_name') }},
            case when {{ to_text('first_name') }} is null then {{ last_name_of('"name"') }} end
        ) as last_name,
        {{ to_name('"name"') }} as full_name,
        clean_email as email,
        clean_mobile_phone as mobile_phone,
        clean_phone as office_phone,
        {{ to_name('mailing_street') }} as street,
        {{ to_name('mailing_city') }} as city,
        {{ to_name('mailing_state') }} as region,
        {{ to_postcode('mailing_postal_code') }} as postcode,
        row_country_code as country_code,
        clean_birthdate as birth_date,
        {{ to_name('title') }} as job_title,

        -- flags
        clean_has_opted_out_of_email as has_opted_out_of_email,
        clean_do_not_call as is_not_to_be_called,
        coalesce(clean_is_deleted, false) as is_deleted,

        -- timestamps
        clean_created_date as created_at,
        clean_last_modified_date as updated_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
),

with_phone as (
    select
        *,
        coalesce(mobile_phone, office_phone) as phone
    from cleaned
)

select * from with_phone
